"""Generating the images: plan, dispatch, claim, run, store.

The rows are the queue. A worker owns a generation by moving it to `running` in one UPDATE (compare-and-set) for the
length of its lease; when a worker dies, the lease runs out and the row is due again. An image is stored only while the
attempt that brought it still owns the row, so nothing is ever stored twice. What cannot be sent now – a limit, an open
circuit, a spending cap – goes back into the queue with the reason and uses up no attempt.

An image is bought once. Storing it is part of the attempt: when the file store does not take it, its bytes wait in the
database (`SpooledImage`, status `storing`) and are stored from there, without asking the provider again. While files
cannot be stored, nobody is asked. What was retired or closed while it was queued is cancelled instead of asked.

A fault that may pass – the provider is down, hangs, answers with garbage – is tried again after growing pauses, over
about ten minutes. What may have been charged without bringing an image is tried once more, minutes later.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from time import sleep
from typing import Any

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone

from arena import cost_estimates, images, spend_cap
from providers import file_store, routing
from providers.accounts import is_simulated
from providers.db import release_connection
from providers.errors import (
    BadOutput,
    CapReached,
    NetworkError,
    NotSent,
    ProviderError,
    ProviderFailure,
    RateLimited,
    TimedOut,
)
from providers.models import Call, ImageModel
from providers.request import ImageRequest, SourceImage

from .models import Competition, Entry, Generation, Prompt, SpooledImage
from .models.generations import GenerationQuerySet, Status

log = logging.getLogger(__name__)

REDISPATCH_SECONDS = 10  # a task message that no worker took for this long was lost: it is sent again
DISPATCH_LIMIT = 200  # task messages in one run; what is left waits for the next
MAX_CHARGED = 2  # attempts at one image that may cost real money
MAX_PAUSE = timedelta(minutes=5)
STORE_PAUSE = timedelta(seconds=10)  # before a spooled image is tried again
FAULTS_THAT_PASS = (RateLimited, TimedOut, ProviderFailure, NetworkError, BadOutput)
# Nobody knows what a worker that died was charged: its attempt counts with what it was expected to cost.
_SPENT_BY_THE_DEAD = F("spent") + Coalesce("expected_cost", Decimal(0))


# Plan ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def plan(prompt: Prompt, image_models: Iterable[ImageModel]) -> int:
    """Queue what is missing of these models' answers to the prompt, what was cancelled included; returns how many
    generations were queued. The second time: 0."""
    image_models = list(image_models)
    with transaction.atomic():
        before = prompt.generations.count()
        Generation.objects.bulk_create(
            [
                Generation(prompt=prompt, image_model=image_model, attempts_left=settings.GENERATION_ATTEMPTS)
                for image_model in image_models
            ],
            ignore_conflicts=True,
        )
        cancelled = Generation.objects.filter(prompt=prompt, image_model__in=image_models, status=Status.CANCELLED)
        return prompt.generations.count() - before + _requeue(cancelled)


def plan_all(competition: Competition, image_models: Iterable[ImageModel]) -> int:
    """`plan` for all current prompts of a competition at once, the first prompts of all models first."""
    image_models = list(image_models)
    prompts = list(competition.prompts.current().order_by("position", "pk"))
    planned = Generation.objects.filter(prompt__in=prompts, image_model__in=image_models)
    with transaction.atomic():
        # Two curators at once: the second one waits, and then finds nothing missing.
        Competition.objects.select_for_update(no_key=True).get(pk=competition.pk)
        before = planned.count()
        Generation.objects.bulk_create(
            [
                Generation(prompt=prompt, image_model=image_model, attempts_left=settings.GENERATION_ATTEMPTS)
                for prompt in prompts
                for image_model in image_models
            ],
            batch_size=2_000,
            ignore_conflicts=True,
        )
        return planned.count() - before + _requeue(planned.filter(status=Status.CANCELLED))


def retry_capped(competition: Competition) -> int:
    """The competition's spend cap was changed: what waited for it is due now; returns how many."""
    capped = Generation.objects.filter(prompt__competition=competition, status=Status.QUEUED, outcome="spend_cap")
    return capped.to_queued(timezone.now())


def retry_failed(generations: Iterable[Generation]) -> int:
    """Queue failed generations once more; returns how many. The row keeps its count of attempts, which fences it."""
    pks = [generation.pk for generation in generations]
    return _requeue(Generation.objects.filter(pk__in=pks, status=Status.FAILED))


