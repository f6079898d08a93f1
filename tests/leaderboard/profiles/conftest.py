"""What was played, once for all tests of a module."""

from __future__ import annotations

import pytest

from .played import two_entries


@pytest.fixture(scope="module")
def shared_played(shared_rows):
    return shared_rows.make(two_entries)


@pytest.fixture
def played(shared_rows, shared_played):
    return shared_rows.lend(shared_played)
