"""Who works in the admin, and providers that cost money."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User


@pytest.fixture
def curator(client, simulated):
    client.force_login(User.objects.create_superuser("curator", password="long enough"))
    return client


@pytest.fixture
def real_prices(settings):
    settings.PROVIDERS = settings.PROVIDERS | {
        "fal": {"name": "fal", "adapter": "fal", "urls": {"queue": "https://queue.example"}, "api_key": "a real key"}
    }
