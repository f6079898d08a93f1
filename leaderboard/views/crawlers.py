"""For those who find pages by machine: robots.txt, the sitemap, llms.txt."""

from __future__ import annotations

from xml.sax.saxutils import escape

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from arena.models import Category, Competition
from providers.models import ImageModel, Lab, Offering

PAGES = ("home", "index", "overall", "models", "compare-pick", "methodology")
MOST = 50_000  # addresses one sitemap may have

# Battles are a voter's own; comparisons of more than two and filtered boards are without number.
_ROBOTS = """User-agent: *
Disallow: /arena/
Disallow: /battles/
Disallow: /i/
Disallow: /vote/
Disallow: /search/
Disallow: /compare/*/*/*/
Disallow: /compare/?
Disallow: /leaderboard/*?
Allow: /leaderboard/*/card.jpg
Sitemap: {sitemap}
"""


@require_safe
def robots(request: HttpRequest) -> HttpResponse:
    sitemap = request.build_absolute_uri(reverse("leaderboard:sitemap"))
    return HttpResponse(_ROBOTS.format(sitemap=sitemap), content_type="text/plain; charset=utf-8")


@require_safe
@cache_control(public=True, max_age=3600)
def sitemap(request: HttpRequest) -> HttpResponse:
    """Every page that stands on its own, boards with the day they were last computed."""
    rows = [(reverse(f"leaderboard:{name}"), None) for name in PAGES]
    for category in Category.objects.select_related("board"):
        board = getattr(category, "board", None)
        rows.append((category.get_absolute_url(), board.computed_at if board else None))
    rows += [(page.get_absolute_url(), None) for page in ImageModel.objects.only("slug")]
    rows += [(page.get_absolute_url(), None) for page in Lab.objects.only("slug")]
    rows += [(page.get_absolute_url(), None) for page in Competition.objects.published().only("slug")]
    rows += [(reverse("leaderboard:provider", args=[key]), None) for key in _providers()]
    rows += [(reverse(f"providers:{name}"), None) for name in ("playground", "api")]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">']
    for path, changed in rows[:MOST]:
        day = f"<lastmod>{changed:%Y-%m-%d}</lastmod>" if changed else ""
        lines.append(f"<url><loc>{escape(request.build_absolute_uri(path))}</loc>{day}</url>")
    return HttpResponse("\n".join([*lines, "</urlset>\n"]), content_type="application/xml; charset=utf-8")


def _providers() -> list[str]:
    """Those who sell something here."""
    return sorted(Offering.objects.active().order_by().values_list("provider", flat=True).distinct())


@require_safe
@cache_control(public=True, max_age=3600)
def llms(request: HttpRequest) -> HttpResponse:
    """What this site is and where its data lies, in Markdown, for language models that answer about it."""
    context = {
        "home": request.build_absolute_uri("/").rstrip("/"),
        "name": settings.SITE_NAME,
        "categories": Category.objects.select_related("board"),
        "models": ImageModel.objects.current().filter(ratings__isnull=False).distinct().order_by("name")[:200],
    }
    return render(request, "leaderboard/llms.txt", context, content_type="text/markdown; charset=utf-8")
