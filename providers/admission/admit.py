"""Leave to send a request, agreed on by all workers: is the offering's circuit closed, has its provider a place free?

Asked in one round trip to Valkey before the request, and told in one afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from providers.admission import circuit_breaker, limits, valkey
from providers.errors import NotSent, ProviderError, RateLimited
from providers.models import Offering


@contextmanager
def admitted(offering: Offering, seconds: float) -> Iterator[None]:
    """Around a request of at most `seconds`: leave to send it, or NotSent; afterwards all workers know how it went."""
    lease = limits.lease(offering.provider)
    allowed, taken = valkey.run_all(circuit_breaker.question(offering.pk, seconds), limits.question(lease, seconds))
    try:
        circuit_breaker.verdict(allowed, f"{offering.provider}'s {offering.endpoint}")
    except NotSent:
        valkey.run_all(limits.giving_back(lease))
        raise
    try:
        limits.verdict(taken, lease)
    except NotSent as error:
        valkey.run_all(circuit_breaker.report(offering.pk, error))
        raise
    after = [limits.giving_back(lease)]
    try:
        yield
    except ProviderError as error:
        after.append(circuit_breaker.report(offering.pk, error))
        if isinstance(error, RateLimited) and error.retry_after:
            after.append(limits.pause(offering.provider, error.retry_after))
        raise
    else:
        after.append(circuit_breaker.report(offering.pk, None))
    finally:
        valkey.run_all(*after)
