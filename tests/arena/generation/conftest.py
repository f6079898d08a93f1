"""No pauses between attempts, and providers that are simulated."""

from __future__ import annotations

import pytest


@pytest.fixture
def quick(settings, simulated):
    settings.GENERATION_BACKOFF = settings.GENERATION_CHARGED_BACKOFF = 0
    settings.GENERATION_ATTEMPTS = 4
