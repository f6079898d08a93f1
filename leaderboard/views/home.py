"""Home and methodology."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Max, Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_safe
from django_htmx.http import HttpResponseClientRefresh

from arena import blinding, matchmaking, vote_cap
from arena.battles import ballots
from arena.generation import progress as generation_progress
from arena.integrity import caps
from arena.matchmaking import battle_shares, vote_worth
from arena.models import Category
from arena.models.battles import BUSY_VOTES
from arena.views.images import PUBLIC_SECONDS
from leaderboard import cache
from leaderboard.board import drift_watch, overall, ratings, raw_votes, register, standings, summaries
from leaderboard.board_page import highlights, pictures, rows, scatter
from leaderboard.models import Board
from leaderboard.page_cache import cached_page, first_category
from leaderboard.rating import elo, intervals, methods, parity, ranks, verdict
from leaderboard.social_cards import board
from leaderboard.voter import first_pair


@cache_control(private=True, no_cache=True)  # not no-store: browsers may go back to it without a request
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """One pair to judge, above the fold, and under it what the votes say."""
    playable = list(summaries.playable())
    pair = first_pair.of_visitor(request, playable[0]) if playable else None
    teaser, ballot = pair or (None, None)
    hidden = blinding.open_prompts_of(request) | ({teaser.prompt.pk} if teaser else set())
    category = first_category()
    context = {
        "playable": playable,
        "teaser": teaser,
        "making": None if playable else generation_progress.combined(generation_progress.of_all().values()),
        "start": None if category is None or _is_rated(category) else summaries.starts([category])[category.pk],
        "front": _front(category, frozenset(hidden)) if category else "",
    }
    response = render(request, "leaderboard/home.html", context)
    if ballot is not None:
        ballots.remember(response, request, ballot)
    return response


def _is_rated(category: Category) -> bool:
    computed = getattr(category, "board", None)
    return computed is not None and computed.votes > 0


def _front(category: Category, hidden: frozenset[int]) -> SafeString:
    """What the votes of a category say, as HTML, without images of `hidden` prompts; may be a minute old."""
    return cache.get_or_compute(
        "front page",
        get_language(),
        cache.version(category),
        sorted(hidden),
        seconds=cache.MINUTE,
        compute=lambda: _render_front(category, hidden),
    )


def _render_front(category: Category, hidden: frozenset[int]) -> SafeString:
    board_rows = rows.rows(standings.board(category), category.mode)
    answers = highlights.answers(category, board_rows, getattr(category, "board", None))
    models = [answer.row.standing.rating.image_model_id for answer in answers]
    own, imported = summaries.tabs()
    boards = Board.objects.filter(category__source_name="")
    context = {
        "category": category,
        "tabs": own,
        "imported": imported,
        "rows": board_rows,
        "answers": answers,
        "images": {
            model: sorted(images, key=lambda image: image.is_poster)
            for model, images in pictures.of_models(category, models, hidden).items()
        },
        "cost": scatter.of_rows(board_rows).cost,
        "notes": highlights.price_notes(board_rows),
        "pairs": highlights.closest_pairs(category, hidden),
        "counters": boards.aggregate(votes=Sum("votes"), computed_at=Max("computed_at")),
    }
    return render_to_string("leaderboard/home/_front.html", context)


@never_cache
@require_safe
def wait(request: HttpRequest) -> HttpResponse:
    """The fragment that replaces itself while the models make the first images; then the full page is loaded."""
    making = (
        None if summaries.playable().exists() else generation_progress.combined(generation_progress.of_all().values())
    )
    if making is None:
        return HttpResponseClientRefresh()
    return render(request, "arena/_making.html", {"making": making, "wait": request.path})


@require_safe
@cache_control(public=True, max_age=PUBLIC_SECONDS)  # it may show images
def card(request: HttpRequest) -> HttpResponse:
    """What a link to a page without a picture of its own shows where it is shared."""
    return HttpResponse(board.of_site(request.get_host()), content_type="image/jpeg")


@require_safe
@cached_page()
def methodology(request: HttpRequest) -> HttpResponse:
    example = standings.example()
    compared = example[1] if example else []
    context = {
        "example": example[0] if example else None,
        "compared": compared,
        "moved_by_order": methods.largest_difference(compared),
        "running_k": methods.K,
        "sides": Board.objects.exclude(side_effect=None).filter(side_effect_se__lt=1000).select_related("category"),
        "cap": {
            "days": caps.DAYS,
            "floor": vote_cap.FLOOR,
            "averages": vote_cap.AVERAGES,
            "share": 1 / vote_cap.SHARE,
            "ceiling": vote_cap.CEILING,
        },
        "min_seconds": settings.VOTE_MIN_SECONDS,
        "min_effective": intervals.MIN_EFFECTIVE,
        "of_three": intervals.least_effective(3),
        "min_anchor": intervals.MIN_ANCHOR,
        "min_verdict": verdict.MIN_EFFECTIVE,
        "max_mean_half_width": verdict.MAX_MEAN_HALF_WIDTH,
        "sure_enough": ranks.SURE_ENOUGH,
        "foreseeable": ranks.FORESEEABLE,
        "large": raw_votes.LARGE,
        "busy": BUSY_VOTES,
        "drift_days": drift_watch.RECENT.days,
        "drift_before": drift_watch.BEFORE.days,
        "check_share": matchmaking.CHECK_SHARE,
        "parity_margin": parity.MARGIN,
        "luck": [(n, ranks.expected_maximum(n)) for n in (3, 5, 10, 27)],
        "luck_votes": register.ENOUGH_VOTES,
        "mean": elo.MEAN,
        "scale": elo.SCALE,
        "draws": ranks.DRAWS,
        "rank_level": ranks.LEVEL,
        "recent_days": ratings.RECENT_DAYS,
        "slice_votes": overall.MIN_VOTES,
        "uniform_share": battle_shares.UNIFORM_SHARE,
        "largest_share": battle_shares.LARGEST_SHARE,
        "even_share": battle_shares.EVEN_SHARE,
        "newcomers_share": battle_shares.NEWCOMERS_SHARE,
        "lab_share": battle_shares.LAB_SHARE,
        "grown": battle_shares.GROWN,
        "boost": vote_worth.BOOST,
        "method_version": elo.METHOD_VERSION,
        "usable_votes": intervals.USABLE_VOTES,
        "usable_voters": intervals.USABLE_VOTERS,
        "usable_half_width": intervals.USABLE_HALF_WIDTH,
        "settled_half_width": intervals.SETTLED_HALF_WIDTH,
    }
    return render(request, "leaderboard/methodology.html", context)
