"""Boards: the overview, one category, its CSV."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from arena import battles
from arena.models import Category
from leaderboard import exports, standings


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    categories = Category.objects.select_related("board").annotate(models=Count("ratings"))
    boards = [(category, standings.board(category)[:3]) for category in categories]
    return render(request, "leaderboard/index.html", {"boards": boards})


@require_safe
def category(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Category.objects.select_related("board"), slug=slug)
    board = standings.board(found)
    context = {
        "category": found,
        "board": getattr(found, "board", None),
        "standings": board,
        "files": found.vote_files.all(),
        "playable": bool(battles.pool(found).size),
        "limit": standings.limit(found),
        "snapshot": found.snapshots.order_by("-taken_at", "-pk").first(),
        "low": min((each.rating.lower for each in board if each.half_width is not None), default=0.0),
        "high": max((each.rating.upper for each in board if each.half_width is not None), default=0.0),
    }
    return render(request, "leaderboard/category.html", context)


@require_safe
def category_csv(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Category, slug=slug)
    return HttpResponse(
        exports.board_csv(found),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{found.slug}.csv"'},
    )
