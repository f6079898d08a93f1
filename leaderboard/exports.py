"""Boards as files."""

from __future__ import annotations

import csv
import io

from arena.models import Category

from . import standings

COLUMNS = ("rank", "model", "elo", "lower", "upper", "votes", "status")


def board_csv(category: Category) -> str:
    """The category's board as CSV: Elo and its 95 % interval with six decimals."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for standing in standings.board(category):
        rating = standing.rating
        writer.writerow(
            [
                rating.rank,
                rating.image_model.export_name,
                f"{rating.elo:.6f}",
                f"{rating.lower:.6f}",
                f"{rating.upper:.6f}",
                rating.votes,
                rating.status,
            ]
        )
    return out.getvalue()
