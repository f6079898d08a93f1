"""Home and methodology."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from arena import generation_progress, integrity, matchmaking
from leaderboard.board import overall, ratings, standings, summaries
from leaderboard.competitions import use_cases
from leaderboard.models import Board
from leaderboard.page_cache import cached_page
from leaderboard.rating import elo, intervals, methods, ranks
from leaderboard.social_cards import board
from leaderboard.voter import first_pair

HEAD, USES = 5, 16  # on the home page: rows of each board, tags


@never_cache
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """One pair to judge, above the fold, and the heads of the boards."""
    playable = list(summaries.playable())
    context = {
        "boards": summaries.all_boards(HEAD),
        "playable": playable,
        "teaser": first_pair.of_visitor(request, playable[0]) if playable else None,
        "making": None if playable else generation_progress.combined(generation_progress.of_all().values()),
        "uses": use_cases.tags()[:USES],
    }
    return render(request, "leaderboard/home.html", context)


@never_cache
@require_safe
def wait(request: HttpRequest) -> HttpResponse:
    """The fragment that replaces itself while the models make the first images; then the page is there anew."""
    found = (
        None if summaries.playable().exists() else generation_progress.combined(generation_progress.of_all().values())
    )
    if found is None:
        return HttpResponseClientRefresh()
    return render(request, "arena/_making.html", {"making": found, "wait": request.path})


@require_safe
@cache_control(public=True, max_age=86_400)
def card(request: HttpRequest) -> HttpResponse:
    """What a link to a page without a picture of its own shows where it is shared."""
    return HttpResponse(board.of_site(request.get_host()), content_type="image/jpeg")


@require_safe
@cached_page()
def methodology(request: HttpRequest) -> HttpResponse:
    found = standings.example()
    compared = found[1] if found else []
    context = {
        "example": found[0] if found else None,
        "compared": compared,
        "moved_by_order": methods.largest_difference(compared),
        "running_k": methods.K,
        "sides": Board.objects.exclude(side_effect=None).filter(side_effect_se__lt=1000).select_related("category"),
        "cap": integrity.CAP,
        "cap_days": integrity.CAP_DAYS,
        "min_effective": intervals.MIN_EFFECTIVE,
        "mean": elo.MEAN,
        "scale": elo.SCALE,
        "draws": ranks.DRAWS,
        "recent_days": ratings.RECENT_DAYS,
        "slice_votes": overall.MIN_VOTES,
        "uniform_share": matchmaking.UNIFORM_SHARE,
        "largest_share": matchmaking.LARGEST_SHARE,
        "boost": matchmaking.BOOST,
        "method_version": elo.METHOD_VERSION,
        "usable_votes": intervals.USABLE_VOTES,
        "usable_voters": intervals.USABLE_VOTERS,
        "usable_half_width": intervals.USABLE_HALF_WIDTH,
        "settled_half_width": intervals.SETTLED_HALF_WIDTH,
    }
    return render(request, "leaderboard/methodology.html", context)
