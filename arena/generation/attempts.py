"""Attempts: a generation is claimed, its model asked, and the row left succeeded, failed, storing or queued again."""

from __future__ import annotations

import logging
import random
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import F
from django.db.models.functions import Coalesce
from django.utils import timezone

from arena import images
from arena.generation import cost_estimates, spend_cap
from arena.models import Generation, Prompt
from arena.models.generations import Status
from providers import routing
from providers.accounts import is_simulated
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
from providers.files import file_store
from providers.request import ImageRequest, SourceImage
from providers.routing import open_jobs

from . import storage
from .storage import MAX_PAUSE

log = logging.getLogger(__name__)

MAX_CHARGED = 2  # attempts at one image that may cost real money
FAULTS_THAT_PASS = (RateLimited, TimedOut, ProviderFailure, NetworkError, BadOutput)
# Nobody knows what a worker that died was charged: its attempt counts with what it was expected to cost.
_SPENT_BY_THE_DEAD = F("spent") + Coalesce("expected_cost", Decimal(0))


def run(pk: int) -> None:
    """Run one generation if it is due, and leave it succeeded, failed, storing or queued again. Safe to call any time,
    twice."""
    if trouble := file_store.trouble():
        log.warning("generation %s is not run: files cannot be stored (%s)", pk, trouble)
        return
    generation = claim(pk)
    if generation is None:
        storage.store_spooled(pk)
        return
    try:
        generated = routing.generate(
            generation.image_model,
            request_for(generation.prompt),
            "arena",
            time_limit=_time_limit(generation.attempt),
            provider=generation.provider,
            request_id=generation.request_id,
            is_resumable=True,
        )
    except NotSent as error:
        _unclaim(generation, error)
    except ProviderError as error:
        passes = isinstance(error, FAULTS_THAT_PASS)
        _settle(generation, error.outcome, str(error), passes, _is_charged(generation, error), error.spent, error)
    except Exception as error:  # whatever it is, the row must say so instead of waiting for its lease to run out
        log.exception("generation %s", pk)
        # How far it came is unknown, and so is what it was charged: as much as was expected. An open job will say.
        charged, spent = _costs_money(generation), generation.expected_cost or Decimal(0)
        if open_jobs.exist(generation.request_id):
            charged, spent = False, Decimal(0)
        _settle(generation, "internal", f"{type(error).__name__}: {error}", True, charged, spent)
    else:
        _finish(generation, generated)


