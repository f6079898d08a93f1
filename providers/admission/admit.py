"""Admission of a request to a provider, agreed on by all workers: is the offering's circuit closed, is a place free?

One round trip to Valkey before the request, and one afterwards; more only while it waits for its turn.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from providers.adapters.base import Deadline
from providers.admission import circuit_breaker, limits, valkey
from providers.admission.limits import Lease
from providers.errors import NotSent, ProviderError, RateLimited
from providers.models import Offering


@contextmanager
def admitted(offering: Offering, deadline: Deadline, *, max_wait: float, party: str = "") -> Iterator[None]:
    """Around a request that ends with `deadline`: waits for its turn, `max_wait` seconds at most; all workers learn how
    it went. `party` is whose request it is (circuit_breaker.py).

    Raises NotSent when the circuit is open, or when the turn does not come in time or will not: the provider's pause is
    longer, or too many requests are waiting by the time that they usually take; TimedOut or Cancelled by `deadline`.
    """
    lease = limits.lease(offering)
    _wait_for_turn(offering, lease, deadline, max_wait, party)
    after = [limits.giving_back(lease)]
    try:
        yield
    except ProviderError as error:
        after.append(circuit_breaker.report(offering.pk, error, party))
        if isinstance(error, RateLimited):
            after.append(limits.pause(lease, error.retry_after or limits.DEFAULT_PAUSE))
        raise
    else:
        after.append(circuit_breaker.report(offering.pk, None, party))
    finally:
        valkey.run_all(*after)


def _wait_for_turn(offering: Offering, lease: Lease, deadline: Deadline, max_wait: float, party: str) -> None:
    waiting = Deadline(max_wait)
    while True:
        seconds = deadline.check("waiting for its turn")
        circuit, taken = valkey.run_all(
            circuit_breaker.question(offering.pk, seconds, party), limits.question(lease, seconds)
        )
        verdict = limits.verdict(taken, lease)
        try:
            circuit_breaker.verdict(circuit, f"{offering.provider}'s {offering.endpoint}")
        except NotSent:
            limits.leave_queue(lease) if verdict.reason else valkey.run_all(limits.giving_back(lease))
            raise
        if not verdict.reason:
            return
        valkey.run_all(circuit_breaker.undecided(offering.pk, party))
        left = waiting.left
        # When one place is enough for `usual` seconds, so many requests wait in vain.
        expected = verdict.wait
        if verdict.excess:
            expected = deadline.usual * (verdict.excess // lease.concurrency)
        if not left or expected > left:
            raise limits.throttled(lease, verdict)
        try:
            deadline.sleep(min(verdict.wait, left, limits.QUEUE_TIMEOUT / 3), "waiting for its turn")
        except ProviderError:
            limits.leave_queue(lease)
            raise
