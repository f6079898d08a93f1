"""Where a model stands on a board between Elo and cost, and between Elo and speed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from arena.models import Category
from leaderboard import landscape, listing
from leaderboard.filters import Row
from leaderboard.kept import MINUTE, kept, version
from leaderboard.standings import Standing
from providers.models import ImageModel

_BETTER = "Up and to the left is better. The dashed line joins the models that no other model beats on both."


def rows(category: Category, board: Callable[[], Sequence[Standing]]) -> list[Row]:
    """The board with prices and speeds, which may be a minute old; ratings are never older than the board."""
    return kept("landscape", version(category), seconds=MINUTE, make=lambda: listing.rows(board(), category.mode))


def drawn(category: Category, image_model: ImageModel, board: Callable[[], Sequence[Standing]]) -> SafeString:
    """Both charts as HTML, this model marked in them. `board` is asked only if nothing is kept."""
    return kept(
        "landscape drawn",
        version(category),
        image_model.pk,
        seconds=MINUTE,
        make=lambda: draw(landscape.of_rows(rows(category, board), image_model.pk)),
    )


def draw(pictures: landscape.Landscape) -> SafeString:
    context = {"cost": pictures.cost, "speed": pictures.speed, "lead": _BETTER}
    return render_to_string("leaderboard/charts/landscape.html", context)