def _finish(generation: Generation, generated: routing.Generated) -> None:
    """Store what was paid for. An error on this side – of the file store, of the database – spools the bytes."""
    assert generation.request_id is not None
    try:
        derivatives = images.normalise(generated.image.data, generation.prompt.competition.shape)
    except images.BadImage as error:
        charged = not is_simulated(generated.provider)
        open_jobs.forget(generation.request_id)
        _settle(generation, "bad_output", str(error), True, charged, generated.spent)
        return
    except Exception as error:
        log.exception("generation %s cannot be normalised", generation.pk)
        storage.spool(generation, generated, f"{type(error).__name__}: {error}")
    else:
        try:
            storage.store(generation, generated, derivatives)
        except (file_store.StoreUnwritable, DatabaseError) as error:
            log.error("generation %s is not stored yet: %s", generation.pk, error)
            storage.spool(generation, generated, str(error))
    open_jobs.forget(generation.request_id)


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
        charged, is_dead = generation.charged_attempts, generation.status == Status.RUNNING
        # What it was asked for is not lost: this attempt waits for the provider's job and buys nothing.
        is_open = open_jobs.exist(generation.request_id)
        bill: dict[str, Any] = {} if is_open else {"spent": _SPENT_BY_THE_DEAD}
        if is_dead and not is_open:
            charged += _costs_money(generation)
        if reason := _why_not(generation):
            row.to_cancelled(reason, **bill)
            return None
        if competition.paused_at is not None:
            if is_dead:
                row.to_queued(timezone.now(), charged_attempts=charged, **bill)
            return None
        if not is_open and (generation.attempts_left == 0 or charged >= MAX_CHARGED):
            # Only a generation whose every worker died can be due without attempts left.
            reason = "Every worker that tried this died before it was done."
            row.to_failed("internal", reason, charged_attempts=charged, **bill)
            return None
        request = cost_estimates.request_of(competition)
        expected = routing.likely_cost(generation.image_model, request, generation.provider)
        try:
            if not is_open:
                spend_cap.check(competition, expected)
        except spend_cap.CapReached as error:
            due_at = timezone.now() + timedelta(seconds=error.retry_after or 0)
            row.to_queued(due_at, error.outcome, str(error), charged_attempts=charged, **bill)
            return None
        # Each offering that may be fallen back to has the time limit for itself.
        offerings = len(routing.candidates(generation.image_model, request, generation.provider)) + is_open
        lease = _time_limit(generation.attempt + 1) * max(1, offerings) + settings.GENERATION_LEASE_GRACE
        row.to_running(
            timezone.now() + timedelta(seconds=lease),
            attempt=F("attempt") + 1,
            attempts_left=F("attempts_left") - (0 if is_dead and is_open else 1),
            charged_attempts=charged,
            request_id=generation.request_id if is_open else uuid4(),
            expected_cost=expected,
            **bill,
        )
        generation.refresh_from_db(
            fields=[
                "status",
                "attempt",
                "attempts_left",
                "charged_attempts",
                "expected_cost",
                "lease_expires_at",
                "request_id",
            ]
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
    if error.attempts:
        calls = [one.call for one in error.attempts if one.reported is None and not is_simulated(one.provider)]
        # A call that is ok has brought an image that was lost before it was stored.
        return any(call is not None and (call.possibly_charged or call.outcome == "ok") for call in calls)
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

    `charged` says that the attempt may have cost real money, `spent` how much in US dollars. Where the provider's job
    is open the next attempt buys nothing, so it need not wait for long.
    """
    is_open = open_jobs.exist(generation.request_id)
    charged_attempts = generation.charged_attempts + charged
    columns = {"spent": F("spent") + spent, "charged_attempts": charged_attempts}
    if passes and generation.attempts_left > 0 and (is_open or charged_attempts < MAX_CHARGED):
        pause = _pause(generation.attempt, charged and not is_open, error.retry_after if error else None)
        storage.owned(generation).to_queued(timezone.now() + pause, outcome, reason, **columns)
    else:
        storage.owned(generation).to_failed(outcome, reason, **columns)


def _unclaim(generation: Generation, error: NotSent) -> None:
    """Nothing was sent: back into the queue as if this attempt had never started, until it may be sent.

    Taking the attempt's number back cannot confuse the fence: an older attempt that is still at work has a smaller one,
    and the next claim counts up again.
    """
    storage.owned(generation).to_queued(
        timezone.now() + timedelta(seconds=max(0.5, error.retry_after or 0)),
        error.outcome,
        # Only curators read it, and what a cap says in detail is our own sentence: no call stands for it.
        f"{error} {error.detail}" if isinstance(error, CapReached) and error.detail else str(error),
        attempt=F("attempt") - 1,
        attempts_left=F("attempts_left") + 1,
    )


def _pause(attempt: int, charged: bool, retry_after: float | None) -> timedelta:
    """5, 10, 20 … seconds with jitter, so that a provider's bad minute is not answered by a thundering herd; minutes
    where a second attempt is the last that may be paid for: the fault must have passed by then."""
    if charged:
        seconds = float(settings.GENERATION_CHARGED_BACKOFF)
    else:
        seconds = min(settings.GENERATION_BACKOFF * 2 ** (attempt - 1), MAX_PAUSE.total_seconds())
    return timedelta(seconds=max(seconds * random.uniform(0.75, 1.25), retry_after or 0))  # noqa: S311 – jitter
