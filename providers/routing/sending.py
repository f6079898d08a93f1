"""One offering, asked for the images of one request: in as many calls as it needs, at the same time where several.

What is let through to a provider is agreed on by all workers: spending cap, circuit, shared limits – in this order.
Threads of their own talk to the provider; all questions to Postgres are asked by the caller's thread, before and after.
"""

from __future__ import annotations

import functools
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from time import monotonic

import httpx
from django.db import connection
from django.utils import timezone

from providers.accounts import account_of
from providers.adapters import ADAPTERS
from providers.adapters.base import Deadline, new_client
from providers.admission.admit import admitted
from providers.db import release_connection
from providers.errors import InvalidRequest, NotSent, ProviderError
from providers.models import Offering
from providers.offering import normalisation
from providers.request import Caller, ImageRequest, ProviderCall
from providers.routing.results import Sent, Try
from providers.spending import daily_cap
from providers.spending.costs import estimate

AT_ONCE = 5  # calls of one request: n = 10 from a provider of single images is two rounds, and no flood


def send(
    offering: Offering,
    request: ImageRequest,
    caller: Caller,
    *,
    request_id: uuid.UUID,
    number: int,
    first: int,
    time_limit: float,
    stop: threading.Event | None,
) -> Sent:
    """What came of it, call by call. `first` images of the request were made elsewhere; `time_limit` is for all calls.

    A call that fails keeps the calls that have not begun from beginning: what is missing is better asked for elsewhere.
    """
    if connection.in_atomic_block:
        raise RuntimeError("routing.generate was called inside a transaction; the network must stay outside.")
    try:
        parts = normalisation.split(request, offering.parameters, first=first)
        wanted = [
            normalisation.build(part, endpoint=offering.endpoint, parameters=offering.parameters) for part in parts
        ]
        reservation = daily_cap.reserve(
            offering, _price_of(offering, parts), caller=caller, request_id=request_id, attempt=number, n=request.n,
            lasts=time_limit,
        )  # fmt: skip
    except (InvalidRequest, NotSent) as error:
        return Sent((Try(request, None, timezone.now(), error=error, sent=False),))
    release_connection()  # with hundreds of slow answers, one held for each would use up all of Postgres'
    line = _Line(offering, Deadline(time_limit, stop=stop))
    if len(parts) == 1:
        return Sent((line.ask(parts[0], wanted[0]),), reservation)
    with ThreadPoolExecutor(min(AT_ONCE, len(parts)), thread_name_prefix="n") as pool:
        tries = list(pool.map(line.ask_unless_failed, parts, wanted))
    return Sent(tuple(each for each in tries if each is not None), reservation)


def _price_of(offering: Offering, parts: list[ImageRequest]) -> Decimal | None:
    price = estimate(offering, parts[0])
    return None if price is None else price * sum(part.n for part in parts)


@dataclass(frozen=True, slots=True)
class _Line:
    """The line to one offering for the calls of one request. Knows no database."""

    offering: Offering
    deadline: Deadline
    failed: threading.Event = field(default_factory=threading.Event)

    def ask_unless_failed(self, request: ImageRequest, wanted: ProviderCall) -> Try | None:
        return None if self.failed.is_set() else self.ask(request, wanted)

    def ask(self, request: ImageRequest, wanted: ProviderCall) -> Try:
        started_at, clock, sent = timezone.now(), monotonic(), False
        try:
            with admitted(self.offering, self.deadline.check("waiting for its turn")):
                started_at, clock, sent = timezone.now(), monotonic(), True
                account = account_of(self.offering.provider)
                adapter = ADAPTERS[account.adapter]
                answer = adapter.generate(wanted, account=account, http=http(), deadline=self.deadline)
        except ProviderError as error:
            self.failed.set()
            return Try(request, wanted, started_at, timedelta(seconds=monotonic() - clock), error=error, sent=sent)
        return Try(request, wanted, started_at, answer.duration, answer)


def http() -> httpx.Client:
    """One pool of connections for the whole process: handshakes are paid once, not per image."""
    with _first:  # functools.cache lets two threads that come at once each make one
        return _client()


_first = threading.Lock()


@functools.cache
def _client() -> httpx.Client:
    return new_client(connections=512)
