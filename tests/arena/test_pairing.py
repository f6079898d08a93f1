"""The pool of a category: read again when an image came or went, and only then."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from arena import matchmaking, pairing
from arena.models import Competition, Entry, Prompt
from providers.models import ImageModel
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries():
    prompt = make.make_prompt()
    return [make.make_entry(prompt) for _ in range(4)]


@pytest.fixture
def category(entries):
    category = entries[0].prompt.competition.category
    models = sorted(entry.image_model_id for entry in entries)
    pairing.store_pair_scores(category, matchmaking.Table(tuple(models), 1 - pairing.np.eye(4), frozenset(models[:1])))
    return category


def after_three_seconds(category):
    pairing.pools.clear()
    return pairing.pool(category)


def images(pool):
    return {candidate.entry for candidate in pool.candidates}


def test_a_pool_of_which_nothing_changed_is_asked_for_in_one_query(category, django_assert_num_queries):
    pool = after_three_seconds(category)
    assert pool.table.provisional == {pool.table.models[0]}
    with django_assert_num_queries(1):
        assert after_three_seconds(category) is pool


def test_new_scores_leave_the_images_as_they_are(category, django_assert_num_queries):
    before = after_three_seconds(category)
    chances = before.chances
    scores = before.table.scores.copy()
    scores[0, 1] = scores[1, 0] = 9
    pairing.store_pair_scores(category, matchmaking.Table(before.table.models, scores))
    with django_assert_num_queries(2):
        pool = after_three_seconds(category)
    assert pool.entries is before.entries
    assert (pool.chances != chances).any()


def hide(entries):
    Entry.objects.filter(pk=entries[0].pk).update(hidden_at=timezone.now())


def retire(entries):
    Entry.objects.filter(pk=entries[0].pk).update(retired_at=timezone.now(), retired_reason="a test")


def retire_its_model(entries):
    ImageModel.objects.filter(pk=entries[0].image_model_id).update(retired_at=timezone.now())


@pytest.mark.parametrize("leave", [hide, retire, retire_its_model])
def test_an_image_that_leaves_is_out_of_the_next_pool(category, entries, leave):
    assert images(after_three_seconds(category)) == {entry.pk for entry in entries}
    leave(entries)
    assert images(after_three_seconds(category)) == {entry.pk for entry in entries[1:]}
    Entry.objects.update(hidden_at=None, retired_at=None, retired_reason="")
    ImageModel.objects.update(retired_at=None)
    assert len(images(after_three_seconds(category))) == 4


def test_images_come_with_a_prompt_and_go_with_it_or_its_competition(category, entries):
    after_three_seconds(category)
    prompt = make.make_prompt(entries[0].prompt.competition)
    fresh = make.make_entry(prompt, entries[0].image_model)
    assert fresh.pk in images(after_three_seconds(category))
    Prompt.objects.filter(pk=prompt.pk).update(retired_at=timezone.now())
    assert fresh.pk not in images(after_three_seconds(category))
    Competition.objects.update(closes_at=timezone.now() - timedelta(seconds=1))
    assert images(after_three_seconds(category)) == set()
