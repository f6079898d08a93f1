"""The register of models, and the best of a lab's variants."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from leaderboard.board import ratings, register
from leaderboard.models import Rating, RegisteredModel
from leaderboard.profiles import watched
from leaderboard.rating.ranks import expected_maximum
from tests import factories as make
from tests.arena.test_constraints import refuses, update
from tests.leaderboard.voting import cast

pytestmark = pytest.mark.django_db


def test_the_best_of_equals_is_lucky():
    assert [round(expected_maximum(n), 2) for n in (1, 2, 3, 5, 10)] == [0.0, 0.56, 0.85, 1.16, 1.54]


@pytest.fixture
def siblings():
    """Three variants of one lab, one of them far better, and a model of another lab."""
    category = make.make_category()
    models = [make.make_model(name=name) for name in ("Ash 1", "Ash 2", "Ash 3", "Birch")]
    for model in models[1:3]:
        model.lab = models[0].lab
        model.save()
    if models[3].lab_id == models[0].lab_id:
        models[3].lab = None
        models[3].save()
    cast(category, models, 200, strengths=dict.fromkeys(models, 0.0) | {models[0]: 1.5}, days_ago=40)
    ratings.recompute(category)
    return category, models


def test_the_register_names_every_model_with_its_days_and_forgets_none(client, siblings):
    category, models = siblings
    register.update()
    day = timezone.now().date() - timedelta(days=40)
    assert set(RegisteredModel.objects.values_list("image_model", "first_day", "last_day")) == {
        (model.pk, day, day) for model in models
    }
    cast(category, models[:2], 4)
    register.update()
    rows = {row.image_model_id: row for row in RegisteredModel.objects.all()}
    assert rows[models[0].pk].last_day == timezone.now().date()
    assert (rows[models[0].pk].first_day, rows[models[3].pk].last_day) == (day, day)
    page = client.get("/data/").content.decode()
    assert all(model.name in page for model in models)
    refuses("a last day follows the first", update(rows[models[0].pk], last_day=day - timedelta(days=1)))
    again = {"first_day": day, "last_day": day, "category": category, "image_model": models[0]}
    refuses("a model is registered once", lambda: RegisteredModel.objects.create(**again))


def best(model, rating):
    return register.best_of_variants(model, rating, watched.of_model(model, rating.category).variants)


def test_the_best_of_a_labs_variants_is_called_so_until_it_has_votes_of_its_own(client, siblings, monkeypatch):
    category, models = siblings
    rating = Rating.objects.get(image_model=models[0])
    assert best(models[0], rating) is None  # nothing is registered yet
    register.update()
    luck = best(models[0], rating)
    assert (luck.variants, luck.elo) == (3, pytest.approx(0.846 * rating.se, rel=1e-2))
    assert "The best of 3 variants" in client.get(models[0].get_absolute_url()).content.decode()
    for other in models[1:]:
        assert best(other, Rating.objects.get(image_model=other)) is None
    monkeypatch.setattr(register, "ENOUGH_VOTES", 5)
    cast(category, [models[0], models[3]], 5)
    assert best(models[0], rating) is None
    monkeypatch.setattr(register, "ENOUGH_VOTES", 6)
    assert best(models[0], rating) is not None
    cast(category, models[:2], 1)  # a sibling is back
    register.update()
    assert best(models[0], rating) is None