def cancel(generations: GenerationQuerySet, reason: str) -> int:
    """Cancel what is queued and not sent yet; returns how many."""
    return generations.filter(status=Status.QUEUED).to_cancelled(reason)


def _requeue(generations: GenerationQuerySet) -> int:
    return generations.to_queued(timezone.now(), attempts_left=settings.GENERATION_ATTEMPTS, charged_attempts=0)


# Dispatch ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def take_due() -> list[int]:
    """Ids of the generations to send task messages for: due, and none sent in the last few seconds.

    None while files cannot be stored: an image that is asked for then could not be stored.
    """
    if file_store.trouble():
        return []
    now = timezone.now()
    due = (
        Generation.objects.due()
        .exclude(status=Status.QUEUED, prompt__competition__paused_at__isnull=False)
        .filter(Q(dispatched_at=None) | Q(dispatched_at__lte=now - timedelta(seconds=REDISPATCH_SECONDS)))
        .order_by("due_at", "pk")
    )
    with transaction.atomic():
        pks = list(due.select_for_update(skip_locked=True, of=("self",)).values_list("pk", flat=True)[:DISPATCH_LIMIT])
        Generation.objects.filter(pk__in=pks).update(dispatched_at=now)
    return pks


# Run ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def run(pk: int) -> None:
    """Run one generation if it is due, and leave it succeeded, failed, storing or queued again. Safe to call any time,
    twice."""
    if trouble := file_store.trouble():
        log.warning("generation %s is not run: files cannot be stored (%s)", pk, trouble)
        return
    generation = claim(pk)
    if generation is None:
        _store_spooled(pk)
        return
    try:
        generated = routing.generate(
            generation.image_model, request_for(generation.prompt), "arena", time_limit=_time_limit(generation.attempt)
        )
    except NotSent as error:
        _unclaim(generation, error)
    except ProviderError as error:
        passes = isinstance(error, FAULTS_THAT_PASS)
        _settle(generation, error.outcome, str(error), passes, _is_charged(generation, error), error.spent, error)
    except Exception as error:  # whatever it is, the row must say so instead of waiting for its lease to run out
        log.exception("generation %s", pk)
        # How far it came is unknown, and so is what it was charged: as much as was expected.
        charged, spent = _costs_money(generation), generation.expected_cost or Decimal(0)
        _settle(generation, "internal", f"{type(error).__name__}: {error}", True, charged, spent)
    else:
        _finish(generation, generated)


def _finish(generation: Generation, generated: routing.Generated) -> None:
    """Store what was paid for. An error on this side – of the file store, of the database – spools the bytes."""
    try:
        derivatives = images.normalise(generated.image.data, generation.prompt.competition.shape)
    except images.BadImage as error:
        charged = not is_simulated(generated.provider)
        _settle(generation, "bad_output", str(error), True, charged, generated.spent)
        return
    except Exception as error:
        log.exception("generation %s cannot be normalised", generation.pk)
        _spool(generation, generated, f"{type(error).__name__}: {error}")
        return
    try:
        store(generation, generated, derivatives)
    except (file_store.StoreUnwritable, DatabaseError) as error:
        log.error("generation %s is not stored yet: %s", generation.pk, error)
        _spool(generation, generated, str(error))


def claim(pk: int) -> Generation | None:
    """Own the generation for one attempt. None when it is not due (any more), paused, cancelled – because it was
    retired or its competition closed meanwhile –, out of attempts, or above a cap; the row then says which."""
    with transaction.atomic():
        generation: Generation | None = (
            Generation.objects.due()
            .exclude(status=Status.STORING)
            .select_related("prompt__competition__category", "image_model")
            .select_for_update(skip_locked=True, of=("self",))
            .filter(pk=pk)
            .first()
        )
        if generation is None:
            return None
        row = Generation.objects.filter(pk=pk)
        competition = generation.prompt.competition
        charged = generation.charged_attempts
        bill: dict[str, Any] = {"spent": _SPENT_BY_THE_DEAD}
        if generation.status == Status.RUNNING:  # its worker died
            charged += _costs_money(generation)
        if reason := _why_not(generation):
            row.to_cancelled(reason, **bill)
            return None
        if competition.paused_at is not None:
            if generation.status == Status.RUNNING:
                row.to_queued(timezone.now(), charged_attempts=charged, **bill)
            return None
        if generation.attempts_left == 0 or charged >= MAX_CHARGED:
            # Only a generation whose every worker died can be due without attempts left.
            reason = "Every worker that tried this died before it was done."
            row.to_failed("internal", reason, charged_attempts=charged, **bill)
            return None
        request = cost_estimates.request_of(competition)
        expected = routing.likely_cost(generation.image_model, request)
        try:
            spend_cap.check(competition, expected)
        except spend_cap.CapReached as error:
            due_at = timezone.now() + timedelta(seconds=error.retry_after or 0)
            row.to_queued(due_at, error.outcome, str(error), charged_attempts=charged, **bill)
            return None
        # Each offering that may be fallen back to has the time limit for itself.
        offerings = len(routing.candidates(generation.image_model, request))
        lease = _time_limit(generation.attempt + 1) * max(1, offerings) + settings.GENERATION_LEASE_GRACE
        row.to_running(
            timezone.now() + timedelta(seconds=lease),
            attempt=F("attempt") + 1,
            attempts_left=F("attempts_left") - 1,
            charged_attempts=charged,
            expected_cost=expected,
            **bill,
        )
        generation.refresh_from_db(
            fields=["status", "attempt", "attempts_left", "charged_attempts", "expected_cost", "lease_expires_at"]
        )
        return generation


