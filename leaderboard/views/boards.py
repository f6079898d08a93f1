"""Boards: the overview, one category, its CSV."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from arena.models import Category
from leaderboard import exports, filters, heads, listing, standings


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "leaderboard/index.html", {"boards": heads.all_boards(3)})


@require_safe
def category(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Category.objects.select_related("board"), slug=slug)
    rows, shown, chosen = _shown(request, found)
    bounded = [row.standing.rating for row in rows if row.standing.half_width is not None]
    context = {
        "category": found,
        "board": getattr(found, "board", None),
        "rows": rows,
        "shown": shown,
        "groups": listing.by_tier(shown),
        "filters": chosen,
        "choices": filters.choices(rows),
        "query": chosen.query(),
        "files": found.vote_files.all(),
        "playable": heads.playable().filter(pk=found.pk).exists(),
        "limit": standings.limit(found),
        "snapshot": found.snapshots.only("pk", "taken_at", "category").order_by("-taken_at", "-pk").first(),
        "low": min((rating.lower for rating in bounded), default=0.0),
        "high": max((rating.upper for rating in bounded), default=0.0),
    }
    return render(request, "leaderboard/category.html", context, status=400 if chosen.errors else 200)


@require_safe
def category_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """What the page with the same query shows."""
    found = get_object_or_404(Category, slug=slug)
    _, shown, chosen = _shown(request, found)
    if chosen.errors:
        return HttpResponse("\n".join(chosen.errors.values()), status=400, content_type="text/plain; charset=utf-8")
    return HttpResponse(
        exports.board_csv(shown),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{found.slug}.csv"'},
    )


def _shown(request: HttpRequest, found: Category) -> tuple[list[filters.Row], list[filters.Row], filters.Filters]:
    """Every row, the rows that pass, and the filters they passed."""
    rows = listing.rows(standings.board(found), found.mode)
    chosen = filters.read(request.GET.dict(), filters.choices(rows))
    return rows, filters.shown(rows, chosen), chosen
