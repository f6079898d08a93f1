"""One offering called for the images of one request: in as many calls as it needs, in parallel where several.

Before a call is sent, all workers agree on it: spending cap, circuit breaker, shared limits – in this order. Threads of
their own talk to the provider; all database queries are the calling thread's, before and after.
"""

from __future__ import annotations

import itertools
import logging
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from time import monotonic

from django.db import connection
from django.utils import timezone

from providers.accounts import account_of
from providers.adapters import ADAPTERS
from providers.adapters.base import Deadline
from providers.adapters.clients import Clients
from providers.admission import limits
from providers.admission.admit import admitted
from providers.connections.database import release_connection
from providers.errors import AnswerLost, BadOutput, InvalidRequest, NotFound, NotSent, ProviderError, RateLimited
from providers.models import Offering
from providers.offering import normalisation, parameters
from providers.performance import recent
from providers.request import Answer, Caller, ImageRequest, ProviderCall
from providers.routing import open_jobs
from providers.routing.results import CallResult, OfferingResult
from providers.spending import daily_cap
from providers.spending.costs import estimate

log = logging.getLogger(__name__)

PARALLEL_CALLS = 5  # of one request: n = 10 from a provider of single images is two rounds, and no flood
ARENA_MAX_WAIT = 1.0  # seconds for the turn of a request of the arena
MAX_THROTTLED = 5  # times a call is sent that the provider answers with 429


@dataclass(frozen=True, slots=True)
class Dispatch:
    """A request as it goes to one offering. `images_before` were delivered by others; `time_limit` is in seconds for
    all calls, of which `max_wait` may be spent waiting for our own limits and the provider's; `number` counts the
    offerings called for the request, from 1; `party` is whose failures these are (admission/circuit_breaker.py)."""

    offering: Offering
    request: ImageRequest
    caller: Caller
    request_id: uuid.UUID
    number: int
    images_before: int
    time_limit: float
    max_wait: float
    stop: threading.Event | None = None
    party: str = ""
    is_resumable: bool = False  # its jobs are recorded (open_jobs.py)


def send(dispatch: Dispatch) -> OfferingResult:
    """The result of every call. After a failed call no further one is started: what is missing is better requested
    from the next offering."""
    if connection.in_atomic_block:
        raise RuntimeError("routing.generate was called inside a transaction; the network must stay outside.")
    offering = dispatch.offering
    try:
        parts = normalisation.split(dispatch.request, offering.parameters, first=dispatch.images_before)
        provider_calls = [_provider_call(dispatch, part, number) for number, part in enumerate(parts)]
        reservation = daily_cap.reserve(
            offering,
            estimate(offering, parts[0]),
            caller=dispatch.caller,
            request_id=dispatch.request_id,
            attempt=dispatch.number,
            n=dispatch.request.n,
            seconds=dispatch.time_limit,
        )
    except (InvalidRequest, NotSent) as error:
        return OfferingResult((CallResult(dispatch.request, None, timezone.now(), error=error, sent=False),))
    usual = recent.usual_seconds(offering.pk)
    release_connection()  # with hundreds of slow answers, one held for each would use up all of Postgres'
    deadline = Deadline(dispatch.time_limit, stop=dispatch.stop, usual=usual)
    calls = _Calls(offering, deadline, Deadline(dispatch.max_wait), dispatch.party)
    if len(parts) == 1:
        return OfferingResult(tuple(calls.send(parts[0], provider_calls[0], 0)), reservation)
    with ThreadPoolExecutor(min(PARALLEL_CALLS, len(parts)), thread_name_prefix="n") as pool:
        results = pool.map(calls.send_unless_failed, parts, provider_calls, range(len(parts)))
        return OfferingResult(tuple(itertools.chain.from_iterable(results)), reservation)


def _provider_call(dispatch: Dispatch, request: ImageRequest, part: int) -> ProviderCall:
    offering = dispatch.offering
    call = normalisation.build(request, endpoint=offering.endpoint, parameters=offering.parameters)
    if (name := parameters.spare_seed(offering.parameters)) not in call.arguments:
        call = replace(call, spare_seed=name)
    if not dispatch.is_resumable:
        return call
    recorder = open_jobs.recorder(
        offering,
        request_id=dispatch.request_id,
        attempt=dispatch.number,
        part=part,
        n=request.n,
        seconds=dispatch.time_limit,
    )
    return replace(call, on_submitted=recorder)


@dataclass(frozen=True, slots=True)
class _Calls:
    """The calls of one request to one offering. Uses no database."""

    offering: Offering
    deadline: Deadline
    waiting: Deadline  # for the calls' turn: our limits, and what the provider asks us to wait
    party: str
    failed: threading.Event = field(default_factory=threading.Event)

    def send_unless_failed(self, request: ImageRequest, provider_call: ProviderCall, part: int) -> list[CallResult]:
        return [] if self.failed.is_set() else self.send(request, provider_call, part)

    def send(self, request: ImageRequest, provider_call: ProviderCall, part: int) -> list[CallResult]:
        """The call's result, after those of earlier ones that the provider answered with 429 and a short time."""
        results: list[CallResult] = []
        while True:
            results.append(result := replace(self._send_once(request, provider_call), part=part))
            if not (self._is_throttled(result.error) and len(results) < MAX_THROTTLED):
                if result.error is not None:
                    self.failed.set()
                return results

    def _is_throttled(self, error: ProviderError | None) -> bool:
        """Did the provider answer with 429 and a time for which we can wait? `admitted` does the waiting."""
        if not isinstance(error, RateLimited) or isinstance(error, NotSent):
            return False
        return (error.retry_after or limits.DEFAULT_PAUSE) < self.waiting.left

    def _send_once(self, request: ImageRequest, provider_call: ProviderCall) -> CallResult:
        started_at, started, sent = timezone.now(), monotonic(), False
        try:
            with admitted(self.offering, self.deadline, max_wait=self.waiting.left, party=self.party):
                started_at, started, sent = timezone.now(), monotonic(), True
                answer = ask(self.offering.provider, provider_call, self.deadline)
        except ProviderError as error:
            duration = timedelta(seconds=monotonic() - started)
            return CallResult(request, provider_call, started_at, duration, error=error, sent=sent)
        return CallResult(request, provider_call, started_at, answer.duration, answer)


def ask(provider: str, provider_call: ProviderCall, deadline: Deadline) -> Answer:
    """Raises ProviderError alone. Whatever else an adapter fails with, the provider may have worked: the call is
    recorded as one that may have been charged."""
    account = account_of(provider)
    try:
        with clients.borrowed() as http:
            return ADAPTERS[account.adapter].generate(provider_call, account=account, http=http, deadline=deadline)
    except NotFound as error:
        if not error.possibly_charged:
            raise
        raise job_lost(account.name, error) from error  # asked about a job that it had accepted
    except ProviderError:
        raise
    except Exception as error:
        log.exception("The adapter of %s failed", account.key)
        message = f"The answer of {account.name} could not be read."
        raise BadOutput(message, detail=type(error).__name__, possibly_charged=True) from error


def job_lost(name: str, error: ProviderError) -> AnswerLost:
    message = f"{name} accepted the job, but its result could not be had."
    return AnswerLost(message, detail=error.detail, status=error.status, possibly_charged=True)


clients = Clients()  # of the process
