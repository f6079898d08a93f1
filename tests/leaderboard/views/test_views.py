"""Boards, models and competitions as pages."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from decimal import Decimal

import pytest
from django.conf import settings

from arena import voting
from arena.imports.votes import load
from leaderboard.board import image_records, ratings
from tests import factories as make
from tests.leaderboard.pages import text_of

pytestmark = pytest.mark.django_db

VOTES = settings.BASE_DIR / "arena" / "demo" / "votes" / "votes-imagenhub-text-to-image.csv"


@pytest.fixture
def board():
    """A category with real imported votes."""
    category = make.make_category(
        "imagenhub", source_name="ImagenHub", source_url="https://example.org/hub", source_licence="MIT"
    )
    load.import_votes(VOTES.read_bytes(), category, "ImagenHub")
    ratings.recompute(category)
    return category


@pytest.mark.parametrize("address", ["/", "/leaderboard/", "/models/", "/methodology/"])
def test_every_page_stands_without_any_data(client, address):
    text_of(client.get(address))


def test_an_empty_board_says_how_to_fill_it(client):
    make.make_category()
    page = text_of(client.get("/leaderboard/text-to-image/"))
    assert "No ratings yet" in page


def test_a_board_shows_rank_elo_interval_votes_source_and_licence(client, board):
    page = text_of(client.get("/leaderboard/imagenhub/"))
    for piece in ("DALLE3", "1145", "3,546", "ImagenHub", "https://example.org/hub", "MIT", "/imagenhub.csv"):
        assert piece in page, piece


def test_the_head_to_head_on_a_board_is_what_its_votes_say(client, board):
    """Counted again here from the file, pair by pair, and read from the table's cells as a screen reader would."""
    won: Counter[tuple[str, str]] = Counter()
    met: Counter[tuple[str, str]] = Counter()
    for vote in csv.DictReader(io.StringIO(VOTES.read_text())):
        points = {"left": 1.0, "right": 0.0}.get(vote["outcome"], 0.5)
        for one, other, share in ((vote["left"], vote["right"], points), (vote["right"], vote["left"], 1 - points)):
            won[one, other] += share
            met[one, other] += 1
    page = text_of(client.get("/leaderboard/imagenhub/?sort=model"))
    table = re.search(r'<table class="heat">.*?</table>', page, re.DOTALL)[0]
    columns = re.findall(r'<th scope="col"><a href="[^"]+"[^>]*>([^<]+)', table)
    rows = re.findall(r'<th scope="row"><a href="[^"]+"[^>]*>([^<]+)</a></th>(.*?)</tr>', table, re.DOTALL)
    assert columns == [name for name, _ in rows] == sorted({name for pair in met for name in pair}, key=str.casefold)
    for name, cells in rows:
        shares = re.findall(r"<td[^>]*>([^<]*)</td>", cells)
        for other, share in zip(columns, shares, strict=True):
            expected = f"{won[name, other] / met[name, other] * 100:.0f}" if other != name else ""
            assert share.strip() == expected, (name, other)


def test_a_model_without_an_interval_stands_last_and_has_no_rank(client):
    """It won every vote, so no interval bounds it; the others beat each other both ways."""
    category = make.make_category()
    models = [make.make_model(name, name.title()) for name in ("winner", "second", "third")]
    prompt = make.make_prompt(make.make_competition(category))
    entries = [make.make_entry(prompt, model) for model in models]
    for left, right, outcomes in ((0, 1, ("left",)), (1, 2, ("left", "left", "right"))):
        for outcome in outcomes:
            voting.cast_vote(make.make_battle(left=entries[left], right=entries[right]), outcome)
    ratings.recompute(category)
    page = text_of(client.get("/leaderboard/text-to-image/"))
    table = re.search(r'<table class="rank-table.*', page, re.DOTALL)[0]
    names = re.findall(r'<th scope="row" class="col-model">\s*<a href="[^"]+" dir="auto">([^<]+)', table)
    assert names == ["Second", "Third", "Winner"]
    assert table.rindex("No place yet") < table.rindex('href="/models/winner/"')


def test_columns_of_which_nothing_is_known_are_not_shown(client, board):
    page = text_of(client.get("/leaderboard/imagenhub/"))
    assert 'class="rank-table no-keeper no-price no-seconds no-licence"' in page


def test_going_to_another_board_of_the_category_keeps_filters_and_order(client, board):
    page = text_of(client.get("/leaderboard/imagenhub/?sort=-elo&status=sure&price=1"))
    form = re.search(r'<form class="toolbar".*?</form>', page, re.DOTALL)[0]
    assert '<input type="hidden" name="sort" value="-elo">' in form
    assert 'href="?sort=-elo">show all' in form  # the order is no filter
    assert 'imagenhub.csv?price=1&amp;status=sure&amp;sort=-elo"' in page


