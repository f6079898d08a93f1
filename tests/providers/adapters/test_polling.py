"""Polled wires stand in one table with those that answer by themselves: what polling adds to a job's time is small."""

from __future__ import annotations

import random
import statistics

import pytest

from providers.adapters import wire


def seen_after(job: float, usual: float) -> tuple[float, int]:
    """(seconds until the poll that sees the job done, polls), with answers that take no time."""
    waited = [0.0]
    for pause in wire.growing_pauses(usual, clock=lambda: sum(waited)):
        waited.append(pause)
        if sum(waited) >= job:
            return sum(waited), len(waited) - 1
    raise AssertionError


@pytest.mark.parametrize("usual", [1.0, 4.0, 12.0, 40.0])
@pytest.mark.parametrize("is_known", [True, False])
def test_polling_adds_less_than_five_percent(monkeypatch, usual, is_known):
    monkeypatch.setattr(wire, "FIRST_PAUSE", 0.05)
    dice = random.Random(7)
    jobs = [usual * dice.uniform(0.7, 1.6) for _ in range(300)]
    errors = [seen_after(job, usual if is_known else 0.0)[0] / job - 1 for job in jobs]
    assert statistics.mean(errors) < 0.04
    assert max(errors) < 0.08


def test_a_known_median_saves_polls(monkeypatch):
    monkeypatch.setattr(wire, "FIRST_PAUSE", 0.05)
    assert seen_after(12.0, 12.0)[1] <= 21 < seen_after(12.0, 0.0)[1] < 100
