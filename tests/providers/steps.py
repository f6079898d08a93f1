"""The steps in Valkey one by one, as admission takes them together."""

from __future__ import annotations

from providers.admission import circuit_breaker, limits, valkey
from providers.admission.limits import Lease
from providers.errors import ProviderError
from providers.models import Offering


def offering_of(provider: str, model: int = 1) -> Offering:
    """Not saved: limits know a provider and the number of a model."""
    return Offering(pk=model, provider=provider, image_model_id=model, endpoint=f"model-{model}")


def take(provider: str, seconds: float, model: int = 1) -> Lease:
    """A lease, or NotSent at once."""
    lease = limits.lease(offering_of(provider, model))
    verdict = limits.verdict(valkey.run_all(limits.question(lease, seconds))[0], lease)
    if verdict.reason:
        raise limits.throttled(lease, verdict)
    return lease


def give_back(lease: Lease) -> None:
    valkey.run_all(limits.giving_back(lease))


def pause(provider: str, seconds: float, model: int = 1) -> None:
    valkey.run_all(limits.pause(limits.lease(offering_of(provider, model)), seconds))


def check(offering: int, name: str, seconds: float, party: str = "") -> None:
    circuit_breaker.verdict(valkey.run_all(circuit_breaker.question(offering, seconds, party))[0], name)


def report(offering: int, error: ProviderError | None, party: str = "") -> None:
    valkey.run_all(circuit_breaker.report(offering, error, party))