def test_the_csv_is_the_board(client, board):
    response = client.get("/leaderboard/imagenhub.csv")
    assert response["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(text_of(response))))
    assert list(rows[0])[:7] == ["rank", "model", "elo", "lower", "upper", "votes", "status"]
    assert (rows[0]["model"], rows[0]["rank"], rows[0]["elo"][:8]) == ("DALLE3", "1", "1145.229")
    assert all(len(row[column].split(".")[1]) == 6 for row in rows for column in ("elo", "lower", "upper"))


def test_addresses_with_dots_work_and_unknown_ones_are_404(client):
    model = make.make_model("flux.2-klein-9b", "FLUX.2 [klein] 9B", origin="catalog")
    assert model.name in text_of(client.get("/models/flux.2-klein-9b/"))
    for address in ("models/none/", "leaderboard/none/", "leaderboard/none.csv", "competitions/none/", "models/FLUX/"):
        assert client.get(f"/{address}").status_code == 404


def test_a_model_page_gives_rank_elo_price_and_images(client):
    entry = make.make_entry()
    other = make.make_entry(entry.prompt)
    voting.cast_vote(make.make_battle(left=entry, right=other), "left")
    voting.cast_vote(make.make_battle(left=entry, right=other), "right")
    ratings.recompute(entry.prompt.competition.category)
    image_records.recount(entry.prompt.competition.category)
    entry.image_model.offerings.update(price=Decimal("0.006"), price_estimated=True)
    page = text_of(client.get(entry.image_model.get_absolute_url()))
    for piece in ("#1", "1000", "$0.006", "estimated", "sample", entry.thumbnail.name, "1 blind-vote competition"):
        assert piece.lower() in page.lower(), piece


def test_a_model_without_anything_says_so_honestly(client):
    model = make.make_model("lonely", origin="catalog", lab=make.Lab.objects.create(slug="a-lab", name="A lab"))
    page = text_of(client.get(model.get_absolute_url()))
    assert "sample" not in page.lower()
    assert "$" not in page


def test_the_list_of_models_can_be_searched(client):
    make.make_model("flux.2-pro", "FLUX.2 [pro]", origin="catalog")
    make.make_model("gpt-image-2", "GPT Image 2", origin="catalog")
    page = text_of(client.get("/models/", {"q": "flux"}))
    assert "FLUX.2 [pro]" in page
    assert "GPT Image 2" not in page
    assert "zzz" in text_of(client.get("/models/", {"q": "zzz<script>"}))


def test_a_competition_shows_prompt_criterion_entries_and_records(client):
    entry = make.make_entry()
    other = make.make_entry(entry.prompt)
    voting.cast_vote(make.make_battle(left=entry, right=other), "left")
    competition = entry.prompt.competition
    page = text_of(client.get(competition.get_absolute_url()))
    for piece in (entry.prompt.text, competition.criterion, entry.thumbnail.name, other.image_model.name, "/arena/"):
        assert piece in page, piece


def test_a_real_models_name_on_a_simulated_image_is_labelled_wherever_it_stands(client):
    model = make.make_model("real-one", "Real One", origin="catalog")
    entry = make.make_entry(image_model=model)  # its call went to a simulated provider
    other = make.make_entry(entry.prompt)
    battle = make.make_battle(left=entry, right=other)
    make.sign_in(client, battle.voter)
    reveal = client.post(f"/battles/{battle.pk}/vote/", {"outcome": "left"}, headers={"HX-Request": "true"})
    assert text_of(reveal).count("simulated image") == 1
    address = model.get_absolute_url()
    for path in (address, f"{address}images/", entry.prompt.competition.get_absolute_url()):
        page = text_of(client.get(path))
        assert page.count(">simulated image<") == page.count(entry.thumbnail.name) > 0, path


def test_an_unpublished_competition_is_not_there(client):
    hidden = make.make_competition(is_published=False)
    assert client.get(hidden.get_absolute_url()).status_code == 404
    assert hidden.title not in text_of(client.get("/leaderboard/"))


def test_health(client):
    assert client.get("/healthz").content == b"ok"
    parts = client.get("/readyz").json()
    assert {name: parts[name] for name in ("database", "broker", "store", "ratings")} == dict.fromkeys(
        ("database", "broker", "store", "ratings"), "ok"
    )


def test_readiness_names_the_part_that_fails(client, settings):
    settings.REDIS_URL = "unix:///nowhere/valkey.sock"
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json()["database"] == "ok"
    assert "does not answer" in response.json()["broker"]


def test_the_methodology_shows_its_constants_and_the_same_votes_rated_three_ways(client, board):
    page = text_of(client.get("/methodology/"))
    for piece in ("first c in any 90 days count", "fewer than 30 voters", "Running Elo", "1145", "25% of the battles"):
        assert piece in page, piece
    assert "Left and right" in page
