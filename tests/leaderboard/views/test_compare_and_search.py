"""Boards with filters, comparisons, competitions, the chooser, search: as pages."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal
from itertools import pairwise

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from arena import battles, voting
from arena.models import Battle, Vote, Voter
from leaderboard.board import image_records, ratings, snapshots
from providers.performance import summaries
from tests import factories as make

pytestmark = pytest.mark.django_db


class Site:
    """One category: models with an image each of every prompt, and votes."""

    def __init__(self, models: int = 3, prompts: int = 2, slug: str = "text-to-image"):
        self.category = make.make_category(slug)
        self.competition = make.make_competition(self.category)
        self.models = [make.make_model(f"{slug}-bird-{n}", f"Bird {slug} {n}") for n in range(models)]
        self.prompts = [make.make_prompt(self.competition, tags=["text", "night"]) for _ in range(prompts)]
        self.entries = [[make.make_entry(prompt, model) for model in self.models] for prompt in self.prompts]
        for row in self.entries:
            for left, right in pairwise(row):
                for outcome in ("left", "right", "both_bad"):
                    voting.cast_vote(make.make_battle(left=left, right=right), outcome)
        self.count()

    def count(self) -> None:
        ratings.recompute_moved()
        image_records.recount(self.category, force=True)
        summaries.compute()


@pytest.fixture(scope="module")
def shared_site(shared_rows):
    return shared_rows.make(Site)


@pytest.fixture
def site(shared_rows, shared_site):
    return shared_rows.lend(shared_site)


def text_of(response, status=200):
    assert response.status_code == status
    return (
        re.sub(r"[ \n]+", " ", response.content.decode())
        if "html" in response["Content-Type"]
        else response.content.decode()
    )


def names_in(page):
    return re.findall(r'<th scope="row" class="col-model">\s*<a href="/models/([^/]+)/"', page)


# ------------------------------------------------------------------------------------------------ boards


def test_a_filtered_board_hides_rows_and_its_csv_is_exactly_what_it_shows(client, site):
    cheap, dear, _ = site.models
    cheap.offerings.update(price=Decimal("0.01"))
    dear.offerings.update(price=Decimal("0.09"))
    site.models[2].offerings.update(price=None)
    query = {"price": "0.05", "sort": "-model"}
    page = text_of(client.get("/leaderboard/text-to-image/", query))
    rows = list(csv.DictReader(io.StringIO(text_of(client.get("/leaderboard/text-to-image.csv", query)))))
    assert names_in(page) == [row["model"] for row in rows] == [cheap.slug]
    assert "1 of 3 ·" in page
    assert "price=0.05&amp;sort=-model" in page  # the link to the file asks for the same
    whole = list(csv.DictReader(io.StringIO(text_of(client.get("/leaderboard/text-to-image.csv")))))
    assert [row for row in whole if row["model"] == cheap.slug] == rows  # ranks are the whole board’s


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"price": "cheap"}, "not an amount"),
        ({"released": "yesterday"}, "not a date"),
        ({"lab": "nobody"}, "sample-studio"),
        ({"sort": "beauty"}, "“beauty” is not what a board is sorted by. Choose one of: rank"),
        ({"window": "7d"}, "“7d” is not a span of days with a board. Choose one of: all"),
        ({"tag": "nothing"}, "“nothing” is not a tag of prompts here. Choose one of: "),
    ],
)
def test_a_word_that_cannot_be_used_is_refused_with_what_to_write_instead(client, site, query, says):
    page = text_of(client.get("/leaderboard/text-to-image/", query), 400)
    assert says in page
    assert len(names_in(page)) == 3  # the rest of the page stands
    assert says in text_of(client.get("/leaderboard/text-to-image.csv", query), 400)


def test_a_tag_with_few_votes_says_that_it_has_too_few(client, site):
    page = text_of(client.get("/leaderboard/text-to-image/?tag=night"))
    assert "Too few votes on “night”" in page
    assert names_in(page) == []


def test_boards_tell_machines_what_they_are(client, site):
    site.category.name = "Text </script><b>to"
    site.category.save()
    page = text_of(client.get("/leaderboard/text-to-image/"))
    (script,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.S)
    kinds = {item["@type"]: item for item in json.loads(script)["@graph"]}
    assert kinds.keys() == {"ItemList", "Dataset", "BreadcrumbList"}
    (card,) = re.findall(r'property="og:image" content="http://testserver([^"]+)"', page)
    picture = client.get(card)
    assert Image.open(io.BytesIO(picture.content)).size == (1200, 630)
    assert '<link rel="canonical" href="http://testserver/leaderboard/text-to-image/">' in text_of(
        client.get("/leaderboard/text-to-image/?sort=price")
    )


def test_the_sitemap_names_pages_that_answer_and_robots_and_llms_name_the_way(client, site):
    addresses = re.findall("<loc>http://testserver(.*?)</loc>", text_of(client.get("/sitemap.xml")))
    assert site.competition.get_absolute_url() in addresses
    assert {client.get(address).status_code for address in addresses} == {200}
    assert not any(address.startswith(("/battles/", "/arena/")) for address in addresses)
    assert "Sitemap: http://testserver/sitemap.xml" in text_of(client.get("/robots.txt"))
    assert "/leaderboard/text-to-image.csv" in text_of(client.get("/llms.txt"))


# ------------------------------------------------------------------------------------------------ comparisons


def test_the_rankings_open_with_the_first_board_and_name_its_own_page_as_theirs(client, site):
    del site
    first, own = (text_of(client.get(url)) for url in ("/leaderboard/", "/leaderboard/text-to-image/"))
    assert names_in(first) == names_in(own) != []
    assert '<link rel="canonical" href="http://testserver/leaderboard/text-to-image/">' in first


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


def test_a_use_is_a_filter_of_the_board_with_most_votes_on_it_and_shows_prompts_about_it(client, site):
    other = make.make_prompt(make.make_competition(make.make_category("a-later-task")), tags=["night", "fog"])
    board = site.category.get_absolute_url()
    assert client.get("/uses/")["Location"] == "/leaderboard/"
    assert client.get("/uses/night/")["Location"] == f"{board}?tag=night"
    assert client.get("/uses/fog/")["Location"] == f"{other.competition.category.get_absolute_url()}?tag=fog"
    assert client.get("/uses/day/").status_code == 404
    page = text_of(client.get("/uses/night/", follow=True))
    assert all(f"{site.competition.get_absolute_url()}{prompt.pk}/" in page for prompt in site.prompts)
    assert 'value="fog"' not in text_of(client.get(other.competition.category.get_absolute_url()))  # without votes
    page = text_of(client.get("/uses/fog/", follow=True))
    assert "Too few votes on “fog”" in page
    assert other.text in page


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


# ------------------------------------------------------------------------------------------------ competitions


def test_a_prompt_shows_its_images_best_first_and_none_to_a_voter_who_is_asked_about_it(client, site):
    winner = make.make_entry(site.prompts[0], make.make_model("zz-winner"))
    voting.cast_vote(make.make_battle(left=winner, right=site.entries[0][0]), "left")
    site.count()
    address = f"{site.competition.get_absolute_url()}{site.prompts[0].pk}/"
    page = text_of(client.get(address))
    assert page.index("zz-winner") < page.index(site.models[0].slug)
    battle = make.make_battle(left=site.entries[0][0], right=site.entries[0][1])
    make.sign_in(client, battle.voter)
    one, other = sorted(model.slug for model in site.models[:2])
    for blind in (
        address,
        site.competition.get_absolute_url(),
        f"{site.category.get_absolute_url()}?tag=night",
        f"/compare/{one}/{other}/",
    ):
        page = text_of(client.get(blind))
        assert not any(entry.thumbnail.name in page for entry in site.entries[0]), blind
        assert site.entries[1][0].thumbnail.name in page or blind == address


def test_the_competitions_of_a_category_stand_under_its_board_the_open_ones_first(client, site):
    closed = make.make_competition(site.category, title="Yesterday's", closes_at=timezone.now())
    elsewhere = make.make_competition(make.make_category("portraits"), title="Faces")
    hidden = make.make_competition(site.category, title="A draft", is_published=False)
    page = text_of(client.get(site.category.get_absolute_url()))
    shown = page[page.index('id="competitions"') :]
    assert shown.index(site.competition.get_absolute_url()) < shown.index(closed.get_absolute_url())
    assert elsewhere.title not in page
    assert hidden.title not in page
    assert "2 prompts · 12 votes" in shown
    assert "closed" in shown[shown.index(closed.get_absolute_url()) :]
    assert client.get("/competitions/")["Location"] == "/leaderboard/#competitions"
    own = client.get("/competitions/?category=portraits")
    assert (own.status_code, own["Location"]) == (301, "/leaderboard/portraits/#competitions")


@pytest.mark.parametrize("change", [{"criterion": "speed"}, {"shape": "9:16"}])
def test_postgres_refuses_to_change_what_voters_were_asked_to_judge(site, change):
    with pytest.raises(IntegrityError, match="frozen once voters were asked"), transaction.atomic():
        type(site.competition).objects.filter(pk=site.competition.pk).update(**change)
    with pytest.raises(IntegrityError, match="frozen once voters were asked"), transaction.atomic():
        type(site.prompts[0]).objects.filter(pk=site.prompts[0].pk).update(text="Something else")
    fresh = make.make_competition()
    type(fresh).objects.filter(pk=fresh.pk).update(**change)  # nobody was asked yet
    type(site.competition).objects.filter(pk=site.competition.pk).update(title="A better title")


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


def test_the_week_compares_a_board_with_its_stored_snapshot(client, site):
    snapshots.take(site.category)
    for _ in range(9):
        voting.cast_vote(make.make_battle(left=site.entries[0][2], right=site.entries[0][1]), "left")
    newcomer = make.make_entry(site.prompts[0], make.make_model("newcomer"))
    voting.cast_vote(make.make_battle(left=newcomer, right=site.entries[0][0]), "tie")
    site.count()
    page = text_of(client.get("/week/", follow=True))
    page = page[page.index('id="week"') :]
    assert re.search(r"newcomer/.*?new</span>", page, re.S)
    assert "snapshot" in page


# ------------------------------------------------------------------------------------------------ start page


def ballot_of(page):
    (ballot,) = re.findall(r'name="ballot" value="([^"]+)"', page)
    return ballot


def test_the_start_page_shows_a_pair_without_a_name_or_a_row_and_its_vote_counts_once(client, site):
    page = text_of(client.get("/"))
    before = Battle.objects.count(), Voter.objects.count()
    hero = page[page.index('class="hero"') : page.index('class="front"')]
    images = re.findall(r'src="(/i/[^"]+)"', hero)
    assert len(images) == 2
    assert len({len(image) for image in images}) == 1
    for model in site.models:
        assert model.slug not in hero
        assert model.name not in hero
    headers = [sorted(client.get(image).headers) for image in images]
    assert headers[0] == headers[1]
    assert (Battle.objects.count(), Voter.objects.count()) == before
    for _ in range(2):  # the second press of the button changes nothing
        response = client.post("/vote/", {"ballot": ballot_of(page), "outcome": "left"})
        assert response.status_code == 302
    assert Vote.objects.count() == 13
    assert any(model.name in text_of(client.get(response["Location"])) for model in site.models)


def test_a_ballot_that_was_changed_used_or_expired_is_refused(client, site, settings):
    ballot = ballot_of(text_of(client.get("/")))
    votes = Vote.objects.count()
    assert client.post("/vote/", {"ballot": ballot[:-9] + "AAAAAAAA=", "outcome": "left"}).status_code == 410
    assert client.post("/vote/", {"ballot": ballot, "outcome": "best"}).status_code == 400
    settings.BATTLE_LIFETIME = -1
    assert client.post("/vote/", {"ballot": ballot, "outcome": "left"}).status_code == 410
    assert Vote.objects.count() == votes


def test_a_used_ballot_is_no_use_to_another_browser(client, site):
    ballot = ballot_of(text_of(client.get("/")))
    client.post("/vote/", {"ballot": ballot, "outcome": "left"})
    client.cookies.clear()
    assert client.post("/vote/", {"ballot": ballot, "outcome": "right"}).status_code == 410


def test_a_voters_start_page_shows_the_battle_they_owe(client, site):
    voter = make.make_voter()
    make.sign_in(client, voter)
    battle = battles.serve(voter, site.category)
    assert battle is not None
    page = text_of(client.get("/"))
    assert f"/battles/{battle.pk}/vote/" in page
    assert battle.left_token in page


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
