"""Voting through its addresses, and what may not be said before a vote."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone
from PIL import Image

from arena import voting
from arena.models import Battle, Vote, Voter
from tests import factories as make

pytestmark = pytest.mark.django_db

HTMX = {"headers": {"HX-Request": "true"}}


@pytest.fixture
def battle(client: Client) -> Battle:
    """An open battle, and the client is its voter."""
    prompt = make.make_prompt()
    left = make.make_entry(prompt, make.make_model("sample-kestrel", "Kestrel Nine"))
    right = make.make_entry(prompt, make.make_model("sample-osprey", "Osprey Ultra"))
    battle = make.make_battle(left=left, right=right)
    make.sign_in(client, battle.voter)
    return battle


def test_a_stranger_gets_a_pair_without_a_row_and_becomes_a_voter_by_sending_it_back(client):
    one = make.make_entry()
    make.make_entry(one.prompt)
    first = client.get("/arena/text-to-image/")
    assert first.status_code == 200
    assert not Battle.objects.exists()
    assert not Voter.objects.exists()
    url = make.battle_url(first)
    assert url in client.get("/arena/text-to-image/").content.decode()  # the same until it is used
    for image in re.findall(r'src="(/i/[^"]+)"', first.content.decode()):
        assert client.get(image).status_code == 200
        assert Client().get(image).status_code == 404  # it is this browser's alone
    assert client.get(url).status_code == 200
    battle = Battle.objects.get()
    assert url == battle.get_absolute_url()
    assert client.cookies["voter"]["httponly"]
    assert url in client.get("/arena/text-to-image/").content.decode()
    assert Voter.objects.count() == 1


def test_the_first_vote_makes_the_voter_and_its_reply_names_the_models(client):
    one = make.make_entry()
    make.make_entry(one.prompt)
    page = client.get("/arena/text-to-image/").content.decode()
    vote = re.search(r'hx-post="(/battles/[^"]+/vote/)"', page)[1]
    assert Client().post(vote, {"outcome": "left"}).status_code == 404  # without the cookie it is nobody's
    reply = client.post(vote, {"outcome": "left"}, **HTMX)
    assert reply.status_code == 200
    assert one.image_model.name in reply.content.decode()
    stored = Vote.objects.get()
    assert stored.decision_time < timedelta(minutes=5)
    assert stored.battle.served_at is not None
    again = client.post(vote, {"outcome": "left"}, **HTMX)
    assert (again.status_code, Vote.objects.count(), Voter.objects.count()) == (200, 1, 1)


def test_two_first_votes_of_one_browser_at_the_same_time_are_one(client):
    one = make.make_entry()
    make.make_entry(one.prompt)
    page = client.get("/arena/text-to-image/").content.decode()
    vote = re.search(r'hx-post="(/battles/[^"]+/vote/)"', page)[1]
    twin = Client()
    for name, morsel in client.cookies.items():
        twin.cookies[name] = morsel.value
    assert client.post(vote, {"outcome": "left"}, **HTMX).status_code == 200
    assert twin.post(vote, {"outcome": "left"}, **HTMX).status_code == 200  # it has not heard of the first one
    assert (Vote.objects.count(), Voter.objects.count()) == (1, 1)
    assert twin.cookies["voter"].value.split(":")[0] == client.cookies["voter"].value.split(":")[0]


def test_a_forged_cookie_is_a_new_voter(client, battle):
    client.cookies["voter"] = f"{battle.voter.pk}:forged:signature"
    rejected = client.get(f"/battles/{battle.pk}/")
    assert rejected.status_code == 404
    assert "your browser keeps no cookies" in rejected.content.decode()
    assert str(battle.pk) not in client.get("/arena/text-to-image/").content.decode()


def test_no_byte_before_the_vote_names_a_model(client, battle):
    seen = b""
    for address in (
        f"/battles/{battle.pk}/",
        f"/i/{battle.left_token}.webp",
        f"/i/{battle.right_token}.webp",
        f"/i/{battle.left_token}.small.webp",
    ):
        response = client.get(address)
        assert response.status_code == 200
        seen += response.content + str(dict(response.headers)).encode() + str(response.cookies).encode()
    seen = seen.lower()
    for entry in (battle.left, battle.right):
        for word in (entry.image_model.slug, entry.image_model.name, entry.image.name, entry.original.name):
            assert word.lower().encode() not in seen


def test_the_pairs_loaded_ahead_name_no_model_and_were_drawn_before_the_vote(client, battle, monkeypatch):
    models = [battle.left.image_model, battle.right.image_model, make.make_model("sample-merlin", "Merlin Prime")]
    for _ in range(2):
        prompt = make.make_prompt(battle.prompt.competition)
        for model in models:
            make.make_entry(prompt, model)
    page = client.get(f"/battles/{battle.pk}/").content.decode()
    (second,) = Battle.objects.filter(served_at=None)
    assert f"/i/{second.left_token}.webp" in page
    when = []
    cast = voting.cast
    monkeypatch.setattr(voting, "cast", lambda *vote: (when.append(Battle.objects.count()), cast(*vote))[1])
    reply = client.post(f"/battles/{battle.pk}/vote/", {"outcome": "left"}, **HTMX).content.decode()
    assert when == [Battle.objects.count()] == [3]
    names = [model.name for model in models] + [model.slug for model in models]
    assert not [name for name in names if name in page]
    ahead = "".join(reply.split("<template")[1:])
    assert ahead.count("</template>") == 2
    for template in reply.split("<template")[1:]:
        assert not [name for name in names if name in template.partition("</template>")[0]]


def test_a_pair_loaded_ahead_is_shown_by_its_address_or_by_the_browsers_word(client, battle):
    prompt = make.make_prompt(battle.prompt.competition)
    make.make_entry(prompt, battle.left.image_model)
    make.make_entry(prompt, battle.right.image_model)
    client.get(f"/battles/{battle.pk}/")
    (second,) = Battle.objects.filter(served_at=None)
    assert client.post(f"/battles/{second.pk}/show/").status_code == 409
    assert client.get(f"/battles/{second.pk}/")["Location"] == "/arena/text-to-image/"
    client.post(f"/battles/{battle.pk}/vote/", {"outcome": "left"}, **HTMX)
    assert client.post(f"/battles/{second.pk}/show/").status_code == 204
    second.refresh_from_db()
    assert second.served_at is not None
    assert client.get(f"/battles/{second.pk}/").status_code == 200
    client.post(f"/battles/{second.pk}/skip/")
    assert client.post(f"/battles/{second.pk}/show/").status_code == 200  # shown, and over


def test_the_reveal_leads_to_both_images_own_pages_unless_their_prompt_is_still_asked_about(client, battle):
    pages = [battle.left.get_absolute_url(), battle.right.get_absolute_url()]
    assert not any(page in client.get(f"/battles/{battle.pk}/").content.decode() for page in pages)
    reply = client.post(f"/battles/{battle.pk}/vote/", {"outcome": "left"}, **HTMX).content.decode()
    assert all(f'href="{page}"' in reply for page in pages)
    assert all(client.get(page).status_code == 200 for page in pages)
    another = make.make_entry(battle.prompt)
    make.make_battle(battle.voter, battle.left, another)
    shown_again = client.get(f"/battles/{battle.pk}/").content.decode()
    assert "Kestrel Nine" in shown_again
    assert not any(page in shown_again for page in pages)  # they would be refused


def test_the_reply_to_the_vote_names_both(client, battle):
    reply = client.post(f"/battles/{battle.pk}/vote/", {"outcome": "left"}, **HTMX)
    assert reply.status_code == 200
    assert b"<html" not in reply.content
    assert b"Kestrel Nine" in reply.content
    assert b"Osprey Ultra" in reply.content


def test_without_javascript_the_vote_leads_back_to_the_page_that_names_them(client, battle):
    reply = client.post(f"/battles/{battle.pk}/vote/", {"outcome": "tie"}, follow=True)
    assert reply.redirect_chain == [(f"/battles/{battle.pk}/", 302)]
    assert b"Kestrel Nine" in reply.content


def test_the_two_images_differ_in_no_header(client, battle):
    left, right = (client.get(f"/i/{token}.webp") for token in (battle.left_token, battle.right_token))
    ignored = {"Content-Length"}
    assert {k: v for k, v in left.headers.items() if k not in ignored} == {
        k: v for k, v in right.headers.items() if k not in ignored
    }
    assert left["Content-Type"] == "image/webp"
    assert not {"ETag", "Last-Modified", "Content-Disposition"} & set(left.headers)


def test_an_image_address_dies_with_its_battle(client, battle):
    old = timezone.now() - timedelta(hours=2)
    Battle.objects.update(served_at=old, expires_at=old + timedelta(hours=1))
    assert client.get(f"/i/{battle.left_token}.webp").status_code == 404
    assert client.get("/i/AAAAAAAAAAAAAAAAAAAAAA.webp").status_code == 404


def test_battle_files_are_not_public(client, battle):
    assert client.get(f"/images/{battle.left.thumbnail.name}").status_code == 200
    for name in (battle.left.image.name, battle.left.original.name, "../config/settings.py"):
        assert client.get(f"/images/{name}").status_code == 404


def test_repeating_a_vote_changes_nothing_and_another_answer_is_refused(client, battle):
    address = f"/battles/{battle.pk}/vote/"
    first = client.post(address, {"outcome": "left"}, **HTMX)
    again = client.post(address, {"outcome": "left"}, **HTMX)
    other = client.post(address, {"outcome": "right"}, **HTMX)
    assert [first.status_code, again.status_code, other.status_code] == [200, 200, 409]
    assert "first answer counts" in other.content.decode()
    assert Vote.objects.get().outcome == "left"


@pytest.mark.parametrize("data", [{}, {"outcome": ""}, {"outcome": "skip"}, {"outcome": "LEFT"}])
def test_a_vote_without_a_known_outcome_is_a_bad_request_and_loses_nothing(client, battle, data):
    reply = client.post(f"/battles/{battle.pk}/vote/", data, **HTMX)
    assert reply.status_code == 400
    assert "left, right, tie, both_bad" in reply.content.decode()
    assert b"Kestrel" not in reply.content
    assert client.post(f"/battles/{battle.pk}/vote/", {"outcome": "left"}, **HTMX).status_code == 200


def test_an_expired_battle_is_gone_and_says_how_to_go_on(client, battle):
    old = timezone.now() - timedelta(hours=2)
    Battle.objects.update(served_at=old, expires_at=old + timedelta(hours=1))
    reply = client.post(f"/battles/{battle.pk}/vote/", {"outcome": "left"}, **HTMX)
    assert reply.status_code == 410
    assert b"/arena/text-to-image/" in reply.content
    assert b"Kestrel" not in reply.content
    assert not Vote.objects.exists()


def test_somebody_elses_battle_does_not_exist(client, battle):
    make.sign_in(client, make.make_voter())
    assert client.get(f"/battles/{battle.pk}/").status_code == 404
    assert client.post(f"/battles/{battle.pk}/vote/", {"outcome": "left"}).status_code == 404
    assert client.post(f"/battles/{battle.pk}/skip/").status_code == 404
    assert client.post(f"/battles/{battle.pk}/show/").status_code == 404
    assert Client().post(f"/battles/{battle.pk}/vote/", {"outcome": "left"}).status_code == 404
    assert not Vote.objects.exists()


def test_a_vote_needs_the_csrf_token_and_a_post(battle):
    strict = Client(enforce_csrf_checks=True)
    make.sign_in(strict, battle.voter)
    assert strict.post(f"/battles/{battle.pk}/vote/", {"outcome": "left"}).status_code == 403
    assert strict.get(f"/battles/{battle.pk}/vote/").status_code == 405
    assert not Vote.objects.exists()


def test_who_opens_the_address_of_a_form_is_led_back_to_its_page(client, battle):
    for address, page in ((f"/battles/{battle.pk}/vote/", f"/battles/{battle.pk}/"), ("/vote/", "/")):
        answer = client.get(address, headers={"Accept": "text/html,*/*;q=0.8"})
        assert answer.status_code == 405
        assert answer["Allow"] == "POST"
        assert f'<a class="button primary" href="{page}">' in answer.content.decode()
    for program in ({}, {"Accept": "*/*"}, {"Accept": "application/json"}):
        assert client.get("/vote/", headers=program).content == b""


def test_errors_come_without_any_context_and_still_name_the_site_and_a_way_on(client):
    broken = client.post("/vote/", {f"field-{n}": "" for n in range(1100)})
    assert broken.status_code == 400
    for page in (broken.content.decode(), render_to_string("500.html")):
        assert "<span>Image Arena</span>" in page
        assert 'href="/">Start page' in page


def test_skip_leads_to_the_next_battle(client, battle):
    reply = client.post(f"/battles/{battle.pk}/skip/")
    assert reply["Location"] == "/arena/text-to-image/"
    battle.refresh_from_db()
    assert battle.skipped_at is not None
    page = client.get(f"/battles/{battle.pk}/").content
    assert b"Kestrel" not in page  # a skip earns no names: the same two may meet again elsewhere


def test_the_end_of_the_pairs_says_so(client, battle):
    voting.cast_vote(battle, "left")
    page = client.get("/arena/text-to-image/")
    assert page.status_code == 200
    assert "every pair" in page.content.decode()


def test_an_empty_category_says_what_to_do_and_an_unknown_one_is_404(client):
    make.make_category("image-editing", "edit")
    assert "Ask the models" in client.get("/arena/image-editing/").content.decode()
    assert client.get("/arena/no-such-thing/").status_code == 404


def test_every_page_forbids_inline_code(client, battle):
    policy = client.get(f"/battles/{battle.pk}/")["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize(("shape", "fit"), [("1:1", "square"), ("3:4", "tall"), ("16:9", "wide"), ("9:16", "tall")])
def test_an_image_has_the_width_that_the_page_says_of_it(client, shape, fit):
    """By these widths a browser chooses between the two files: too few pixels would be judged, too many waited for."""
    prompt = make.make_prompt(make.make_competition(shape=shape))
    for _ in range(2):
        make.make_entry(prompt)
    page = client.get("/arena/text-to-image/", follow=True).content.decode()
    for source in re.findall(r'srcset="([^"]+)"', page):
        for url, width in re.findall(r"(\S+) (\d+)w", source):
            with Image.open(io.BytesIO(client.get(url).getvalue())) as image:
                assert image.width == int(width)
    assert page.count("srcset=") == 2
    assert f'data-fit="{fit}"' in page
