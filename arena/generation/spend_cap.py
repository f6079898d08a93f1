"""What a competition's images have cost, and the cap on it (`Competition.spend_cap`).

Every generation keeps what its attempts have cost, with what may have been charged, and while it runs, what it is
expected to cost. Claims in a capped competition are decided one after the other (an advisory lock until the claim is
committed), so however many workers there are, what is spent and expected together never passes the cap; it can be
passed only by as much as a bill is higher than its estimate, as after a fallback to a dearer provider.

Only real money counts: simulated providers cost nothing. An image of unknown price counts as UNKNOWN_PRICE_CEILING.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from arena.generation.cost_estimates import Quote
from arena.models import Competition, Generation
from providers.errors import CapReached
from providers.offering.pricing import usd
from providers.spending import daily_cap
from providers.spending.daily_cap import RETRY_SECONDS

__all__ = ["RETRY_SECONDS", "CapReached", "Spent", "check", "of", "of_capped", "refusal"]

_LOCK_CLASS = 0x5BE4D  # of these advisory locks


@dataclass(frozen=True, slots=True)
class Spent:
    """US dollars: paid (or possibly so), and expected of what is running now."""

    paid: Decimal
    expected: Decimal

    @property
    def total(self) -> Decimal:
        return self.paid + self.expected


def of(competition: Competition) -> Spent:
    """What one competition has spent, over all its generations."""
    row = Generation.objects.filter(prompt__competition=competition).aggregate(
        paid=Sum("spent"), expected=Sum("expected_cost")
    )
    return Spent(row["paid"] or Decimal(0), row["expected"] or Decimal(0))


def of_capped() -> list[tuple[Competition, Spent]]:
    """Every competition with a cap that has not closed, the newest first. One query."""
    capped = Competition.everything.filter(spend_cap__isnull=False).exclude(closes_at__lte=timezone.now())
    rows: Any = capped.annotate(
        paid=Sum("prompts__generations__spent"), expected=Sum("prompts__generations__expected_cost")
    )
    return [(row, Spent(row.paid or Decimal(0), row.expected or Decimal(0))) for row in rows.order_by("-pk")]


def check(competition: Competition, cost: Decimal | None) -> None:
    """Inside a claim's transaction: pass, or raise CapReached. A caller that passes saves its expected cost in it.

    The day's cap is looked at where calls are sent (providers/spending/daily_cap.py), of every caller.
    """
    if competition.spend_cap is None or not cost:
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK_CLASS, competition.pk])
    spent = of(competition)
    if spent.total + cost > competition.spend_cap:
        raise CapReached(
            f"{_state(spent)} of the competition's cap of {usd(competition.spend_cap)}, and this image costs about "
            f"{usd(cost)}. Work goes on when the cap is raised.",
            retry_after=RETRY_SECONDS,
        )


def refusal(competition: Competition, offers: list[Quote], chosen: list[Quote], again: bool) -> str:
    """Why the missing images of `chosen` cannot be planned, in words with what to do about it; "" when they can.

    `offers` are the quotes of all models: what is queued already will cost, too. `again`: failed ones are asked again.
    """
    cap, day = competition.spend_cap, daily_cap.cap()
    if cap is None and day is None:
        return ""
    spent, queued = of(competition), sum((quote.queued * quote.real_price for quote in offers), Decimal(0))
    cost = sum((quote.asks(again) * quote.real_price for quote in chosen), Decimal(0))
    if not cost:
        return ""
    if cap is not None and spent.total + queued + cost > cap:
        return (
            f"Nothing was asked: {_state(spent)} in this competition{_waiting(queued)}, and this would cost "
            f"{usd(cost)}: more than its cap of {usd(cap)}. Choose fewer models, or raise the cap on the "
            "competition's page."
        )
    if day is not None and (today := daily_cap.today()) + spent.expected + queued + cost > day:
        return (
            f"Nothing was asked: {usd(today)} are spent today{_waiting(spent.expected + queued)}, and this would "
            f"cost {usd(cost)}: more than the {usd(day)} that DAILY_SPEND_CAP allows a day. Choose fewer "
            "models, raise DAILY_SPEND_CAP and restart, or ask again after midnight UTC."
        )
    return ""


def _state(spent: Spent) -> str:
    under_way = f" and {usd(spent.expected)} under way" if spent.expected else ""
    return f"{usd(spent.paid)} are spent{under_way}"


def _waiting(queued: Decimal) -> str:
    return f", {usd(queued)} more are queued" if queued else ""
