"""No output shows a rank without its bounds: all outputs of a board of equals, and of one with a clear first."""

from __future__ import annotations

import json
import re

import pytest

from leaderboard.board import ratings, snapshots
from leaderboard.social_cards import board as board_card
from leaderboard.social_cards import model as model_card
from tests import factories as make
from tests.leaderboard.voting import cast

pytestmark = pytest.mark.django_db

BARE = re.compile(r"#\d{1,3}(?![0-9a-f])|\brank(ed)? \d|\b(is|number|No\.) 1 (of|in)\b", re.IGNORECASE)


def outputs(models) -> list[str]:
    one, two = sorted(model.slug for model in models[:2])
    pages = [f"/models/{model.slug}/" for model in models]
    pages += [f"/models/{model.slug}.md" for model in models]
    return [
        *pages, "/", "/leaderboard/", "/leaderboard/text-to-image/", "/leaderboard/text-to-image.csv", "/llms.txt",
        "/models/", f"/labs/{models[0].lab.slug}/", f"/compare/{one}/{two}/", "/search/?q=Bird", "/models/?for=me",
        "/snapshots/",
    ]  # fmt: skip


@pytest.fixture
def models():
    return [make.make_model(f"bird-{n}", f"Bird {n}") for n in range(4)]


@pytest.mark.parametrize(
    ("count", "lead", "first", "last"),
    [(60, 0.0, "tied 1–4 of 4", "tied 1–4 of 4"), (900, 2.0, "first of 4", "2–4 of 4")],
    ids=["equals", "clear first"],
)
def test_every_output_shows_places_with_their_bounds(client, models, count, lead, first, last):
    category = make.make_category()
    cast(category, models, count, strengths=dict.fromkeys(models, 0.0) | {models[0]: lead})
    ratings.recompute(category)
    taken = snapshots.take(category)
    texts = {}
    for url in [*outputs(models), f"/snapshots/{taken.pk}/"]:
        response = client.get(url)
        assert response.status_code == 200, url
        text = response.content.decode()
        texts[url] = text
        assert not BARE.search(re.sub(r'(href|id|for|src|d|aria-\w+|data-\w+)="[^"]*"', "", text)), url
        for block in re.findall(r"<script type=\"application/ld\+json\"[^>]*>(.*?)</script>", text, re.S):
            for thing in json.loads(block)["@graph"]:
                assert thing["@type"] == "BreadcrumbList" or '"position"' not in json.dumps(thing), url
    for number, place in ((0, first), (3, last)):
        slug = models[number].slug
        assert place in texts[f"/models/{slug}.md"]
        assert place in texts[f"/models/{slug}/"]
    rows = texts["/leaderboard/text-to-image.csv"].splitlines()
    assert first in rows[1]
    assert place in rows[-1]
    if not lead:
        assert "tied with all 4" in texts["/models/bird-3/"]
        assert not re.search(r"first of 4|\b1st\b", "".join(texts.values()))


def test_cards_draw_the_place_and_no_bare_rank(models):
    category = make.make_category()
    cast(category, models, 60)
    ratings.recompute(category)
    places = model_card.model.places_of(models[3])
    assert ("Text to image", "tied 1–4 of 4") in model_card._facts(models[3], places)
    assert board_card.of_category(category, "arena.example")
