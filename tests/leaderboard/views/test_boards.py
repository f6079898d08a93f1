"""Boards with their filters, the competitions below them, and what changed within a week."""

from __future__ import annotations

import csv
import io
import json
import re
from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone
from PIL import Image

from arena import voting
from leaderboard.board import snapshots
from tests import factories as make
from tests.leaderboard.pages import names_in, text_of

pytestmark = pytest.mark.django_db


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


def test_a_retired_model_keeps_its_row_and_says_so(client, site):
    gone, *_ = site.models
    gone.retired_at = timezone.now()
    gone.save(update_fields=["retired_at"])
    page = text_of(client.get("/leaderboard/text-to-image/"))
    assert gone.slug in names_in(page)
    assert page.count("retired · unsettled: ") == 1


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


def test_the_rankings_open_with_the_first_board_and_name_its_own_page_as_theirs(client, site):
    del site
    first, own = (text_of(client.get(url)) for url in ("/leaderboard/", "/leaderboard/text-to-image/"))
    assert names_in(first) == names_in(own) != []
    assert '<link rel="canonical" href="http://testserver/leaderboard/text-to-image/">' in first


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
