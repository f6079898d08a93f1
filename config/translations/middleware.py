"""The language of a page: what the reader has chosen, else what the browser prefers, else English.

What programs read is English: files, feeds, the API, error responses in JSON; and so is the admin.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import parse_accept_lang_header

Answer = Callable[[HttpRequest], HttpResponseBase]

# Paths of pages, and of what their scripts show. All others that end in no slash are files.
TRANSLATED = re.compile(
    r"/(?!(?:admin|api/v1|feeds|openai|playground/images|webhooks)/)(?:.*/)?|/viewer/\d+\.json", re.DOTALL
)


def of_reader(get_response: Answer) -> Answer:
    """Middleware: the page is rendered in the reader's language, and caches on the way know what that depends on."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if not TRANSLATED.fullmatch(request.path_info):
            return get_response(request)
        language = chosen(
            request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, ""), request.META.get("HTTP_ACCEPT_LANGUAGE", "")
        )
        request.LANGUAGE_CODE = language  # as Django's own middleware does; templates read it
        if language == settings.LANGUAGE_CODE:
            response = get_response(request)
        else:
            with translation.override(language):
                response = get_response(request)
        if request.method == "GET":
            patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response

    return answer


@lru_cache(maxsize=1024)
def chosen(cookie: str, accepted: str) -> str:
    """The first of our languages that the cookie or, in its order, the header Accept-Language names."""
    ours = dict(settings.LANGUAGES)
    if cookie in ours:
        return cookie
    for code, _ in parse_accept_lang_header(accepted[:500]):
        base = code.partition("-")[0]
        if base in ours:
            return base
    return settings.LANGUAGE_CODE
