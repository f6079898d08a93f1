"""Comparisons, the chooser, search, and what pages tell machines; none asks more when there is more."""

from __future__ import annotations

import io
import re
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from PIL import Image

from tests import factories as make
from tests.leaderboard.pages import text_of

from .site import Site

pytestmark = pytest.mark.django_db


def test_the_sitemap_names_pages_that_answer_and_robots_and_llms_name_the_way(client, site):
    addresses = re.findall("<loc>http://testserver(.*?)</loc>", text_of(client.get("/sitemap.xml")))
    assert site.competition.get_absolute_url() in addresses
    assert {client.get(address).status_code for address in addresses} == {200}
    assert not any(address.startswith(("/battles/", "/arena/")) for address in addresses)
    assert "Sitemap: http://testserver/sitemap.xml" in text_of(client.get("/robots.txt"))
    assert "/leaderboard/text-to-image.csv" in text_of(client.get("/llms.txt"))


# ------------------------------------------------------------------------------------------------ comparisons


def test_every_page_says_what_it_is_where_it_is_shared_and_has_one_address(client, site):
    one, other = sorted(model.slug for model in site.models[:2])
    pages = (
        "/", "/leaderboard/text-to-image/?sort=price", "/leaderboard/overall/", "/models/",
        f"/models/{one}/", f"/compare/{one}/{other}/", site.competition.get_absolute_url(), "/models/?for=me&price=1",
        "/methodology/", "/status/",
    )  # fmt: skip
    titles = set()
    for address in pages:
        page = text_of(client.get(address))
        (title,) = re.findall(r"<title>(.*?)</title>\s*<meta name=\"description\"", page)
        shared = dict(re.findall(r'<meta property="og:([a-z:_]+)" content="([^"]*)"', page))
        where = "http://testserver" + address.partition("?")[0]
        assert (shared["title"], shared["url"]) == (title, where)
        assert f'<link rel="canonical" href="{where}">' in page
        assert f'<meta name="description" content="{shared["description"]}">' in page
        titles.add(title)
    assert len(titles) == len(pages)
    picture = client.get("/card.jpg")
    with Image.open(io.BytesIO(picture.content)) as card:
        assert (picture["Content-Type"], card.size) == ("image/jpeg", (1200, 630))


def test_two_models_are_compared_at_one_address(client, site):
    one, other = sorted(model.slug for model in site.models[:2])
    turned = client.get(f"/compare/{other}/{one}/")
    assert (turned.status_code, turned["Location"]) == (301, f"/compare/{one}/{other}/")
    page = text_of(client.get(f"/compare/{one}/{other}/"))
    for piece in (
        "6 votes: 2 for",
        "0 tied, 2 both bad",
        "Expected from all votes in Text to image: 50%",
        site.entries[0][0].thumbnail.name,
    ):
        assert piece in page, piece
    swapped = text_of(client.get(f"/compare/{one}/{other}/?first={other}"))
    assert swapped.index(f"/models/{other}/") < swapped.index(f"/models/{one}/")
    assert f'<link rel="canonical" href="http://testserver/compare/{one}/{other}/">' in swapped
    assert "“nobody” is not one of these models" in text_of(client.get(f"/compare/{one}/{other}/?first=nobody"), 400)
    third = make.make_model().slug
    three = text_of(client.get(f"/compare/{'/'.join(sorted([one, other, third]))}/"))
    assert "price per usable image" in three
    itself = client.get(f"/compare/{one}/{one}/", follow=True)
    assert "cannot be compared with itself" in text_of(itself, 400)
    assert client.get(f"/compare/{one}/{other}/{one}/", follow=True).redirect_chain[-1][0] == f"/compare/{one}/{other}/"
    assert client.get(f"/compare/{one}/nobody/").status_code == 404
    assert client.get("/compare/", {"model": [other, one]})["Location"] == f"/compare/{one}/{other}/"
    assert "at most 4 fit" in text_of(client.get("/compare/", {"model": [*_many(5)]}), 400)


def test_a_model_to_compare_is_found_by_a_part_of_its_name(client, site):
    first, second, _ = (model.slug for model in site.models)
    one, other = sorted((first, second))
    assert client.get("/compare/", {"model": first, "q": second})["Location"] == f"/compare/{one}/{other}/"
    several = text_of(client.get("/compare/", {"model": first, "q": "BIRD"}))
    assert f"model={first}&amp;model={second}" in several
    assert "2 called “BIRD”" in several  # without the one that is chosen
    assert "No model is called “emu”" in text_of(client.get("/compare/", {"q": "emu"}), 400)


@pytest.mark.parametrize(
    "address",
    [
        "/models/?q=%00", "/leaderboard/text-to-image/?tag=%00", "/search/?q=%00&x=1",
        "/leaderboard/overall/?lab=%00", "/playground/?model=%00", "/models/?%00=1",
    ],
)  # fmt: skip
def test_what_no_database_can_hold_is_left_out_of_what_is_looked_for(client, site, address):
    assert client.get(address).status_code == 200
    assert client.get("/uses/%00/").status_code == 400
    assert client.get("/competitions/?category=%00").status_code == 301


