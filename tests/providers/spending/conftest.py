"""Providers that take real money."""

from __future__ import annotations

import pytest

from providers.adapters.base import Account


@pytest.fixture
def _billed(monkeypatch) -> None:
    """The simulator stands for providers that take real money."""
    monkeypatch.setattr(Account, "is_simulated", False)
