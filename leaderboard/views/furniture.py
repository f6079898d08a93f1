"""What browsers, telephones and security researchers ask of a site: manifest, icons, search, contact."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.sax.saxutils import escape, quoteattr

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from leaderboard.social_cards import icon as icons

PAGE_COLOUR = "#f8f8fc"  # --page of static/css/tokens.css, in light


@require_safe
@cache_control(public=True, max_age=86_400)
def manifest(request: HttpRequest) -> HttpResponse:
    """For “Add to home screen”: the site opens as an app of its own, at its start page."""
    drawn = [_drawn(side, purpose) for side in icons.SIDES[1:] for purpose in ("any", "maskable")]
    content = {
        "name": settings.SITE_NAME,
        "short_name": settings.SITE_NAME,
        "description": "Two AI images, one prompt, no names: vote for the better one.",
        "id": "/",
        "start_url": "/",
        "scope": "/",
        "display": "minimal-ui",
        "background_color": PAGE_COLOUR,
        "theme_color": PAGE_COLOUR,
        "icons": [{"src": static("favicon.svg"), "sizes": "any", "type": "image/svg+xml"}, *drawn],
    }
    return JsonResponse(content, content_type="application/manifest+json")


def _drawn(side: int, purpose: str) -> dict[str, str]:
    url = reverse("leaderboard:icon", args=[side])
    return {"src": url, "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}


@require_safe
@cache_control(public=True, max_age=604_800)
def icon(request: HttpRequest, side: int) -> HttpResponse:
    if side not in icons.SIDES:
        raise Http404(f"There are icons of {', '.join(map(str, icons.SIDES))} pixels.")
    return HttpResponse(icons.png(side), content_type="image/png")


_SEARCH = """<?xml version="1.0" encoding="UTF-8"?>
<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">
<ShortName>{name}</ShortName>
<Description>Image models, labs, competitions and prompts</Description>
<InputEncoding>UTF-8</InputEncoding>
<Image width="180" height="180" type="image/png">{icon}</Image>
<Url type="text/html" template={results}/>
</OpenSearchDescription>
"""


@require_safe
@cache_control(public=True, max_age=86_400)
def opensearch(request: HttpRequest) -> HttpResponse:
    """By it browsers offer to search the site from their address bar."""
    results = f"{request.build_absolute_uri(reverse('leaderboard:search'))}?q={{searchTerms}}"
    text = _SEARCH.format(
        name=escape(settings.SITE_NAME[:16].strip()),  # more is not allowed
        icon=escape(request.build_absolute_uri(reverse("leaderboard:icon", args=[180]))),
        results=quoteattr(results),
    )
    return HttpResponse(text, content_type="application/opensearchdescription+xml; charset=utf-8")


CONTACT_DAYS = 180  # for which a copy of security.txt may be trusted; RFC 9116 advises less than a year


@require_safe
@cache_control(public=True, max_age=86_400)
def security(request: HttpRequest) -> HttpResponse:
    """Where to report a vulnerability (RFC 9116)."""
    if not settings.SECURITY_CONTACT:
        raise Http404("This site names no contact: its operator has not set SECURITY_CONTACT.")
    expires = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) + timedelta(days=CONTACT_DAYS)
    lines = [
        f"Contact: {settings.SECURITY_CONTACT}",
        f"Expires: {expires:%Y-%m-%dT%H:%M:%SZ}",
        f"Canonical: {request.build_absolute_uri()}",
    ]
    return HttpResponse("\n".join([*lines, ""]), content_type="text/plain; charset=utf-8")
