"""Ask the models, at the size of a public arena: fifty models by three hundred prompts."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from arena.models import Competition, Generation, Prompt
from tests import factories as make
from tests.arena.test_admin import ask

pytestmark = pytest.mark.django_db


def test_a_link_ticks_all_those_with_a_price_or_those_that_cost_nothing(curator, real_prices):
    competition = make.make_prompt().competition
    priced, free = make.make_offering(provider="fal", price="0.04"), make.make_offering(price="7")
    unknown = make.make_offering(provider="fal", price=None)

    def ticked(tick):
        page = curator.get(f"{ask(competition)}?tick={tick}").content.decode()
        boxes = re.findall(r'name="model" value="(\d+)"([^>]*)>', page)
        return {int(pk) for pk, rest in boxes if rest.endswith(" checked")}, page

    models = [offering.image_model_id for offering in (priced, free, unknown)]
    assert ticked("missing")[0] == set(models)
    assert ticked("priced")[0] == set(models[:2])
    assert ticked("free")[0] == {models[1]}
    assert ticked("nonsense")[0] == set()
    assert "2 images of 2 models cost about $0.04." in ticked("priced")[1], "the total is of what is ticked"
    everything = "3 images of 3 models cost about $0.29. That counts $0.25 for each image of 1 model whose price is not"
    assert f"All that is missing: {everything} known." in ticked("")[1]


def test_what_was_ticked_stays_ticked_when_the_sum_passes_a_cap_and_on_the_way_back(curator, real_prices):
    competition = make.make_prompt().competition
    Competition.objects.filter(pk=competition.pk).update(spend_cap="1")
    dear, cheap, other = (make.make_offering(provider="fal", price=price) for price in ("7000", "0.04", "0.05"))

    def ticked(page):
        return set(re.findall(r'name="model" value="(\d+)"[^>]* checked>', page))

    chosen = [dear.image_model_id, cheap.image_model_id]
    refused = curator.post(ask(competition), {"action": "review", "model": chosen, "again": "on"}, follow=True)
    page = refused.content.decode()
    assert "would cost $7,000.04: more than its cap of $1.00" in page
    assert ticked(page) == {str(pk) for pk in chosen}
    assert 'name="again" checked' in page
    chosen = [cheap.image_model_id, other.image_model_id]
    review = curator.post(ask(competition), {"action": "review", "model": chosen}).content.decode()
    (back,) = re.findall(r'href="([^"]*)">Back<', review)
    assert ticked(curator.get(unescape(back)).content.decode()) == {str(pk) for pk in chosen}


def test_progress_says_what_of_other_competitions_comes_first(curator):
    mine, other = make.make_prompt().competition, make.make_prompt(text="Earlier").competition
    model = make.make_offering().image_model
    now = timezone.now()

    def queue(competition, minutes):
        due = now - timedelta(minutes=minutes)
        return Generation.objects.create(prompt=competition.prompts.get(), image_model=model, due_at=due)

    def page():
        return " ".join(curator.get(f"{ask(mine)}progress/").content.decode().split())

    first = "First in the queue: 1 image that other competitions asked for earlier."
    queue(mine, 5)
    later = queue(other, 4)
    assert "First in the queue" not in page()
    Generation.objects.filter(pk=later.pk).update(due_at=now - timedelta(minutes=6))
    assert first in page()
    Competition.objects.filter(pk=other.pk).update(paused_at=now)
    assert "First in the queue" not in page(), "what is paused does not run"
    Competition.objects.filter(pk=other.pk).update(paused_at=None)
    Competition.objects.filter(pk=mine.pk).update(paused_at=now)
    assert "First in the queue" not in page()


def test_what_failed_for_one_reason_is_retried_over_all_models_at_once(curator):
    competition = make.make_prompt().competition
    models = [make.make_offering().image_model for _ in range(3)]
    outcomes = ("auth", "auth", "timeout")
    rows = [
        Generation.objects.create(
            prompt=competition.prompts.get(), image_model=model, status="failed", outcome=outcome,
            error=f"Told by {outcome}.", attempt=1, started_at=timezone.now(), finished_at=timezone.now(),
        )
        for model, outcome in zip(models, outcomes, strict=True)
    ]  # fmt: skip
    page = " ".join(curator.get(ask(competition)).content.decode().split())
    assert "2 failed (auth), for example: “Told by auth.”" in page
    assert "1 failed (timeout), for example: “Told by timeout.”" in page
    (form,) = re.findall(r"<form(?:(?!</form>).)*Retry 2</button>", page)
    chosen = [int(pk) for pk in re.findall(r'name="model" value="(\d+)"', form.rpartition("<form")[2])]
    assert chosen == [model.pk for model in models[:2]]
    curator.post(ask(competition), {"action": "retry", "outcome": "auth", "model": [m.pk for m in models]})
    assert [Generation.objects.get(pk=row.pk).status for row in rows] == ["queued", "queued", "failed"]


def test_progress_of_fifty_models_and_a_hundred_prompts_takes_few_queries(curator, django_assert_max_num_queries):
    """Rows as the site stores them, in bulk: every state, several reasons to fail, two curators who see the same."""
    competition, now = make.make_competition(), timezone.now()
    prompts = Prompt.objects.bulk_create(
        Prompt(competition=competition, text=f"Prompt {number}") for number in range(100)
    )
    lab = make.make_model().lab
    models = [make.make_model(f"model-{number}", lab=lab) for number in range(50)]
    for model in models:
        make.make_offering(model)
    states = {
        "queued": {},
        "running": {"started_at": now, "lease_expires_at": now + timedelta(minutes=1), "attempt": 1},
        "succeeded": {"started_at": now, "finished_at": now, "spent": Decimal("0.01")},
        "failed": {"started_at": now, "finished_at": now, "error": "x", "outcome": "timeout"},
        "refused": {"started_at": now, "finished_at": now, "error": "x", "outcome": "content_policy"},
    }
    names = list(states)
    Generation.objects.bulk_create(
        (
            Generation(
                prompt=prompt,
                image_model=model,
                status="failed" if (name := names[(row + column) % 5]) == "refused" else name,
                **states[name],
            )
            for row, prompt in enumerate(prompts)
            for column, model in enumerate(models)
        ),
        batch_size=1_000,
    )
    other = Client()
    other.force_login(User.objects.create_superuser("another"))
    for fragment in ("", "progress/", f"total/?{'&'.join(f'model={model.pk}' for model in models)}"):
        with django_assert_max_num_queries(20):
            page = curator.get(f"{ask(competition)}{fragment}")
        assert page.status_code == 200
        assert len(page.content) < 250_000, fragment
    progress = [who.get(f"{ask(competition)}progress/").content.decode() for who in (curator, other)]
    seen = [re.sub(r'name="csrfmiddlewaretoken" value="[^"]+"', "", page) for page in progress]
    assert seen[0] == seen[1]
    assert "1000 of 5000 images, 2000 failed" in seen[0]
    assert "Cancel 1000 queued" in seen[0]
    assert "timeout 20" in seen[0]
    with django_assert_max_num_queries(30):
        curator.post(ask(competition), {"action": "cancel"})
    assert Generation.objects.filter(status="cancelled").count() == 1_000
    with django_assert_max_num_queries(45):
        curator.post(ask(competition), {"action": "retry", "model": models[0].pk, "outcome": "timeout"})
    assert Generation.objects.filter(status="queued").count() == 20
