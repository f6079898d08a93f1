"""The board over all categories as a page: filtered, sorted and taken along as the boards of the categories are."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from leaderboard.board import ratings
from leaderboard.models import Board
from providers.models import Lab
from tests import factories as make
from tests.leaderboard.pages import names_in, text_of
from tests.leaderboard.voting import cast

pytestmark = pytest.mark.django_db

PAGE, FILE = "/leaderboard/overall/", "/leaderboard/overall.csv"


def two_boards():
    other = Lab.objects.create(slug="other-lab", name="Other lab")
    ash = make.make_model("ash", "Ash", licence="MIT", open_weights=True, released_on=date(2026, 1, 1))
    birch = make.make_model("birch", "Birch", licence="Proprietary", released_on=date(2025, 1, 1))
    cedar = make.make_model("cedar", "Cedar", lab=other)
    make.make_offering(ash, "simulated-fal", mode="edit", price=Decimal("0.01"))
    make.make_offering(ash, price=Decimal("0.09"))
    make.make_offering(birch, price=Decimal("0.05"))
    models = [ash, birch, cedar]
    strengths = {ash: -0.8, birch: 0.8, cedar: 0.0}
    for slug, mode in (("text-to-image", "text-to-image"), ("image-editing", "edit")):
        category = make.make_category(slug, mode)
        cast(category, models, 400, strengths=strengths)
        ratings.recompute(category)
    cedar.offerings.update(price=None)
    return models


@pytest.fixture(scope="module")
def shared_models(shared_rows):
    return shared_rows.make(two_boards)


@pytest.fixture
def models(shared_rows, shared_models):
    return shared_rows.lend(shared_models)


def rows_of(client, query=None):
    return list(csv.DictReader(io.StringIO(text_of(client.get(FILE, query or {})))))


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, ["birch", "cedar", "ash"]),
        ({"sort": "-rank"}, ["ash", "cedar", "birch"]),
        ({"sort": "price"}, ["ash", "birch", "cedar"]),  # the cheapest mode counts; unknown comes last
        ({"price": "0.02"}, ["ash"]),
        ({"lab": "other-lab"}, ["cedar"]),
        ({"licence": "MIT"}, ["ash"]),
        ({"weights": "closed"}, ["birch", "cedar"]),
        ({"provider": "simulated-fal"}, ["ash"]),
        ({"released": "2025-06-01"}, ["ash"]),
        ({"weights": "closed", "sort": "model"}, ["birch", "cedar"]),
        ({"weights": "open", "lab": "other-lab"}, []),
    ],
)
def test_it_is_filtered_and_sorted_and_its_csv_is_exactly_what_it_shows(client, models, query, shown):
    page, rows = text_of(client.get(PAGE, query)), rows_of(client, query)
    assert names_in(page) == [row["model"] for row in rows] == shown
    assert ("No model passes these filters" in page) == (not shown)
    assert ("Leave out “Of other-lab”</a>: 1 model passes." in page) == (not shown)
    whole = {row["model"]: row for row in rows_of(client)}
    assert rows == [whole[slug] for slug in shown]  # ranks and tiers are the whole board’s
    for word in query:
        assert f"{word}={query[word]}" in page  # the link to the file asks for the same


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"price": "-1"}, "not an amount"),
        ({"released": "soon"}, "not a date"),
        ({"lab": "nobody"}, "other-lab"),
        ({"sort": "zzz"}, "“zzz” is not what a board is sorted by"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_to_write_instead(client, models, query, says):
    page = text_of(client.get(PAGE, query), 400)
    assert says in page
    assert len(names_in(page)) == 3
    assert says in text_of(client.get(FILE, query), 400)
    (file,) = re.findall(rf'href="({re.escape(FILE)}[^"]*)"', page)
    assert file == FILE  # the link asks for what is shown, not for what was refused


def test_it_asks_as_much_as_before_when_there_is_more(client, models):
    client.get(PAGE)
    with CaptureQueriesContext(connection) as few:
        client.get(PAGE)
    for number in range(5):
        more = make.make_model(f"more-{number}")
        make.make_offering(more)
    with CaptureQueriesContext(connection) as many:
        client.get(PAGE, {"sort": "price"})
    assert len(many) <= len(few) <= 12


def test_without_two_boards_there_is_an_empty_file_and_a_page_that_says_why(client, models):
    Board.objects.filter(category__slug="image-editing").update(votes=0)
    assert "It takes two categories" in text_of(client.get(PAGE))
    assert rows_of(client) == []
