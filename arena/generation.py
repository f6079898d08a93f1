"""Generating the images: plan, dispatch, claim, run, store.

The rows are the queue. A worker owns a generation by moving it to `running` in one UPDATE (compare-and-set) for the
length of its lease; when a worker dies, the lease runs out and the row is due again. An image is stored only while the
attempt that brought it still owns the row, so nothing is ever stored twice. What cannot be sent now – a limit, an open
circuit, a spending cap – goes back into the queue with the reason and uses up no attempt.
"""

from __future__ import annotations

import logging
import random
import secrets
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from arena import cost_estimates, images, spend_cap
from providers import routing
from providers.errors import NotSent, ProviderError
from providers.models import ImageModel
from providers.request import ImageRequest, SourceImage

from .models import Competition, Entry, Generation, Prompt
from .models.generations import GenerationQuerySet, Status

log = logging.getLogger(__name__)

REDISPATCH_SECONDS = 10  # a task message that no worker took for this long was lost: it is sent again
DISPATCH_LIMIT = 200  # task messages in one run; what is left waits for the next
# Nobody knows what a worker that died was charged: its attempt counts with what it was expected to cost.
_SPENT_BY_THE_DEAD = F("spent") + Coalesce("expected_cost", Decimal(0))


# Plan ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan(prompt: Prompt, image_models: Iterable[ImageModel]) -> int:
    """Queue what is missing of these models' answers to the prompt; returns how many were queued. Again: 0."""
    with transaction.atomic():
        before = prompt.generations.count()
        Generation.objects.bulk_create(
            [
                Generation(prompt=prompt, image_model=image_model, attempts_left=settings.GENERATION_ATTEMPTS)
                for image_model in image_models
            ],
            ignore_conflicts=True,
        )
        return prompt.generations.count() - before


def retry_capped(competition: Competition) -> int:
    """The competition's spend cap was changed: what waited for it is due now; returns how many."""
    capped = Generation.objects.filter(prompt__competition=competition, status=Status.QUEUED, outcome="spend_cap")
    return capped.to_queued(timezone.now())


def retry_failed(generations: Iterable[Generation]) -> int:
    """Queue failed generations once more; returns how many. The row keeps its count of attempts, which fences it."""
    failed = Generation.objects.filter(pk__in=[generation.pk for generation in generations], status=Status.FAILED)
    return failed.to_queued(timezone.now(), attempts_left=settings.GENERATION_ATTEMPTS)


# Dispatch ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def take_due() -> list[int]:
    """Ids of the generations to send task messages for: due, and none sent in the last few seconds."""
    now = timezone.now()
    due = (
        Generation.objects.due()
        .filter(Q(dispatched_at=None) | Q(dispatched_at__lte=now - timedelta(seconds=REDISPATCH_SECONDS)))
        .order_by("due_at")
    )
    with transaction.atomic():
        pks = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:DISPATCH_LIMIT])
        Generation.objects.filter(pk__in=pks).update(dispatched_at=now)
    return pks


# Run ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def run(pk: int) -> None:
    """Run one generation if it is due, and leave it succeeded, failed or queued again. Safe to call any time, twice."""
    generation = claim(pk)
    if generation is None:
        return
    generated: routing.Generated | None = None
    try:
        generated = routing.generate(
            generation.image_model,
            request_for(generation.prompt),
            "arena",
            time_limit=settings.GENERATION_TIME_LIMIT,
        )
        derivatives = images.normalise(generated.image.data, generation.prompt.competition.shape)
    except NotSent as error:
        _requeue(generation, error)
    except ProviderError as error:
        # What may have been charged already is tried once more, and not until the attempts are used up.
        retry = error.retry and not (error.possibly_charged and generation.attempt > 1)
        _settle(generation, error.outcome, str(error), retry=retry, retry_after=error.retry_after, spent=error.spent)
    except images.BadImage as error:
        _settle(generation, "bad_output", str(error), retry=False, spent=_spent(generation, generated))
    except Exception as error:  # whatever it is, the row must say so instead of waiting for its lease to run out
        log.exception("generation %s", pk)
        _settle(
            generation,
            "internal",
            f"{type(error).__name__}: {error}",
            retry=True,
            spent=_spent(generation, generated),
        )
    else:
        store(generation, generated, derivatives)


def claim(pk: int) -> Generation | None:
    """Own the generation for one attempt, or None when it is not due (any more), out of attempts, or above a cap."""
    try:
        with transaction.atomic():
            return _claim(pk)
    except spend_cap.CapReached as error:
        due_at = timezone.now() + timedelta(seconds=error.retry_after or 0)
        Generation.objects.due().filter(pk=pk).to_queued(due_at, error.outcome, str(error), spent=_SPENT_BY_THE_DEAD)
        return None


