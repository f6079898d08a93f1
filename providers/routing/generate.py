"""generate(): order the offerings of a model, call them one after the other, record the calls, collect the images."""

from __future__ import annotations

import itertools
import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import NamedTuple

from django.conf import settings
from django.db import InterfaceError, OperationalError

from providers.adapters.base import Deadline
from providers.connections.database import release_connection, release_pooled_connection
from providers.errors import AnswerLost, BadOutput, ContentPolicy, InvalidRequest, NotFound, NotSent, ProviderError
from providers.models import ImageModel, Offering, ProviderJob
from providers.offering import fit
from providers.request import Caller, ImageRequest
from providers.routing import call_log, offering_calls, open_jobs, resumed_jobs, selection
from providers.routing.preferences import NO_PREFERENCES, Preferences
from providers.routing.results import Attempt, CallResult, DeliveredImage, Generated, OfferingResult

log = logging.getLogger(__name__)

RECORD_PAUSE = 1.0  # seconds between two tries to record what was paid for


def generate(
    image_model: ImageModel,
    request: ImageRequest,
    caller: Caller,
    *,
    time_limit: float,
    provider: str = "",
    preferences: Preferences = NO_PREFERENCES,
    stop: threading.Event | None = None,
    request_id: uuid.UUID | None = None,
    party: str = "",
    is_resumable: bool = False,
    record_later: bool = False,
) -> Generated:
    """The images of a request, from the best offering; what one fails to deliver is requested from the next.

    More images than an offering makes in one call are several calls in parallel. When some images come and others
    cannot be had, the result holds those that came and, as `failure`, why the others are missing.

    `time_limit` is in seconds for each offering, downloads included. `provider` restricts the offerings to one
    provider's, `preferences` says which of several are called and in which order. Setting `stop`, from another thread,
    cancels: no more polls, the provider is asked to cancel, no other offering is called. Every call sent is recorded as
    a `Call` with `request_id`. `party` is whose request it is: its failures stop its own calls first
    (admission/circuit_breaker.py). With `is_resumable` the provider's jobs are recorded, and when the same `request_id`
    comes once more, those that are open are awaited before anything is submitted; the caller then says when the images
    are stored (open_jobs.py). With `record_later` the calls that delivered are recorded when the caller says so, whose
    client need not wait for it (`Generated.unrecorded`); until then what they may cost stays reserved.

    The arena takes a content-policy refusal for an answer, does not pay twice for an image that may have been made and
    charged, and waits for our own limits instead of paying more elsewhere; other callers go on to the next offering.

    Raises the last ProviderError when no image came, with `spent` and `attempts` of all calls; NotSent when nothing
    was sent at all; NotFound when no provider we have a key for offers the model in this mode.
    """
    request_id = request_id or uuid.uuid4()
    steps = _open_steps(request_id, time_limit) if is_resumable else []
    offerings = selection.candidates(image_model, request, provider, preferences)
    if not offerings and not steps:
        raise _nobody_offers(image_model, request, provider, preferences)
    steps += _new_steps(offerings, steps)
    progress = _Progress(request)
    unrecorded: Callable[[], None] | None = None
    for number, offering, jobs in steps:
        is_last = number == steps[-1].number
        dispatch = offering_calls.Dispatch(
            offering=offering,
            request=replace(preferences.request_for(offering.provider, request), n=progress.missing),
            caller=caller,
            request_id=request_id,
            number=number,
            images_before=len(progress.images),
            time_limit=time_limit,
            max_wait=_max_wait(caller, time_limit, is_last=is_last),
            stop=stop,
            party=party,
            is_resumable=is_resumable,
        )
        result = resumed_jobs.resume(dispatch, jobs) if jobs else offering_calls.send(dispatch)
        goes_on = not is_last and result.delivered < progress.missing and _goes_on(result, caller)
        record = call_log.record_of(dispatch, result, ends_request=not goes_on)
        progress.add(result, record.attempts)
        if record_later and result.delivered and not goes_on:
            unrecorded = record.save
        else:
            _save(record)
        if not goes_on:
            break
    call_log.end_request(progress.attempts)
    release_pooled_connection()  # the caller now works on the images
    return progress.generated(image_model, request_id, unrecorded)


def _save(record: call_log.Record) -> None:
    """Where nobody waits for an answer, a database that does not take the calls is waited for, as long as the attempt
    may last: the images are paid for, and nobody else has them."""
    dispatch = record.dispatch
    waiting = Deadline(dispatch.time_limit if dispatch.is_resumable and record.result.delivered else 0)
    while True:
        try:
            record.save()
            return
        except (OperationalError, InterfaceError):
            release_connection()
            if not waiting.left:
                raise
            log.exception("The calls of request %s are not recorded yet", dispatch.request_id)
            time.sleep(RECORD_PAUSE)


