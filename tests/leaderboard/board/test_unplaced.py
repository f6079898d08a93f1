"""A model without an interval has no rank, and no infinity stands in any output."""

from __future__ import annotations

import csv
import io
import re
from random import Random

import pytest

from arena.imports.votes import load
from leaderboard.board import ratings, snapshots
from leaderboard.models import Board
from providers.models import ImageModel
from tests import factories as make

pytestmark = pytest.mark.django_db


def board_that_never_wins():
    """Four models that beat each other, one that lost all its 200 votes, and two that met nobody else."""
    random, names, lines = Random(1), ["Ash", "Birch", "Cedar", "Dogwood"], []
    for number in range(400):
        left, right = random.sample(names, 2)
        lines.append(f"v{number % 30},p{number % 20},{left},{right},{random.choice(['left', 'right', 'tie'])}")
    for number in range(200):
        lines.append(f"v{number % 30},p{number % 20},{names[number % 4]},Nettle,left")
    for number in range(30):
        lines.append(f"v{number},p{number % 20},Reed,Sedge,{'left' if number % 2 else 'right'}")
    return ("voter,prompt,left,right,outcome\n" + "\n".join(lines) + "\n").encode()


@pytest.fixture
def category():
    category = make.make_category("study")
    load.import_votes(board_that_never_wins(), category, "A study")
    assert ratings.recompute(category)
    return category


def test_what_is_unknown_has_no_value_in_any_output(client, category):
    unplaced = {"Nettle", "Reed", "Sedge"}
    rows = {row["model"]: row for row in csv.DictReader(io.StringIO(text(client, "/leaderboard/study.csv")))}
    assert {name for name, row in rows.items() if row["rank"] == ""} == unplaced
    for name in unplaced:
        row = rows[name]
        assert [row[column] for column in ("rank", "lower", "upper", "rank_low", "rank_high", "best", "tier")] == [
            ""
        ] * 7
        assert (row["status"], row["place"]) == ("provisional", "not rated yet")
    for name in rows.keys() - unplaced:
        assert re.fullmatch(r"(tied )?\d–\d of 4|\d of 4|first of 4 .*", rows[name]["place"])
    taken = snapshots.take(category)
    for row in taken.ratings:
        assert (row["rank"] is None) == (row["model"] in unplaced)
    for name in unplaced:
        rating = category.ratings.get(image_model=model(name))
        assert (rating.rank, rating.rank_low, rating.rank_high, rating.tier) == (None, None, None, None)
    outputs = ["/leaderboard/study/", "/leaderboard/study.csv", "/leaderboard/", f"/snapshots/{taken.pk}/"]
    outputs += [f"/snapshots/{taken.pk}.csv", *(model(name).get_absolute_url() for name in unplaced)]
    for url in outputs:
        page = text(client, url)
        assert not re.search(r"\binf\b|∞|Infinity|\bnan\b|None", page), url
        assert "#1 of" not in page, url


def test_a_model_without_a_place_is_said_to_have_votes_and_no_elo(client, category):
    nettle = model("Nettle")
    own = make.make_category("garden")
    load.import_votes(b"voter,prompt,left,right,outcome\nv,p,Nettle,Ash,right\n", own, "A garden")
    type(own).objects.filter(pk=own.pk).update(source_name="")  # votes cast here
    ratings.recompute(own)
    elo = f"{category.ratings.get(image_model=nettle).elo:.0f}"
    page, markdown = text(client, nettle.get_absolute_url()), text(client, f"/models/{nettle.slug}.md")
    assert "No place in garden yet, after 1 vote." in page
    assert "Nobody has rated it" not in page
    assert "1 vote in Garden, 200 votes in Study" in page
    assert "imported votes" not in page.partition("benchmarks")[2].partition("</section>")[0]
    assert "- Study: not rated yet, 200 votes" in markdown
    for url in (nettle.get_absolute_url(), f"/models/{nettle.slug}.md", "/models/", "/search/?q=Nettle"):
        assert not re.search(rf"Elo\s+{elo}\b", text(client, url)), url


def test_models_that_stand_apart_are_named(category):
    apart = Board.objects.get().finding["apart"]
    assert [{ImageModel.objects.get(pk=pk).export_name for pk in group} for group in apart] == [{"Reed", "Sedge"}]


def text(client, url):
    response = client.get(url)
    assert response.status_code == 200, url
    return response.content.decode()


def model(name):
    return next(model for model in ImageModel.objects.all() if model.export_name == name)
