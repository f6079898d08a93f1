"""Boards as files."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from math import isfinite

from leaderboard.board_page.filters import BoardRow
from providers.web.spreadsheets import safe_cell

# The first seven stay what they are: other people's programs read them. `rank` is the better end of the place, as
# `rank_low`: a rank of its own, from intervals that do not overlap, was wrong on one in four boards of equal models.
COLUMNS = (
    "rank", "model", "elo", "lower", "upper", "votes", "status",
    "name", "lab", "tier", "rank_low", "rank_high", "best", "keeper_rate", "price_usd", "median_seconds",
    "open_weights", "licence", "released_on", "place",
)  # fmt: skip


def board_csv(rows: Iterable[BoardRow]) -> str:
    """These rows of a board as CSV, in their order: Elo and its 95 % interval with six decimals, unknown as nothing."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        rating, place = row.standing.rating, row.standing.place
        writer.writerow(
            [
                place.low,
                safe_cell(row.slug),
                f"{rating.elo:.6f}",
                _bound(rating.lower),
                _bound(rating.upper),
                row.votes,
                row.status,
                safe_cell(row.name),
                safe_cell(row.lab),
                rating.tier if place.is_known else "",
                place.low,
                place.high,
                f"{row.best:.4f}" if place.is_known else "",
                "" if row.keeper_rate is None else f"{row.keeper_rate:.4f}",
                "" if row.price is None else f"{row.price:f}",
                "" if row.seconds is None else f"{row.seconds:.3f}",
                "yes" if row.open_weights else "",
                safe_cell(row.licence),
                row.released_on or "",
                str(place),
            ]
        )
    return out.getvalue()


def _bound(elo: float) -> str:
    return f"{elo:.6f}" if isfinite(elo) else ""
