"""What a week changed, on the pages that say so: before on the left, now on the right, gains with a plus."""

from __future__ import annotations

import html
import re

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from arena.models import Category
from leaderboard.board import ratings, snapshots
from leaderboard.news import changes
from leaderboard.news.movements import Mark, Move
from leaderboard.rating.place import Place
from tests import factories as make
from tests.leaderboard.voting import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def risen():
    """Four equal models, of which the first then wins nearly all its votes: two snapshots, and the board between."""
    models = [make.make_model(f"bird-{n}", f"Bird {n}", origin="catalog") for n in range(4)]
    category = make.make_category()
    cast(category, models, 200)
    ratings.recompute(category)
    before = snapshots.take(category)
    cast(category, models, 800, strengths=dict.fromkeys(models, 0.0) | {models[0]: 3.0}, seed=2)
    ratings.recompute(category, force=True)
    return category, models[0], before, snapshots.take(category)


def text_of(response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", response.content.decode())).split())


def test_a_board_and_its_snapshot_are_read_alike(risen):
    category, _, _, after = risen
    stored = changes.marks(after)
    for rating in category.ratings.all():
        then, now = stored[rating.image_model.export_name], changes._current(rating)
        assert then.place.low == now.place.low == rating.rank_low
        assert (then.elo, then.se, then.plain_se) == pytest.approx((now.elo, now.se, now.plain_se), abs=1e-5)


def test_a_move_is_shown_from_before_to_now():
    before, now = Mark(1000.4, 9, Place(3, 4, 5)), Mark(1100.4, 9, Place(1, 2, 5))
    moves = [(Move(name, kind, before, now), None) for name, kind in (("Kite", "moved"), ("Reed", "new"))]
    week = changes.RecentChanges(changes.Moved(timezone.now(), 7, moves, 3), [], [], [])
    page = render_to_string("leaderboard/rankings/_week.html", {"week": week, "category": Category(slug="kites")})
    said = " ".join(html.unescape(re.sub(r"<[^>]*>", " ", page)).split())
    assert "Kite 3–4 of 5 → 1–2 of 5 Elo 1000 → 1100" in said
    assert "Reed new 1–2 of 5, Elo 1100" in said
    assert "3 smaller changes the votes’ noise explains" in said


def test_a_snapshot_shows_a_gain_with_a_plus_and_a_loss_with_a_minus(client, risen):
    _, model, before, after = risen
    then = {row["model"]: float(row["elo"]) for row in before.ratings}
    page = text_of(client.get(f"/snapshots/{after.pk}/"))
    for row in after.ratings:
        change = float(row["elo"]) - then[row["model"]]
        assert (change > 0) == (row["model"] == model.export_name)
        assert f"{change:+.0f}".replace("-", "−") in page