def _many(n):
    return [make.make_model(f"many-{number}").slug for number in range(n)]


def test_models_that_never_met_have_no_votes_yet_instead_of_zeros(client, site):
    stranger = make.make_model("a-stranger")
    page = text_of(client.get(f"/compare/a-stranger/{site.models[0].slug}/"))
    assert "not rated yet" in page
    assert "nobody has rated" in page
    assert not re.search(r"\b0 ?%", page)
    first, last = site.models[0].slug, site.models[2].slug
    assert "No votes yet</strong> between these two" in text_of(client.get(f"/compare/{first}/{last}/"))
    assert stranger.name in page


# ------------------------------------------------------------------------------------------------ chooser, search, week


def test_the_chooser_answers_from_votes_where_they_suffice_and_from_price_where_they_do_not(client, site):
    names = [model.name for model in site.models]
    site.models[1].offerings.update(price="0.005")
    page = text_of(client.get("/models/?for=me"))  # six votes: no rated model can be distinguished
    assert f"{names[1]}, for now: cheapest per usable image" in page
    stranger = make.make_model("stranger", "Stranger", licence="MIT")
    make.make_offering(stranger, "fal", price=Decimal("0.001"))
    page = text_of(client.get("/models/?for=me&rights=yes"))
    assert "Stranger is the cheapest that fits; nobody has rated it" in page
    assert "1 of 4 fit. Left out: 3 for rights." in page
    page = text_of(client.get("/models/?for=me&seconds=5&rights=yes"))
    assert "Nothing fits." in page
    assert "1 would fit if more were known" in page


def test_addresses_of_the_old_chooser_mean_what_they_meant(client, site):
    response = client.get("/choose/?budget=0.05&category=text-to-image&tier=2K&weights=open&need=seed&need=n")
    assert response.status_code == 301
    assert response["Location"].startswith("/models/?")
    assert set(response["Location"].partition("?")[2].split("&")) == {
        "for=me", "price=0.05", "task=text-to-image", "size=2K", "weights=open", "need=seed", "need=n",
    }  # fmt: skip
    assert "is not an amount" in text_of(client.get("/choose/?budget=lots", follow=True), 400)
    assert "“nothing” is not in this list" in text_of(client.get("/choose/?category=nothing", follow=True), 400)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("bird", "bird-1"),
        ("BRID text-to-image", "bird-1"),
        ("sample stu", "/labs/sample-studio/"),
        ("kite", "/competitions/"),
    ],
)
def test_search_finds_models_labs_and_competitions_also_misspelt(client, site, typed, expected):
    assert expected in text_of(client.get("/search/", {"q": typed}))


def test_search_says_what_it_cannot_look_for(client, site):
    assert "Nothing is called" in text_of(client.get("/search/?q=xylophone"))
    assert "at least 2 letters" in text_of(client.get("/search/?q=x"), 400)
    assert "at most 100" in text_of(client.get("/search/", {"q": "x" * 101}), 400)
    text_of(client.get("/search/", {"q": "a & ! | : * ' ( \\ \x00 %"}))


# ------------------------------------------------------------------------------------------------ however much there is


def queries(client, address):
    client.get(address)  # what a process keeps for longer than seconds is there from the second look on
    with CaptureQueriesContext(connection) as captured:
        text_of(client.get(address))
    return [query["sql"] for query in captured.captured_queries]


def test_no_page_asks_more_when_there_is_more(client, site):
    use = "/leaderboard/text-to-image/?tag=night"  # a board with some of its prompts and their images
    addresses = [
        "/", "/leaderboard/", "/leaderboard/overall/", "/leaderboard/text-to-image/", "/leaderboard/text-to-image.csv",
        site.competition.get_absolute_url(),
        f"{site.competition.get_absolute_url()}{site.prompts[0].pk}/",
        "/models/", "/models/?for=me", "/compare/", f"/compare/{site.models[0].slug}/{site.models[1].slug}/",
        use, "/search/?q=bird", "/sitemap.xml", "/llms.txt",
    ]  # fmt: skip
    few = {address: len(queries(client, address)) for address in addresses}
    Site(models=5, prompts=3, slug="more")
    Site(models=2, prompts=1, slug="still-more")
    for prompt in site.prompts:
        make.make_entry(prompt, make.make_model())
    make.make_prompt(site.competition, tags=["night"])
    many = {address: queries(client, address) for address in addresses}
    few["/"] = max(few["/"], 16)  # with votes the front page shows answers, images and pairs
    assert {address: len(asked) for address, asked in many.items() if len(asked) > few[address]} == {}
    assert few["/"] <= 16, few  # before what the votes say is cached, for a minute
    assert few[use] <= 17, few
    assert max(n for address, n in few.items() if address not in ("/", use)) <= 12, few
