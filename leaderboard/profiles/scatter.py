"""Where a model stands on a board between Elo and cost, and between Elo and speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from arena.models import Category
from leaderboard.board.standings import Standing
from leaderboard.board_page import rows as listing
from leaderboard.board_page import scatter
from leaderboard.board_page.filters import BoardRow
from leaderboard.cache import MINUTE, get_or_compute, version
from providers.models import ImageModel


def rows(category: Category, board: Callable[[], Sequence[Standing]]) -> list[BoardRow]:
    """The board with prices and speeds, which may be a minute old; ratings are never older than the board."""
    return get_or_compute(
        "landscape", version(category), seconds=MINUTE, compute=lambda: listing.rows(board(), category.mode)
    )


def drawn(
    category: Category,
    image_model: ImageModel,
    board: Callable[[], Sequence[Standing]],
    unrated: scatter.UnratedModels,
) -> SafeString:
    """Both charts as HTML, this model marked in them. `board` is called only on a cache miss."""
    return get_or_compute(
        "landscape drawn",
        version(category),
        image_model.pk,
        unrated,
        seconds=MINUTE,
        compute=lambda: draw(scatter.of_rows(rows(category, board), image_model.pk, unrated=unrated)),
    )


def draw(pictures: scatter.Landscape) -> SafeString:
    context = {"cost": pictures.cost, "speed": pictures.speed}
    return render_to_string("leaderboard/charts/landscape.html", context)