def _claim(pk: int) -> Generation | None:
    now = timezone.now()
    lease = timedelta(seconds=settings.GENERATION_TIME_LIMIT + settings.GENERATION_LEASE_GRACE)
    due = Generation.objects.due().filter(pk=pk)
    claimed = due.filter(attempts_left__gt=0).to_running(
        now + lease,
        attempt=F("attempt") + 1,
        attempts_left=F("attempts_left") - 1,
        expected_cost=None,
        spent=_SPENT_BY_THE_DEAD,
    )
    if not claimed:
        # Only a generation whose every worker died can be due without attempts left.
        due.filter(status=Status.RUNNING, attempts_left=0).to_failed(
            "internal", "Every worker that tried this died before it was done.", spent=_SPENT_BY_THE_DEAD
        )
        return None
    generation = Generation.objects.select_related("prompt__competition__category", "image_model").get(pk=pk)
    competition = generation.prompt.competition
    generation.expected_cost = routing.likely_cost(generation.image_model, cost_estimates.request_of(competition))
    spend_cap.check(competition, generation.expected_cost)
    generation.save(update_fields=["expected_cost"])
    return generation


def request_for(prompt: Prompt) -> ImageRequest:
    """What every model is asked for this prompt: the same words, shape and scale."""
    sources: tuple[SourceImage, ...] = ()
    if prompt.source_image:
        with prompt.source_image.open("rb") as file:
            sources = (SourceImage(file.read(), "image/jpeg"),)
    return ImageRequest(
        prompt=prompt.text,
        mode="edit" if sources else "text-to-image",
        aspect_ratio=prompt.competition.shape,
        resolution=cost_estimates.RESOLUTION,
        images=sources,
    )


def store(generation: Generation, generated: routing.Generated, derivatives: images.Derivatives) -> Entry | None:
    """Create the entry, unless this attempt has lost the row meanwhile: then its files are deleted again (None)."""
    data = generated.image.data
    files = {
        "image": _save("battle", "webp", derivatives.image),
        "small": _save("battle", "webp", derivatives.small),
        "thumbnail": _save("public", "webp", derivatives.thumbnail),
        "original": _save("originals", images.extension(data), data),
    }
    with transaction.atomic():
        if _owned(generation).to_succeeded(spent=F("spent") + generated.spent):
            return Entry.objects.create(
                generation=generation,
                prompt=generation.prompt,
                image_model=generation.image_model,
                call=generated.call,
                width=derivatives.width,
                height=derivatives.height,
                pipeline=images.PIPELINE,
                seed="" if generated.images[0].seed is None else str(generated.images[0].seed)[:40],
                **files,
            )
    log.warning("generation %s: attempt %s came too late", generation.pk, generation.attempt)
    for name in files.values():
        default_storage.delete(name)
    return None


def re_encode(entry: Entry) -> None:
    """Replace the entry's files by those of today's pipeline, from its original. Raises BadImage, FileNotFoundError.

    Battles that are open show the new files at their old URLs; the old files go last, so nothing is ever missing.
    """
    with entry.original.open("rb") as file:
        derivatives = images.normalise(file.read(), entry.prompt.competition.shape)
    old = [str(file.name) for file in (entry.image, entry.small, entry.thumbnail)]
    Entry.objects.filter(pk=entry.pk).update(
        image=_save("battle", "webp", derivatives.image),
        small=_save("battle", "webp", derivatives.small),
        thumbnail=_save("public", "webp", derivatives.thumbnail),
        width=derivatives.width,
        height=derivatives.height,
        pipeline=images.PIPELINE,
    )
    for name in old:
        default_storage.delete(name)


def _save(folder: str, extension: str, data: bytes) -> str:
    """Store under a random name, and return it with its folder."""
    return default_storage.save(f"{folder}/{secrets.token_hex(16)}.{extension}", ContentFile(data))


def _spent(generation: Generation, generated: routing.Generated | None) -> Decimal:
    """What an attempt has cost that ended in an error of ours: when we do not know, what it was expected to cost."""
    return generated.spent if generated else generation.expected_cost or Decimal(0)


def _settle(
    generation: Generation,
    outcome: str,
    error: str,
    *,
    retry: bool,
    spent: Decimal,
    retry_after: float | None = None,
) -> None:
    """No image: queue the row again after a growing pause, or fail it with the reason."""
    total = F("spent") + spent
    if retry and generation.attempts_left > 0:
        due_at = timezone.now() + _pause(generation.attempt, retry_after)
        _owned(generation).to_queued(due_at, outcome, error, spent=total)
    else:
        _owned(generation).to_failed(outcome, error, spent=total)


def _requeue(generation: Generation, error: NotSent) -> None:
    """Nothing was sent: back into the queue as if this attempt had never started, until it may be sent.

    Taking the attempt's number back cannot confuse the fence: an older attempt that is still at work has a smaller one,
    and the next claim counts up again.
    """
    _owned(generation).to_queued(
        timezone.now() + timedelta(seconds=max(0.5, error.retry_after or 0)),
        error.outcome,
        str(error),
        attempt=F("attempt") - 1,
        attempts_left=F("attempts_left") + 1,
    )


def _owned(generation: Generation) -> GenerationQuerySet:
    """The row, as long as this attempt owns it."""
    rows: GenerationQuerySet = Generation.objects.filter(
        pk=generation.pk, status=Status.RUNNING, attempt=generation.attempt
    )
    return rows


def _pause(attempt: int, retry_after: float | None) -> timedelta:
    """5, 10, 20 … seconds with jitter, so that a provider's bad minute is not answered by a thundering herd."""
    seconds = settings.GENERATION_BACKOFF * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)  # noqa: S311 – jitter
    return timedelta(seconds=max(seconds, retry_after or 0))
