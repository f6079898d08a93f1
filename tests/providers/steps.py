"""The steps in Valkey one by one, as admission.py takes them together."""

from __future__ import annotations

from providers import circuit, limits, valkey
from providers.errors import ProviderError
from providers.limits import Lease


def take(provider: str, seconds: float) -> Lease:
    lease = limits.lease(provider)
    limits.verdict(valkey.run_all(limits.question(lease, seconds))[0], lease)
    return lease


def give_back(lease: Lease) -> None:
    valkey.run_all(limits.giving_back(lease))


def pause(provider: str, seconds: float) -> None:
    valkey.run_all(limits.pause(provider, seconds))


def check(offering: int, name: str, seconds: float) -> None:
    circuit.verdict(valkey.run_all(circuit.question(offering, seconds))[0], name)


def report(offering: int, error: ProviderError | None) -> None:
    valkey.run_all(circuit.report(offering, error))