def _why_not(generation: Generation) -> str:
    """Why it is not asked any more, "" when it is."""
    prompt = generation.prompt
    if prompt.retired_at is not None:
        return "The prompt was retired before the model was asked."
    if generation.image_model.retired_at is not None:
        return "The model was retired before it was asked."
    if prompt.competition.is_over:
        return "The competition closed before the model was asked."
    return ""


def _time_limit(attempt: int) -> int:
    """Seconds: an attempt that was too slow, of a busy machine or model, is given more time when it is tried again."""
    return int(settings.GENERATION_TIME_LIMIT) * min(attempt, 3)


def _costs_money(generation: Generation) -> bool:
    """May the attempt that is running cost real money? An unknown price may."""
    return generation.expected_cost is None or generation.expected_cost > 0


def _is_charged(generation: Generation, error: ProviderError) -> bool:
    calls = [attempt.call for attempt in error.attempts if attempt.call and not is_simulated(attempt.provider)]
    if error.attempts:
        return any(call.possibly_charged for call in calls)
    return error.possibly_charged and _costs_money(generation)


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
    """Create the entry, unless this attempt has lost the row meanwhile: then its files are deleted again (None).

    Raises StoreUnwritable and DatabaseError, with nothing stored.
    """
    seed = _seed_of(generated)
    return _store(
        generation, _owned(generation), generated.image.data, generated.call, seed, derivatives, generated.spent
    )


def _store(
    generation: Generation,
    owned: GenerationQuerySet,
    data: bytes,
    call: Call | None,
    seed: str,
    derivatives: images.Derivatives,
    spent: Decimal = Decimal(0),
) -> Entry | None:
    files = file_store.save(images.files_of(derivatives, data))
    try:
        with transaction.atomic():
            if owned.to_succeeded(spent=F("spent") + spent):
                SpooledImage.objects.filter(generation=generation).delete()
                return Entry.objects.create(
                    generation=generation,
                    prompt=generation.prompt,
                    image_model=generation.image_model,
                    call=call,
                    width=derivatives.width,
                    height=derivatives.height,
                    pipeline=images.PIPELINE,
                    seed=seed,
                    **files,
                )
    except BaseException:
        file_store.delete(files.values())
        raise
    log.warning("generation %s: attempt %s came too late", generation.pk, generation.attempt)
    file_store.delete(files.values())
    return None


def _seed_of(generated: routing.Generated) -> str:
    return "" if generated.images[0].seed is None else str(generated.images[0].seed)[:40]


def _spool(generation: Generation, generated: routing.Generated, reason: str) -> None:
    """Keep the bytes in the database until they can be stored.

    While the database does not take them either, they wait here in memory for as long as the lease protects the row.
    """
    while True:
        try:
            with transaction.atomic():
                spent = F("spent") + generated.spent
                if _owned(generation).to_storing(
                    timezone.now() + STORE_PAUSE, f"Not stored yet: {reason}", spent=spent
                ):
                    SpooledImage.objects.create(
                        generation=generation,
                        data=generated.image.data,
                        call=generated.call,
                        seed=_seed_of(generated),
                    )
            return
        except DatabaseError:
            release_connection()
            assert generation.lease_expires_at is not None
            if timezone.now() >= generation.lease_expires_at:
                raise
            sleep(1)


