"""Feeds, badges and board images: what other people's readers and pages take."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest
from django.utils import timezone

from leaderboard.board import ratings, snapshots
from leaderboard.models import Drift
from leaderboard.news import events, feeds
from leaderboard.social_cards import pair
from providers.cache import clear_process_caches
from providers.models import Price
from tests import factories as make
from tests.leaderboard.voting import cast

pytestmark = pytest.mark.django_db

ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def models():
    return [make.make_model(f"bird-{n}", f'Bird {n} <&"') for n in range(4)]


@pytest.fixture
def category(models):
    category = make.make_category()
    cast(category, models, 600, strengths=dict.fromkeys(models, 0.0) | {models[0]: 1.5})
    ratings.recompute(category)
    snapshots.take(category)
    return category


def feed(client, url: str):
    response = client.get(url)
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    root = ElementTree.fromstring(response.content)  # noqa: S314 – our own
    entries = root.findall(f"{ATOM}entry")
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(ids) == len(set(ids))
    for entry in entries:
        assert entry.findtext(f"{ATOM}title")
        assert entry.findtext(f"{ATOM}updated")
        link = entry.find(f"{ATOM}link")
        assert link is not None
        assert link.get("href", "").startswith("http://testserver/")
    return entries


def test_changed_places_are_in_a_boards_feed_with_their_bounds(client, category, models):
    assert feed(client, "/feeds/text-to-image/places.atom") == []
    newcomer = make.make_model("new-bird", "New bird")
    cast(category, [*models, newcomer], 900, strengths=dict.fromkeys([*models, newcomer], 0.0) | {models[0]: 1.5})
    ratings.recompute(category)
    taken = snapshots.take(category)
    (entry,) = feed(client, "/feeds/text-to-image/places.atom")
    summary = entry.findtext(f"{ATOM}summary")
    assert re.search(r"new-bird: new, (tied )?\d–\d of 5, Elo \d+", summary), summary
    assert entry.find(f"{ATOM}link").get("href").endswith(taken.get_absolute_url())
    assert client.get("/feeds/x/places.atom").status_code == 404


def test_snapshots_models_and_prices_have_feeds(client, category, models):
    (entry,) = feed(client, "/feeds/snapshots.atom")
    assert "600 votes" in entry.findtext(f"{ATOM}summary")
    models[0].released_on = timezone.now().date() - timedelta(days=3)
    models[0].save(update_fields=["released_on"])
    models[1].retired_at = timezone.now()
    models[1].save(update_fields=["retired_at"])
    offering = make.make_offering(models[2], "simulated-replicate", price="0.05")
    Price.objects.filter(offering=offering).update(recorded_at=timezone.now() - timedelta(days=20))
    offering.price = Decimal("0.03")
    offering.save(update_fields=["price"])
    client.get("/feeds/models.atom")
    titles = [entry.findtext(f"{ATOM}title") for entry in feed(client, "/feeds/models.atom")]
    assert titles == ['Bird 1 <&" was retired', 'New: Bird 0 <&" by Sample studio']
    (price,) = feed(client, "/feeds/prices.atom")
    assert "$0.03 per image" in price.findtext(f"{ATOM}title")
    assert price.findtext(f"{ATOM}summary") == "Before: $0.05 per image."


def test_a_model_that_seems_to_have_changed_is_reported_once_a_month_and_in_the_feed_of_everything(
    client, category, models
):
    moved = {"made_since": timezone.now(), "checked_at": timezone.now(), "half_width": 20, "votes_before": 90}
    Drift.objects.create(category=category, image_model=models[0], move=-80, is_alarm=True, votes_after=90, **moved)
    Drift.objects.create(category=category, image_model=models[1], move=5, is_alarm=False, votes_after=90, **moved)
    (entry,) = feed(client, "/feeds/drift.atom")
    assert "−80 ± 20 Elo" in entry.findtext(f"{ATOM}summary")
    (event,) = events.since("model.drifted", timezone.now() - timedelta(hours=1))
    Drift.objects.update(checked_at=timezone.now() + timedelta(seconds=1))  # the check of the next day
    assert [later.key for later in feeds.of_drift()] == [event.key]
    links = [entry.find(f"{ATOM}link").get("href") for entry in feed(client, "/feeds/all.atom")]
    assert any(link.endswith("/models/bird-0/") for link in links)
    assert any("/snapshots/" in link for link in links)


@pytest.mark.parametrize("url", ["/leaderboard/text-to-image/badges/bird-0.svg", "/leaderboard/text-to-image/top.svg"])
def test_an_image_for_other_pages_has_place_interval_and_date_and_nothing_that_runs(client, category, url):
    response = client.get(url)
    assert (response.status_code, response["Content-Type"]) == (200, "image/svg+xml; charset=utf-8")
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert response["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert "Set-Cookie" not in response
    root = ElementTree.fromstring(response.content)  # noqa: S314 – our own
    text = " ".join("".join(part.itertext()) for part in root)
    rating = category.ratings.get(image_model__slug="bird-0")
    assert f"Elo {rating.elo:.0f} ({rating.lower:.0f}–{rating.upper:.0f})" in text
    assert str(rating.place) in text
    assert f"{category.board.computed_at:%Y-%m-%d}" in text
    assert {part.tag.rpartition("}")[2] for part in root.iter()} <= {"svg", "title", "rect", "path", "circle", "text"}
    assert not re.search(rb"style=|href|<script|on\w+=", response.content)


def test_the_live_pair_is_the_same_to_everybody_blind_and_gone_when_its_images_are(client):
    competition = make.make_competition(make.make_category())
    url = f"/leaderboard/{competition.category.slug}/pair.jpg"
    assert client.get(url).status_code == 404
    prompt = make.make_prompt(competition)
    entries = [make.make_entry(prompt) for _ in range(2)]
    clear_process_caches()
    response = client.get(url)
    assert (response.status_code, response["Content-Type"]) == (200, "image/jpeg")
    assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert "Set-Cookie" not in response
    assert not [name for entry in entries for name in (entry.image_model.slug,) if name.encode() in response.content]
    assert pair.of_category(competition.category, 7) == pair.of_category(competition.category, 7)
    type(entries[0]).objects.filter(pk=entries[0].pk).update(hidden_at=timezone.now())
    clear_process_caches()
    assert client.get(url).status_code == 404


def test_an_image_of_what_is_not_on_the_board_is_a_404(client, category):
    assert client.get("/leaderboard/text-to-image/badges/unknown.svg").status_code == 404
    assert client.get("/leaderboard/unknown/top.svg").status_code == 404
    make.make_category("empty", name="Empty")
    image = client.get("/leaderboard/empty/top.svg").content
    assert b"No ratings yet" in image
    assert b"<title>Empty: no ratings yet</title>" in image
