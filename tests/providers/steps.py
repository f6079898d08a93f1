"""The steps in Valkey one by one, as admission.py takes them together."""

from __future__ import annotations

from providers.admission import circuit_breaker, limits, valkey
from providers.admission.limits import Lease
from providers.errors import ProviderError


def take(provider: str, seconds: float) -> Lease:
    lease = limits.lease(provider)
    limits.verdict(valkey.run_all(limits.question(lease, seconds))[0], lease)
    return lease


def give_back(lease: Lease) -> None:
    valkey.run_all(limits.giving_back(lease))


def pause(provider: str, seconds: float) -> None:
    valkey.run_all(limits.pause(provider, seconds))


def check(offering: int, name: str, seconds: float) -> None:
    circuit_breaker.verdict(valkey.run_all(circuit_breaker.question(offering, seconds))[0], name)


def report(offering: int, error: ProviderError | None) -> None:
    valkey.run_all(circuit_breaker.report(offering, error))
