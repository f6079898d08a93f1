"""Home and methodology."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from arena import battles, integrity, matchmaking
from arena.models import Category
from leaderboard import boards as constants
from leaderboard import comparison, elo, ranks, ratings, slices, standings
from leaderboard.models import Board

HEAD = 5  # rows of a board shown on the home page


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    categories = list(Category.objects.all())
    boards = [(category, standings.board(category)[:HEAD]) for category in categories]
    boards.sort(key=lambda board: not board[1])  # boards that still wait for votes come last
    playable = [category for category in categories if battles.pool(category).size]
    return render(request, "leaderboard/home.html", {"boards": boards, "playable": playable})


@require_safe
def methodology(request: HttpRequest) -> HttpResponse:
    found = standings.example()
    compared = found[1] if found else []
    context = {
        "example": found[0] if found else None,
        "compared": compared,
        "moved_by_order": comparison.largest_difference(compared),
        "running_k": comparison.K,
        "sides": Board.objects.exclude(side_effect=None).filter(side_effect_se__lt=1000).select_related("category"),
        "cap": integrity.CAP,
        "cap_days": integrity.CAP_DAYS,
        "min_clusters": constants.MIN_CLUSTERS,
        "mean": elo.MEAN,
        "scale": elo.SCALE,
        "draws": ranks.DRAWS,
        "recent_days": ratings.RECENT_DAYS,
        "slice_votes": slices.MIN_VOTES,
        "uniform_share": matchmaking.UNIFORM_SHARE,
        "largest_share": matchmaking.LARGEST_SHARE,
        "boost": matchmaking.BOOST,
        "method_version": elo.METHOD_VERSION,
        "usable_votes": constants.USABLE_VOTES,
        "usable_voters": constants.USABLE_VOTERS,
        "usable_half_width": constants.USABLE_HALF_WIDTH,
        "settled_half_width": constants.SETTLED_HALF_WIDTH,
    }
    return render(request, "leaderboard/methodology.html", context)
