"""Every column of a board's CSV, from rows whose numbers all differ."""

from __future__ import annotations

import csv
import math
from datetime import date
from decimal import Decimal

from leaderboard.board.standings import Standing
from leaderboard.board_page.csv_export import board_csv
from leaderboard.board_page.filters import BoardRow
from leaderboard.models import Rating

RATED = Rating(
    elo=1043.25, lower=1030.5, upper=1058.125, rank=77, rank_low=2, rank_high=4, placed=9, tier=3, best=0.375
)
UNPLACED = Rating(elo=900, lower=-math.inf, upper=math.inf, rank_low=None, rank_high=None, tier=None, placed=9)
KITE = BoardRow(
    is_placed=True, slug="kite-1.5", name="Kite 1.5", elo=1043.25, votes=480, status="settled", best=0.375, lab="one",
    lab_name="Lab One", licence="MIT", open_weights=True, released_on=date(2026, 3, 4), keeper_rate=0.9,
    price=Decimal("0.034"), seconds=2.5, providers=("fal",), standing=Standing(RATED, 10),
)  # fmt: skip
REED = BoardRow(
    is_placed=False, slug="reed", name="=Reed", elo=900, votes=3, status="provisional", standing=Standing(UNPLACED, 10)
)


def test_each_number_stands_in_its_own_column():
    kite, reed = csv.DictReader(board_csv([KITE, REED]).splitlines())
    assert kite == {
        "rank": "2", "model": "kite-1.5", "elo": "1043.250000", "lower": "1030.500000", "upper": "1058.125000",
        "votes": "480", "status": "settled", "name": "Kite 1.5", "lab": "one", "tier": "3", "rank_low": "2",
        "rank_high": "4", "best": "0.3750", "keeper_rate": "0.9000", "price_usd": "0.034", "median_seconds": "2.500",
        "open_weights": "yes", "licence": "MIT", "released_on": "2026-03-04", "place": "2–4 of 9",
    }  # fmt: skip
    known = {"model": "reed", "elo": "900.000000", "votes": "3", "status": "provisional", "place": "not rated yet"}
    assert reed == dict.fromkeys(kite, "") | known | {"name": "'=Reed"}
