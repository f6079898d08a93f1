"""The arena's numbers for programs: every endpoint against its own OpenAPI file, and against the pages."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import jsonschema_rs
import pytest
from django.test import Client
from django.utils import timezone

from arena import voters
from leaderboard.api import openapi
from leaderboard.board import image_records, ratings, snapshots
from tests import factories as make
from tests.leaderboard.voting import cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("category")]


def rated_category():
    category = make.make_category()
    models = [make.make_model(f"bird-{n}", f"Bird {n}") for n in range(4)]
    for number, model in enumerate(models[:3]):
        make.make_offering(model, "simulated-openai", price=f"0.0{number + 1}")
    cast(category, models, 300, strengths=dict.fromkeys(models, 0.0) | {models[0]: 1.0}, tags=["birds"])
    ratings.recompute(category)
    image_records.recount_moved()
    snapshots.take(category)
    return category


@pytest.fixture(scope="module")
def shared_category(shared_rows):
    return shared_rows.make(rated_category)


@pytest.fixture
def category(shared_rows, shared_category):
    return shared_rows.lend(shared_category)


def get(path: str, status: int = 200, client: Client | None = None, **headers: str):
    response = (client or Client()).get(f"/api/v1/{path}", headers=headers)
    assert response.status_code == status, response.content
    assert response["Access-Control-Allow-Origin"] == "*"
    return response.json()


def schema_of(path: str, status: str = "200") -> dict[str, Any]:
    document = openapi.document("https://arena.example")
    answer = document["paths"][f"/{path}"]["get"]["responses"][status]
    schema: dict[str, Any] = answer["content"]["application/json"]["schema"]
    return schema | {"components": document["components"]}


def examples(category) -> dict[str, str]:
    """A URL with rows for each path of the file."""
    prompt = category.competitions.get().prompts.get()
    ids = {
        "leaderboards/{id}/": category.slug,
        "models/{id}/": "bird-0",
        "competitions/{id}/": prompt.competition.slug,
        "prompts/{id}/": prompt.pk,
        "snapshots/{id}/": category.snapshots.get().pk,
    }
    return {path: path.replace("{id}", str(ids.get(path, ""))) for path in openapi.ENDPOINTS}


def test_every_endpoint_returns_what_the_openapi_file_says(category):
    document = get("openapi.json")
    assert [path.removeprefix("/") for path in document["paths"]] == list(openapi.ENDPOINTS)
    for path, url in examples(category).items():
        answer = get(url)
        jsonschema_rs.validator_for(schema_of(path)).validate(answer)
        _nothing_more(schema_of(path), answer, path)
        rows = answer.get("data", answer.get("standings"))
        assert rows or rows is None or path in ("leaderboards/overall/",), path


def _nothing_more(schema: dict[str, Any], value, path: str, components=None) -> None:
    """No field that the file does not describe."""
    components = components or schema["components"]["schemas"]
    if "$ref" in schema:
        schema = components[schema["$ref"].rpartition("/")[2]]
    if isinstance(value, dict) and "properties" in schema:
        assert set(value) == set(schema["properties"]), path
        for name, part in value.items():
            _nothing_more(schema["properties"][name], part, f"{path}.{name}", components)
    if isinstance(value, list) and "items" in schema:
        for part in value:
            _nothing_more(schema["items"], part, path, components)


def test_a_board_has_the_rows_of_its_csv_with_places_and_intervals(category):
    board = get(f"leaderboards/{category.slug}/")
    rows = list(csv.DictReader(io.StringIO(Client().get(f"/leaderboard/{category.slug}.csv").content.decode())))
    assert [row["model"] for row in board["standings"]] == [row["model"] for row in rows]
    for row, line in zip(board["standings"], rows, strict=True):
        assert row["place"]["text"] == line["place"]
        assert [f"{row[name]:.6f}" for name in ("elo", "lower", "upper")] == [
            line[name] for name in ("elo", "lower", "upper")
        ]
        assert (str(row["votes"]), row["status"]) == (line["votes"], line["status"])
        assert "rank" not in row
    assert board["votes"] == 300
    assert board["verdict"]["claim"]


def test_a_board_is_filtered_as_its_page_is(category):
    cheap = get(f"leaderboards/{category.slug}/?q=Bird+0")
    assert [row["model"] for row in cheap["standings"]] == ["bird-0"]
    assert cheap["models"] == 4
    assert cheap["standings"][0]["place"]["of"] == 4
    error = get(f"leaderboards/{category.slug}/?price=cheap", 400)["error"]
    assert (error["code"], error["param"]) == ("invalid_parameter", "price")
    jsonschema_rs.validator_for(schema_of("leaderboards/{id}/", "400")).validate({"error": error})


def test_a_model_that_lost_every_vote_has_null_bounds_and_no_place(category):
    other = make.make_category("other", name="Other")
    models = [make.make_model(f"fish-{n}") for n in range(3)]
    cast(other, models, 60, strengths=dict.fromkeys(models, 0.0) | {models[2]: -50.0})
    ratings.recompute(other)
    text = Client().get("/api/v1/leaderboards/other/").content.decode()
    assert "Infinity" not in text
    last = json.loads(text)["standings"][-1]
    if last["lower"] is None:
        assert (last["place"]["low"], last["tier"]) == (None, None)


@pytest.mark.parametrize("path", ["models/", "offerings/", "snapshots/", "competitions/", "prompts/"])
def test_a_list_is_paged_without_repeats_or_holes(category, path):
    for _ in range(3):
        prompt = make.make_prompt(make.make_competition(category))
        make.make_offering(make.make_model(), "simulated-openai")
        assert prompt
    snapshots.take(category)
    whole = get(f"{path}?limit=200")["data"]
    url, ids = f"{path}?limit=2", []
    while url:
        page = get(url)
        assert len(page["data"]) <= 2
        ids += [row["id"] for row in page["data"]]
        assert page["has_more"] == bool(page["next"])
        parts = urlsplit(page["next"] or "")
        url = f"{parts.path.removeprefix('/api/v1/')}?{parts.query}" if page["next"] else ""
    assert ids == [row["id"] for row in whole]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(
    ("url", "param"),
    [
        ("models/?limit=0", "limit"), ("models/?limit=201", "limit"), ("models/?limit=x", "limit"),
        ("models/?limit=%D9%A3", "limit"), ("offerings/?cursor=x", "cursor"), ("offerings/?cursor=%FF", "cursor"),
        ("models/?cursor=AA", "cursor"), ("snapshots/?cursor=LTE", "cursor"), ("models/?origin=x", "origin"),
        ("offerings/?mode=x", "mode"), ("competitions/?state=x", "state"), ("models/?kind=x", "kind"),
        ("statistics/?limit=1", "limit"),
    ],
)  # fmt: skip
def test_what_cannot_be_used_is_an_error_that_names_it(url, param):
    error = get(url, 400)["error"]
    assert error["param"] == param


@pytest.mark.parametrize(
    "url",
    [
        "leaderboards/x/", "models/x/", "models/a%0Ab/", "competitions/x/", "prompts/9999999/", "snapshots/9999999/",
        "x", "%0A",
    ],
)  # fmt: skip
def test_what_is_not_there_is_a_404_in_json(url):
    assert get(url, 404)["error"]["code"] == "not_found"


def test_other_methods_and_preflights():
    for url in ("/api/v1/models/", "/api/v1/nothing", "/api/v1/models"):
        refused = Client(enforce_csrf_checks=True).post(url)
        assert (refused.status_code, refused.json()["error"]["code"]) == (405, "method_not_allowed")
        assert refused["Access-Control-Allow-Origin"] == "*"
    preflight = Client().options("/api/v1/models/", headers={"Origin": "https://other.example"})
    assert (preflight.status_code, preflight["Access-Control-Allow-Origin"]) == (204, "*")
    assert Client().head("/api/v1/models/").content == b""


def test_a_url_without_its_last_slash_leads_to_the_one_with_it():
    moved = Client().get("/api/v1/models?limit=1")
    assert (moved.status_code, moved["Location"]) == (301, "/api/v1/models/?limit=1")
    assert moved["Access-Control-Allow-Origin"] == "*"  # else programs in browsers may not follow


def test_nothing_new_is_a_304(category):
    first = Client().get(f"/api/v1/leaderboards/{category.slug}/")
    again = Client().get(f"/api/v1/leaderboards/{category.slug}/", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert "max-age=0" in first["Cache-Control"]


def test_what_has_not_opened_is_announced_without_its_prompts(category):
    later = make.make_competition(category, opens_at=timezone.now() + timedelta(days=1), slug="later")
    draft = make.make_competition(category, is_published=False, slug="draft")
    hidden = [make.make_prompt(competition, "A secret heron") for competition in (later, draft)]
    assert get("competitions/later/")["state"] == "announced"
    get("competitions/draft/", 404)
    for prompt in hidden:
        get(f"prompts/{prompt.pk}/", 404)
    for url in ("prompts/", "prompts/?competition=later", "competitions/", "statistics/"):
        assert "secret heron" not in json.dumps(get(url)), url
    assert [row["id"] for row in get("prompts/?competition=later")["data"]] == []


def test_a_voter_who_is_asked_about_a_prompt_sees_none_of_its_images(category):
    prompt = category.competitions.get().prompts.get()
    assert len(get(f"prompts/{prompt.pk}/")["images"]) == 4
    voter = make.make_voter()
    entries = list(prompt.entries.all()[:2])
    make.make_battle(left=entries[0], right=entries[1], voter=voter)
    client = Client()
    client.cookies[voters.COOKIE] = make.cookie_of(voter)
    blind = get(f"prompts/{prompt.pk}/", client=client)
    assert (blind["images"], blind["hidden"]) == ([], True)
    assert "bird-" not in json.dumps(blind)