def _store_spooled(pk: int) -> None:
    """Store a spooled image, if there is one and it is due; no provider is asked."""
    if not Generation.objects.due().filter(pk=pk, status=Status.STORING).update(due_at=timezone.now() + MAX_PAUSE):
        return
    spooled = SpooledImage.objects.select_related("generation__prompt__competition", "generation__image_model", "call")
    image = spooled.get(pk=pk)
    generation, data = image.generation, bytes(image.data)
    storing: GenerationQuerySet = Generation.objects.filter(pk=pk, status=Status.STORING)
    try:
        derivatives = images.normalise(data, generation.prompt.competition.shape)
        _store(generation, storing, data, image.call, image.seed, derivatives)
    except (file_store.StoreUnwritable, DatabaseError) as error:
        storing.to_storing(timezone.now() + STORE_PAUSE, f"Not stored yet: {error}")
    except Exception as error:  # an error on this side: the bytes stay until it is mended
        log.exception("generation %s cannot be stored", pk)
        storing.to_storing(timezone.now() + MAX_PAUSE, f"Not stored yet: {type(error).__name__}: {error}")


def re_encode(entry: Entry) -> None:
    """Replace the entry's files by those of today's pipeline, from its original. Raises BadImage, FileNotFoundError.

    Battles that are open show the new files at their old URLs; the old files go last, so nothing is ever missing.
    """
    with entry.original.open("rb") as file:
        derivatives = images.normalise(file.read(), entry.prompt.competition.shape)
    old = [str(file.name) for file in (entry.image, entry.small, entry.thumbnail)]
    files = file_store.save(
        {
            "image": ("battle", "webp", derivatives.image),
            "small": ("battle", "webp", derivatives.small),
            "thumbnail": ("public", "webp", derivatives.thumbnail),
        }
    )
    Entry.objects.filter(pk=entry.pk).update(
        width=derivatives.width, height=derivatives.height, pipeline=images.PIPELINE, **files
    )
    file_store.delete(old)


def _settle(
    generation: Generation,
    outcome: str,
    reason: str,
    passes: bool,
    charged: bool,
    spent: Decimal,
    error: ProviderError | None = None,
) -> None:
    """No image: queue the row again after a pause when the fault may pass, or fail it with the reason.

    `charged` says that the attempt may have cost real money, `spent` how much in US dollars.
    """
    charged_attempts = generation.charged_attempts + charged
    columns = {"spent": F("spent") + spent, "charged_attempts": charged_attempts}
    if passes and generation.attempts_left > 0 and charged_attempts < MAX_CHARGED:
        pause = _pause(generation.attempt, charged, error.retry_after if error else None)
        _owned(generation).to_queued(timezone.now() + pause, outcome, reason, **columns)
    else:
        _owned(generation).to_failed(outcome, reason, **columns)


def _unclaim(generation: Generation, error: NotSent) -> None:
    """Nothing was sent: back into the queue as if this attempt had never started, until it may be sent.

    Taking the attempt's number back cannot confuse the fence: an older attempt that is still at work has a smaller one,
    and the next claim counts up again.
    """
    _owned(generation).to_queued(
        timezone.now() + timedelta(seconds=max(0.5, error.retry_after or 0)),
        error.outcome,
        # Only curators read it, and what a cap says in detail is our own sentence: no call stands for it.
        f"{error} {error.detail}" if isinstance(error, CapReached) and error.detail else str(error),
        attempt=F("attempt") - 1,
        attempts_left=F("attempts_left") + 1,
    )


def _owned(generation: Generation) -> GenerationQuerySet:
    """The row, as long as this attempt owns it."""
    rows: GenerationQuerySet = Generation.objects.filter(
        pk=generation.pk, status=Status.RUNNING, attempt=generation.attempt
    )
    return rows


def _pause(attempt: int, charged: bool, retry_after: float | None) -> timedelta:
    """5, 10, 20 … seconds with jitter, so that a provider's bad minute is not answered by a thundering herd; minutes
    where a second attempt is the last that may be paid for: the fault must have passed by then."""
    if charged:
        seconds = float(settings.GENERATION_CHARGED_BACKOFF)
    else:
        seconds = min(settings.GENERATION_BACKOFF * 2 ** (attempt - 1), MAX_PAUSE.total_seconds())
    return timedelta(seconds=max(seconds * random.uniform(0.75, 1.25), retry_after or 0))  # noqa: S311 – jitter
