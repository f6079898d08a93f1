"""No text of a translated page is left in English: each page in a language made of all texts there are."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from django.test import Client

from arena.models import Battle, Competition, Prompt
from leaderboard.board import snapshots
from providers.models import ImageModel, Offering
from tests import factories as make
from tests import pseudo_language

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("right_to_left")]

ARENA = "/arena/text-to-image/"
HTMX = {"headers": {"HX-Request": "true"}}


@pytest.fixture
def reader(client: Client) -> Client:
    """A browser whose reader has chosen the language."""
    client.cookies["language"] = pseudo_language.CODE
    return client


@pytest.fixture
def category():
    return make.make_fifty_pairs()


def english(response, status: int = 200) -> list[str]:
    assert response.status_code == status
    return pseudo_language.english(response)


def test_the_check_finds_a_text_that_no_translation_reaches():
    page = '<p title="[אב]">[אב] 3</p><img alt="Image A"><p>Nothing <b>here</b></p>'
    assert pseudo_language.untranslated(page) == ["Image A", "Nothing", "here"]


def test_every_state_of_a_pair(reader, category):
    url = make.battle_url(reader.get(ARENA))
    assert english(reader.get(url)) == []
    assert b'action="/language/"' in reader.get(url).content  # a page without a foot has the switch in its settings
    assert english(reader.get(f"{url}report/")) == []
    assert english(reader.post(f"{url}report/", {"side": "left"}), 400) == []
    assert english(reader.post(f"{url}vote/", {"outcome": "left"}, **HTMX)) == []
    assert english(reader.post(f"{url}vote/", {"outcome": "right"}, **HTMX), 409) == []
    assert english(reader.get(url)) == []
    url = make.battle_url(reader.get(ARENA))
    reader.post(f"{url}skip/")
    assert english(reader.get(url)) == []
    url = make.battle_url(reader.get(ARENA))
    reader.post(f"{url}report/", {"side": "left", "reason": "broken"})
    assert english(reader.get(url)) == []
    url = make.battle_url(reader.get(ARENA))
    Battle.objects.filter(vote=None, skipped_at=None).update(
        served_at="2024-01-01T00:00Z", expires_at="2024-01-02T00:00Z"
    )
    assert english(reader.get(url)) == []


def test_what_others_think_round_and_own_ranking(reader, category):
    make.rate(category)
    assert english(reader.get(f"{ARENA}mine/")) == []
    for number in range(20):
        url = make.battle_url(reader.get(ARENA))
        outcome = ("left", "right", "tie", "both_bad", "left")[number % 5]
        assert english(reader.post(f"{url}vote/", {"outcome": outcome}, **HTMX)) == []
        if number % 5 == 4:
            assert english(reader.get(f"{ARENA}rounds/{number // 5 + 1}/")) == []
    assert english(reader.get(f"{ARENA}mine/")) == []
    shared = reader.post(f"{ARENA}mine/share/")["Location"]
    assert english(reader.get(shared)) == []
    link = reader.post(f"{url}share/")["Location"]
    stranger = Client()
    stranger.cookies["language"] = pseudo_language.CODE
    pair = stranger.get(link, follow=True)
    assert english(pair) == []
    stranger.post(pair.redirect_chain[0][0], {"outcome": "tie"})
    assert english(stranger.get(pair.redirect_chain[0][0])) == []


def test_home_and_privacy(reader, category):
    assert english(reader.get("/")) == []
    for number, offering in enumerate(Offering.objects.all()):
        Offering.objects.filter(pk=offering.pk).update(price=Decimal(number + 1) / 100)
    make.rate(category)
    assert english(reader.get("/")) == []
    assert english(reader.get("/privacy/")) == []
    reader.post(f"{make.battle_url(reader.get(ARENA))}vote/", {"outcome": "left"})
    assert english(reader.get("/privacy/")) == []
    assert english(reader.get("/privacy/delete/")) == []


def test_the_rankings(reader, category):
    assert english(reader.get("/leaderboard/")) == []
    assert english(reader.get("/leaderboard/overall/")) == []
    make.make_entry(make.make_prompt(Competition.objects.first(), tags=["animal"]), ImageModel.objects.first())
    for number, offering in enumerate(Offering.objects.all()):
        Offering.objects.filter(pk=offering.pk).update(price=Decimal(number + 1) / 100)
    make.rate(category)
    for query in ("", "?price=0.02&rights=ask", "?q=77", "?sort=price", "?window=90d", "?price=9999"):
        page = reader.get(f"/leaderboard/{category.slug}/{query}")
        assert english(page, 400 if "9999" in query else 200) == []
    assert english(reader.get("/leaderboard/overall/")) == []


def test_the_catalogue_and_which_for_me(reader, category):
    make.rate(category)
    make.make_model("unrated-one")
    for number, offering in enumerate(Offering.objects.all()):
        Offering.objects.filter(pk=offering.pk).update(price=Decimal(number + 1) / 100)
    for query in (
        "",
        "?for=me",
        "?price=0.02&rights=yes&need=seed&need=n",
        "?price=0.0001",
        "?for=me&seconds=2&need=n",
    ):
        assert english(reader.get(f"/models/{query}")) == []


def test_comparing(reader, category):
    one, other, third = sorted(ImageModel.objects.values_list("slug", flat=True))[:3]
    assert english(reader.get(f"/compare/{one}/{other}/")) == []
    make.rate(category)
    assert english(reader.get(f"/compare/{one}/{other}/")) == []
    assert english(reader.get(f"/compare/{one}/{other}/{third}/")) == []
    assert english(reader.get("/compare/")) == []
    assert english(reader.get(f"/compare/?model={one}")) == []
    assert english(reader.get(f"/compare/?model={one}&q=-")) == []
    for nothing in ("?q=777777", f"?model={one}&model={one}"):
        assert english(reader.get(f"/compare/{nothing}"), 400) == []


def test_a_models_page_and_its_images(reader, category):
    model = ImageModel.objects.first()
    assert english(reader.get(model.get_absolute_url())) == []
    for number, offering in enumerate(Offering.objects.all()):
        Offering.objects.filter(pk=offering.pk).update(price=Decimal(number + 1) / 100)
    make.rate(category)
    Competition.objects.update(unveiling="always")
    ImageModel.objects.filter(pk=model.pk).update(licence="apache-2.0", open_weights=True, released_on="2026-01-05")
    assert english(reader.get(model.get_absolute_url())) == []
    assert english(reader.get(f"{model.get_absolute_url()}images/")) == []
    assert not re.search("[א-ת]", reader.get(f"/models/{model.slug}.md").content.decode())


def test_competitions_labs_and_providers(reader, category):
    competition, prompt = Competition.objects.first(), Prompt.objects.first()
    assert english(reader.get(competition.get_absolute_url())) == []
    make.rate(category)
    Competition.objects.update(unveiling="always")
    assert english(reader.get(competition.get_absolute_url())) == []
    assert english(reader.get(f"{prompt.competition.get_absolute_url()}{prompt.pk}/")) == []
    for model in ImageModel.objects.select_related("lab")[:2]:
        if model.lab:
            assert english(reader.get(model.lab.get_absolute_url())) == []
    for provider in {offering.provider for offering in Offering.objects.all()}:
        assert english(reader.get(f"/providers/{provider}/")) == []


def test_search_status_and_snapshots(reader, category):
    assert english(reader.get("/snapshots/")) == []
    make.rate(category)
    snapshots.take(category)
    for path in ("/status/", "/search/", "/search/?q=77", "/snapshots/"):
        assert english(reader.get(path)) == []
    assert english(reader.get("/search/?q=7"), 400) == []


def test_what_the_viewer_shows(reader, category):
    make.rate(category)
    Competition.objects.update(unveiling="always")
    shown = reader.get(f"/viewer/{Prompt.objects.first().pk}.json").json()
    assert all(pair["claim"].startswith("[") for pair in shown["pairs"])
    assert all("[" in image["place"] for image in shown["images"])


def test_numbers_in_markup_have_a_point_whatever_the_language(reader, category):
    make.rate(category)
    size = {"family": "ratio", "field": "ratio", "ratios": ["4:3"], "tiers": ["1 MP"]}
    Offering.objects.update(parameters={"size": size})
    reader.cookies["language"] = "de"
    for number in range(20):
        reader.post(f"{make.battle_url(reader.get(ARENA))}vote/", {"outcome": ("left", "tie")[number % 2]})
    model = ImageModel.objects.first().get_absolute_url()
    for path in ("/", f"{ARENA}mine/", f"{ARENA}rounds/1/", f"/leaderboard/{category.slug}/", model):
        text = reader.get(path).content.decode()
        assert "<svg" in text
        assert path != model or 'class="shapes"' in text
        assert re.findall(r' (?:[xyrd]|c[xy]|width|height|transform|viewBox|value|max)="[^"]*\d,\d[^"]*"', text) == []


def test_nothing_to_vote_on_and_addresses_that_are_not_the_readers(reader):
    make.make_category()
    assert english(reader.get(ARENA)) == []
    make.make_generation(make.make_prompt())
    assert english(reader.get(ARENA)) == []
    assert english(reader.get("/arena/nowhere/"), 404) == []
    assert english(reader.get("/battles/00000000-0000-4000-8000-000000000000/"), 404) == []
    assert english(reader.post("/vote/", {"ballot": "x", "outcome": "left"}), 410) == []
    assert english(reader.get("/vote/", headers={"Accept": "text/html"}), 405) == []
