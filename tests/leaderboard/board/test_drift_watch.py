"""Hosted models watched for change: which images are the newer ones, and where it is said."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from arena.models import Entry
from leaderboard.board import drift_watch, ratings
from leaderboard.models import Drift
from tests import factories as make
from tests.arena.test_constraints import refuses, update
from tests.leaderboard.voting import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def category():
    return make.make_category()


@pytest.fixture
def models():
    return [make.make_model(name=name) for name in ("Ash", "Birch", "Cedar")]


def test_images_of_the_last_month_are_compared_with_those_before(category, models):
    cast(category, models, 150, days_ago=60)
    Entry.objects.update(created_at=timezone.now() - timedelta(days=60))
    ratings.recompute(category)
    assert not drift_watch.check(category)  # nothing was made since
    cast(category, models, 120, seed=2)
    assert drift_watch.check(category)
    rows = {row.image_model_id: row for row in Drift.objects.all()}
    assert rows.keys() == {model.pk for model in models}
    assert sum(row.votes_before for row in rows.values()) == 300
    assert sum(row.votes_after for row in rows.values()) == 240
    assert not any(row.is_alarm for row in rows.values())  # two prompts can never say it
    models[0].offerings.update(is_active=False)
    drift_watch.check(category)
    assert not Drift.objects.filter(image_model=models[0]).exists()  # nobody hosts it any more
    assert drift_watch.check_due() == [category]
    assert drift_watch.check_due() == []


def test_a_model_that_changed_is_said_on_its_page_and_to_the_curator(client, admin_client, category, models):
    row = Drift.objects.create(
        category=category, image_model=models[0], made_since=timezone.now(), checked_at=timezone.now(), move=-64.2,
        half_width=30.1, is_alarm=True, votes_before=900, votes_after=800,
    )  # fmt: skip
    for page in (client.get(models[0].get_absolute_url()), admin_client.get("/admin/health/")):
        assert "−64 ± 30 Elo. The model behind the name seems to have changed." in page.content.decode()
    refuses("an alarm is beyond its interval", update(row, move=-30.0))
    refuses("a move has a half-width", update(row, half_width=-1))
    again = {"made_since": row.made_since, "checked_at": row.checked_at, "move": 0, "half_width": 1, "is_alarm": False}
    refuses(
        "one drift per category and model",
        lambda: Drift.objects.create(category=category, image_model=models[0], votes_before=1, votes_after=1, **again),
    )
    row.is_alarm = False
    assert row.claim.endswith("No change of the model was found.")
