"""Every number of a board, in each place that shows it: against the row it comes from, in literal units.

Half of what a page can get wrong is a sign, a swapped column, a place counted from nought, a factor of a hundred.
"""

from __future__ import annotations

import csv
import html
import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import F

from arena.models import Vote
from leaderboard.board import ratings, standings
from leaderboard.models import Rating, RecentRating
from leaderboard.social_cards import model as model_card
from providers.models import Offering
from providers.performance import percentiles, summaries
from tests import factories as make
from tests.leaderboard.voting import cast

pytestmark = pytest.mark.django_db
URL = "/leaderboard/text-to-image/"


@pytest.fixture
def board(client):
    """Four models of clearly different strength, one with a price of 3.4 cents and 2.5 seconds an image."""
    models = [make.make_model(f"bird-{n}", f"Bird {n}", origin="catalog") for n in range(4)]
    category = make.make_category()
    cast(category, models, 500, strengths={model: 1.1 * n for n, model in enumerate(models)})
    sold = Offering.objects.get(image_model=models[2])
    Offering.objects.update(price=None)
    Offering.objects.filter(pk=sold.pk).update(price=Decimal("0.034"))
    for _ in range(percentiles.SAMPLES_FOR_P50):
        make.make_call(sold, duration=timedelta(seconds=2.5), ttfb=timedelta(seconds=0.5))
    summaries.compute()
    ratings.recompute(category)
    # Uneven halves, so that the wider one differs from the narrower and from the mean.
    Rating.objects.update(both_bad=F("votes") / 7, lower=F("lower") - 9)
    return category


def margin(row: Rating | RecentRating) -> str:
    """The ± of an interval: its wider half."""
    return f"±{max(row.upper - row.elo, row.elo - row.lower):.0f}"


def rows_of(category) -> list[Rating | RecentRating]:
    rows = [standing.rating for standing in standings.board(category)]
    assert [row.image_model.name for row in rows] == ["Bird 3", "Bird 2", "Bird 1", "Bird 0"]
    assert all(row.lower < row.elo - 5 < row.elo + 5 < row.upper for row in rows)
    return rows


def text_of(cell: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", cell)).split())


def cells_of(page: str, name: str) -> dict[str, str]:
    """Class → cell of the table's row of a model."""
    (row,) = (row for row in re.findall(r'<tr class="row.*?</tr>', page, re.S) if f">{name}</a>" in row)
    return dict(re.findall(r'<t[dh][^>]*class="(?:number )?col-(\w+)"[^>]*>(.*?)</t[dh]>', row, re.S))


def test_a_boards_table(client, board):
    page = client.get(URL).content.decode()
    axis = re.search(r'"axis">\s*<span>(\d+)</span>.*?<span>(\d+)</span>\s*</span>', page, re.S)
    low, high = int(axis[1]), int(axis[2])
    for place, row in enumerate(rows_of(board), 1):
        cells = cells_of(page, row.image_model.name)
        assert row.rank == place
        assert text_of(cells["place"]).startswith(("1st", f"{row.place.low}"))
        assert row.place.low <= place <= row.place.high
        assert text_of(cells["elo"]) == f"{row.elo:.0f} {margin(row)}"
        assert f'aria-label="{row.lower:.0f} to {row.upper:.0f}"' in cells["interval"]
        start, width, point = (
            float(re.search(rf'class="{part}".*?{side}="([\d.]+)%"', cells["interval"], re.S)[1])
            for part, side in (("range", "x"), ("range", "width"), ("point", "x"))
        )
        assert start == pytest.approx(100 * (row.lower - low) / (high - low), abs=1)
        assert start + width == pytest.approx(100 * (row.upper - low) / (high - low), abs=1)
        assert point == pytest.approx(100 * (row.elo - low) / (high - low), abs=1)
        shown = Vote.objects.filter(left_model=row.image_model) | Vote.objects.filter(right_model=row.image_model)
        assert text_of(cells["votes"]) == f"{shown.count():,}" == f"{row.votes:,}"
        assert text_of(cells["keeper"]) == f"{100 * (1 - row.both_bad / row.votes):.0f}%"
        is_sold = row.image_model.slug == "bird-2"
        assert text_of(cells["price"]) == ("$0.034" if is_sold else "–")
        assert text_of(cells["seconds"]) == ("2.5" if is_sold else "–")


def test_a_boards_csv(client, board):
    lines = list(csv.DictReader(client.get("/leaderboard/text-to-image.csv").content.decode().splitlines()))
    assert [line["model"] for line in lines] == ["bird-3", "bird-2", "bird-1", "bird-0"]
    for line, row in zip(lines, rows_of(board), strict=True):
        numbers = {"rank": row.rank, "votes": row.votes, "rank_low": row.place.low, "rank_high": row.place.high}
        assert {name: int(line[name]) for name in numbers} == numbers
        elos = {"elo": row.elo, "lower": row.lower, "upper": row.upper}
        assert {name: line[name] for name in elos} == {name: f"{elo:.6f}" for name, elo in elos.items()}
        assert line["best"] == f"{row.best:.4f}"
        assert line["keeper_rate"] == f"{1 - row.both_bad / row.votes:.4f}"
        assert line["place"] == str(row.place)
        assert line["name"] == row.image_model.name
    sold = lines[1]
    assert (Decimal(sold["price_usd"]), sold["median_seconds"]) == (Decimal("0.034"), "2.500")
    assert {(line["price_usd"], line["median_seconds"]) for line in lines if line is not sold} == {("", "")}


def test_json_ld_of_board_and_model(client, board):
    def things(url):
        return [
            thing
            for block in re.findall(r"<script type=\"application/ld\+json\"[^>]*>(.*?)</script>",
                                    client.get(url).content.decode(), re.S)
            for thing in json.loads(block)["@graph"]
        ]  # fmt: skip

    (listed,) = (thing for thing in things(URL) if thing["@type"] == "ItemList")
    assert [(item["name"], item["description"]) for item in listed["itemListElement"]] == [
        (row.image_model.name, f"{row.place}, Elo {row.elo:.0f} {margin(row)}") for row in rows_of(board)
    ]
    (software,) = (thing for thing in things("/models/bird-2/") if thing["@type"] == "SoftwareApplication")
    assert (Decimal(software["offers"]["price"]), software["offers"]["priceCurrency"]) == (Decimal("0.034"), "USD")


def test_a_models_card(board):
    row = rows_of(board)[1]
    facts = dict(model_card._facts(row.image_model, model_card.model.places_of(row.image_model)))
    assert facts == {"Text to image": str(row.place), "Elo": f"{row.elo:.0f} {margin(row)}", "From": "$0.034"}
