"""The ratings that the gateway chooses a model by when it is asked for “auto”."""

from __future__ import annotations

from arena.models import Category
from leaderboard.board import standings
from providers.gateway.auto_model import RatedBoard, RatedModel


class BoardRatings:
    """Boards as `providers.gateway.auto_model.Ratings`."""

    def board(self, mode: str, category: str) -> RatedBoard | None:
        """The board named `category`; with "" the one of votes cast here for `mode` that comes first on the site.

        None where there is none or nobody is rated on it.
        """
        categories = Category.objects.filter(mode=mode).select_related("board").order_by("position", "name")
        named = categories.filter(slug=category) if category else categories.filter(source_name="")
        for row in named:
            rated = tuple(
                RatedModel(
                    slug=standing.rating.image_model.slug,
                    elo=standing.rating.elo,
                    lower=standing.rating.lower,
                    upper=standing.rating.upper,
                    place=str(standing.place),
                    first_place=standing.place.low,
                    is_provisional=standing.rating.status == "provisional",
                )
                for standing in standings.board(row)
                if standing.place.low is not None
            )
            if rated:
                return RatedBoard(row.slug, row.name, row.board.votes, rated)
        return None
