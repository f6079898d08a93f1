"""One site for all tests of a module."""

from __future__ import annotations

import pytest

from .site import Site


@pytest.fixture(scope="module")
def shared_site(shared_rows):
    return shared_rows.make(Site)


@pytest.fixture
def site(shared_rows, shared_site):
    return shared_rows.lend(shared_site)
