"""Where a model stands on a board between Elo and cost, and between Elo and speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from arena.models import Category
from leaderboard.board.standings import Standing
from leaderboard.board_page import rows as listing
from leaderboard.board_page import scatter
from leaderboard.board_page.filters import BoardRow
from leaderboard.cache import MINUTE, get_or_compute, put, version
from leaderboard.chooser import catalogue
from leaderboard.model_facts import price_and_speed
from providers.models import ImageModel


def rows(category: Category, board: Callable[[], Sequence[Standing]]) -> list[BoardRow]:
    """The board with prices and speeds, which may be a minute old; ratings are never older than the board.

    The query that finds them finds the catalogue's, too, so `catalogue.ranks` has them afterwards.
    """
    return get_or_compute("landscape", version(category), seconds=MINUTE, compute=lambda: _rows(category, board()))


def _rows(category: Category, standings: Sequence[Standing]) -> list[BoardRow]:
    rated = [standing.rating.image_model_id for standing in standings]
    known, models, facts = price_and_speed.of_board_and_catalog(rated, category.mode)
    put(catalogue.ranked(models, facts), catalogue.RANKS, category.mode, seconds=catalogue.RANKS_SECONDS)
    return listing.rows(standings, category.mode, known)


def drawn(
    category: Category,
    image_model: ImageModel,
    board: Callable[[], Sequence[Standing]],
    unrated: scatter.UnratedModels,
) -> SafeString:
    """Both charts as HTML in the active language, this model marked in them. `board` is called only on a cache miss."""
    return get_or_compute(
        "landscape drawn",
        version(category),
        image_model.pk,
        unrated,
        get_language(),
        seconds=MINUTE,
        compute=lambda: draw(scatter.of_rows(rows(category, board), image_model.pk, unrated=unrated)),
    )


def draw(pictures: scatter.Landscape) -> SafeString:
    context = {"cost": pictures.cost, "speed": pictures.speed}
    return render_to_string("leaderboard/charts/landscape.html", context)
