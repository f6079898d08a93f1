"""The demo's content: complete, safe to add again, and never at anybody's expense."""

from __future__ import annotations

import pytest

from arena.demo import seed
from arena.models import Competition, Generation, ImportedVote, Prompt
from config import settings as shipped
from leaderboard.board import ratings
from leaderboard.models import Rating
from providers.catalog import load
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_seeding_twice_changes_nothing_and_asks_only_sample_models(settings, simulated):
    # Real providers with keys are within reach, and still nobody is asked.
    real = {key: config for key, config in shipped.PROVIDERS.items() if not config.get("simulated")}
    settings.PROVIDERS = settings.PROVIDERS | {key: config | {"api_key": "a real key"} for key, config in real.items()}
    load.load()
    sold = make.make_offering(make.make_model("sold-sample", origin="sample"), provider="fal", price="0.04")
    first = seed.seed()
    assert not sold.image_model.generations.exists()
    assert first.prompts == Prompt.objects.count() >= 16
    assert first.votes == ImportedVote.objects.count() == 12_411 + 19_332
    assert first.queued == Generation.objects.count() == 8 * Prompt.objects.count()
    assert set(Generation.objects.values_list("image_model__origin", flat=True)) == {"sample"}
    mode = "prompt__competition__category__mode"  # no category waits until another is done
    asked_first = Generation.objects.order_by("due_at").values_list(mode, flat=True)[: 8 * Competition.objects.count()]
    assert set(asked_first) == {"text-to-image", "edit"}
    assert seed.seed() == seed.SeedResult(prompts=0, queued=0, votes=0)
    assert Generation.objects.count() == first.queued


def test_the_imported_boards_stand_at_once_with_source_and_licence():
    seed.seed()
    ratings.recompute_moved()
    assert Rating.objects.filter(category__slug="imagenhub-text-to-image").count() == 7
    assert Rating.objects.filter(category__slug="imagenhub-image-editing").count() == 9
    for rating in Rating.objects.select_related("category"):
        assert rating.category.source_name
        assert rating.category.source_licence == "MIT"


def test_editing_prompts_have_their_photograph_and_its_credit():
    seed.seed()
    editing = Prompt.objects.filter(competition__category__mode="edit")
    assert editing.count() >= 6
    for prompt in editing:
        assert prompt.source_image.size > 10_000
        assert prompt.source_credit
    assert Competition.objects.open().count() == Competition.objects.count()
