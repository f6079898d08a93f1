"""A day of calls that cost money, and whether its amount is right."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from providers.models import SpentDay
from providers.request import ImageRequest
from providers.spending import daily_cap

REQUEST = ImageRequest(prompt="A red kite", size="256x256")
CENT = Decimal("0.01")


def spent(amount: str, days_ago: int = 0) -> None:
    day = (timezone.now() - timedelta(days=days_ago)).date()
    SpentDay.objects.create(day=day, amount=Decimal(amount))


def reserve(offering, price: Decimal | None = CENT) -> int | None:
    return daily_cap.reserve(offering, price, caller="arena", request_id=uuid.uuid4(), attempt=1, n=1, seconds=30)


def close_expired(monkeypatch) -> int:
    """Close what is reserved, as when its time is over. The time is moved and not the row, whose day may be another a
    minute ago."""
    later = timezone.now() + timedelta(minutes=10)
    with monkeypatch.context() as moved:
        moved.setattr(timezone, "now", lambda: later)
        return daily_cap.close_dead()


def is_right() -> bool:
    """Today's amount is the sum of its calls and reservations."""
    return daily_cap.recount(timezone.now().date()) == 0