class _Step(NamedTuple):
    """An offering to be called, or whose jobs are to be awaited. `number` is that of its calls' attempt."""

    number: int
    offering: Offering
    jobs: list[ProviderJob]


def _open_steps(request_id: uuid.UUID, time_limit: float) -> list[_Step]:
    """The request's open jobs, by the attempt that submitted them."""
    jobs = open_jobs.take_up(request_id, time_limit)
    grouped = [list(group) for _, group in itertools.groupby(jobs, key=lambda job: job.attempt)]
    return [_Step(group[0].attempt, group[0].offering, group) for group in grouped]


def _new_steps(offerings: Sequence[Offering], before: Sequence[_Step]) -> list[_Step]:
    asked = {step.offering for step in before}
    left = [offering for offering in offerings if offering not in asked]
    return [_Step(number, offering, []) for number, offering in enumerate(left, before[-1].number + 1 if before else 1)]


def _nobody_offers(
    image_model: ImageModel, request: ImageRequest, provider: str, preferences: Preferences
) -> ProviderError:
    if preferences != NO_PREFERENCES and selection.candidates(image_model, request, provider):
        return InvalidRequest(f"provider: no provider of {image_model.name} is left by these preferences")
    return NotFound(
        f"No provider that this installation has a key for offers {image_model.name} ({request.mode}). "
        "Set the provider's key, or activate an offering in the admin."
    )


def _max_wait(caller: Caller, time_limit: float, *, is_last: bool) -> float:
    """Seconds for which a request may wait for our limits, or for the provider's, before the next offering is called.

    Of the arena's, rows are the queue, and its workers have others to do.
    """
    if caller == "arena":
        return offering_calls.ARENA_MAX_WAIT
    return time_limit / 2 if is_last else min(settings.PROVIDER_MAX_WAIT, time_limit / 2)


@dataclass(slots=True)
class _Progress:
    """What the offerings called so far have delivered, and what went wrong."""

    request: ImageRequest
    images: list[DeliveredImage] = field(default_factory=list)
    attempts: list[Attempt] = field(default_factory=list)
    failure: ProviderError | None = None  # the last of a call that was sent
    throttled: NotSent | None = None  # the one that may be tried again first

    @property
    def missing(self) -> int:
        return self.request.n - len(self.images)

    def add(self, result: OfferingResult, attempts: list[Attempt]) -> None:
        self.attempts += attempts
        for call, attempt in zip(result.calls, attempts, strict=True):
            self.images += _images_of(call, attempt)
        for error in result.errors:
            if not isinstance(error, NotSent):
                self.failure = error
            elif self.throttled is None or (error.retry_after or 0) < (self.throttled.retry_after or 0):
                self.throttled = error

    def generated(
        self, image_model: ImageModel, request_id: uuid.UUID, unrecorded: Callable[[], None] | None
    ) -> Generated:
        """The result of the request. Raises the last error when no image came."""
        spent = sum(map(call_log.spent_on, self.attempts), Decimal(0))
        error = self.failure or self.throttled
        if not self.images:
            assert error is not None
            error.spent, error.attempts = spent, tuple(self.attempts)
            raise error
        if self.missing > 0:
            error = error or BadOutput(f"{len(self.images)} of {self.request.n} images came.")
        images = tuple(self.images[: self.request.n])
        return Generated(
            image_model,
            images,
            tuple(self.attempts),
            self.request.n,
            failure=error if self.missing > 0 else None,
            spent=spent,
            id=request_id,
            warnings=fit.warnings(self.request, [image.size for image in images]),
            unrecorded=unrecorded,
        )


def _goes_on(result: OfferingResult, caller: Caller) -> bool:
    """May the next offering be called after this result?"""
    return bool(result.errors) and all(_allows_fallback(error, caller) for error in result.errors)


def _allows_fallback(error: ProviderError, caller: Caller) -> bool:
    if caller == "arena" and (
        isinstance(error, ContentPolicy | AnswerLost)
        or error.possibly_charged
        or (isinstance(error, NotSent) and error.own_limit)
    ):
        return False
    return error.fall_back


def _images_of(call: CallResult, attempt: Attempt) -> list[DeliveredImage]:
    if call.answer is None or attempt.call is None:
        return []
    resolved_size = call.provider_call.resolved_size if call.provider_call else None
    seed = call.request.seed if call.answer.seed is None else call.answer.seed
    return [
        DeliveredImage(image, attempt.call, attempt.call.requested_size, resolved_size, seed)
        for image in call.answer.images
    ]
