"""How far the images of a competition have come, as the page says it to who asked for them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from arena.generation import cost_estimates
from arena.generation.cost_estimates import Counts
from arena.models import Competition, Generation
from providers.models import ImageModel
from tests import factories as make
from tests.arena.test_admin import ask


@pytest.mark.parametrize(
    ("unfinished", "done_in_ten_minutes", "rate", "left"),
    [
        (30, 5, 0.5, "60 min"),
        (1, 40, 4.0, "1 min"),  # rounded up
        (119, 10, 1.0, "119 min"),
        (120, 10, 1.0, "2 h"),
        (10, 0, 0.0, "–"),  # nothing moves
        (0, 5, 0.5, "–"),  # nothing is left
    ],
)
def test_the_time_left_is_that_of_the_rate_of_the_last_ten_minutes(unfinished, done_in_ten_minutes, rate, left):
    counts = Counts(queued=unfinished, recent_images=done_in_ten_minutes)
    assert (counts.a_minute, counts.time_left_text) == (rate, left)


def image(competition: Competition, image_model: ImageModel, status: str, **fields: Any) -> Generation:
    times = {"started_at": timezone.now(), "finished_at": timezone.now()} if status != "queued" else {}
    prompt = make.make_prompt(competition)
    return Generation.objects.create(prompt=prompt, image_model=image_model, status=status, **times | fields)


@pytest.mark.django_db
def test_the_page_of_progress_shows_rate_and_time_left_of_a_model(curator):
    competition, image_model = make.make_competition(), make.make_offering().image_model
    for _ in range(3):
        image(competition, image_model, "queued")
    earlier = timezone.now() - cost_estimates.RATE_WINDOW - timedelta(seconds=1)
    for finished in (timezone.now(), timezone.now(), earlier):
        image(competition, image_model, "succeeded", started_at=earlier, finished_at=finished)
    page = " ".join(curator.get(f"{ask(competition)}progress/").content.decode().split())
    assert "<td>0.2</td> <td>15 min</td>" in page  # two images in ten minutes, three to go


@pytest.mark.django_db
def test_what_was_cancelled_and_further_samples_of_a_prompt_are_not_among_the_images(curator):
    competition, image_model = make.make_competition(), make.make_offering().image_model
    row = image(competition, image_model, "queued")
    cancelled = image(competition, image_model, "queued")
    Generation.objects.filter(pk=cancelled.pk).update(
        status="cancelled", error="Called off.", finished_at=timezone.now()
    )
    Generation.objects.create(prompt=row.prompt, image_model=image_model, sample=1)
    assert cost_estimates.counts_of(competition) == {image_model.pk: Counts(queued=1)}
    (quote,) = cost_estimates.of(competition)
    assert quote.missing == 1  # the cancelled one can be asked for again
