"""The switch of the language, at the foot of every page that is translated."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest, HttpResponseRedirect
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST


@csrf_exempt  # a cached page is everybody's, without a token; a forged request could only change a language
@require_POST
def choose(request: HttpRequest) -> HttpResponse:
    """Remember the language in a cookie and go back to the page that the form is on."""
    language = request.POST.get("language", "")
    if language not in dict(settings.LANGUAGES):
        return HttpResponseBadRequest("There is no such language here.", content_type="text/plain; charset=utf-8")
    response = HttpResponseRedirect(_page_before(request), headers={"Cache-Control": "no-store"})
    response.set_cookie(
        settings.LANGUAGE_COOKIE_NAME,
        language,
        max_age=settings.LANGUAGE_COOKIE_AGE,
        secure=settings.LANGUAGE_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )
    return response


def _page_before(request: HttpRequest) -> str:
    """Path and query of the page that the request came from; the start page if that was none of this site."""
    referer = request.headers.get("Referer", "")
    if not url_has_allowed_host_and_scheme(referer, {request.get_host()}, require_https=request.is_secure()):
        return "/"
    parts = urlsplit(referer)
    return f"/{parts.path.lstrip('/')}" + (f"?{parts.query}" if parts.query else "")
