"""What browsers and telephones ask of a site: its manifest and icons."""

from __future__ import annotations

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
