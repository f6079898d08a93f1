"""Budgets of keys: one ledger for gateway, playground and retries.

`KeySpending` has one sum for each key and day: what the requests of that day have cost, and what the running ones have
reserved. Every request reserves the highest price it may have to pay before a provider is called – the dearest offering
that routing may fall back to, `UNKNOWN_PRICE_CEILING` for each image whose price nobody knows – while it holds the
key's lock, and settling replaces the reservation by the cost. So the requests of a key never spend more than its
budgets, except by what a provider bills above its price list and by failed attempts that were charged as well.

A cost that nobody knows stays unknown (NULL); in the sums the ceiling stands for it.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Sum
from django.utils import timezone

from providers import routing
from providers.gateway.errors import ApiError
from providers.models import ApiKey, Call, GatewayRequest, KeySpending, Reservation
from providers.offering.pricing import usd
from providers.request import ImageRequest
from providers.routing.preferences import NO_PREFERENCES, Preferences
from providers.routing.results import Attempt
from providers.routing.selection import Target


@dataclass(frozen=True, slots=True)
class Spent:
    """US dollars that a key has spent and reserved: today, in this calendar month, in all (days and months are UTC)."""

    day: Decimal
    month: Decimal
    total: Decimal


# Prices ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def highest_price(target: Target, request: ImageRequest, preferences: Preferences = NO_PREFERENCES) -> Decimal:
    """USD that the request may have to pay: all its images, made by the dearest offering that routing may try."""
    offerings = routing.candidates(target.image_model, request, target.provider, preferences)
    prices = [
        routing.estimate(offering, preferences.request_for(offering.provider, request))
        for offering in offerings
        if offering.price is not None
    ]
    if any(offering.price is None for offering in offerings):
        prices.append(settings.UNKNOWN_PRICE_CEILING)
    return max((price for price in prices if price is not None), default=Decimal(0)) * request.n


def cost_of(attempts: Iterable[Attempt]) -> tuple[Decimal | None, Decimal]:
    """(USD, None where nobody knows; USD that count against budgets) of a request's attempts.

    Failed attempts that may have been charged are included. Images of unknown price count with the ceiling.
    """
    return cost_of_calls(attempt.call for attempt in attempts if attempt.call is not None)


def cost_of_calls(calls: Iterable[Call]) -> tuple[Decimal | None, Decimal]:
    """The same of the calls that were recorded."""
    known, unknown = Decimal(0), 0
    for call in calls:
        if call.cost is not None:
            known += call.cost
        elif call.outcome == "ok" or call.possibly_charged:
            unknown += call.n
    return None if unknown else known, known + unknown * settings.UNKNOWN_PRICE_CEILING


def cost_of_lost(request_id: uuid.UUID, asked_at: datetime) -> tuple[Decimal | None, Decimal]:
    """The same of a request whose process died: of its calls that were recorded, and of what was reserved for one whose
    answer nobody has. The provider may bill that."""
    # In this order: a reservation that becomes a call meanwhile is counted twice, which is better than not at all.
    in_flight = Reservation.objects.filter(request_id=request_id).aggregate(total=Sum("amount"))["total"]
    cost, counted = cost_of_calls(Call.objects.filter(request_id=request_id, started_at__gte=asked_at))
    return (None, counted + in_flight) if in_flight else (cost, counted)


# The ledger ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def lock(key: ApiKey) -> None:
    """Until the end of the transaction, no other request of this key reserves or looks for its first try."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashint8extended(%s, 7))", [key.pk])


def spent(key: ApiKey) -> Spent:
    """US dollars charged to the key today, this month and in all, reservations included."""
    today = _day(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT coalesce(sum(amount) FILTER (WHERE day = %s), 0), coalesce(sum(amount) FILTER (WHERE day >= %s), 0),
                coalesce(sum(amount), 0)
            FROM providers_keyspending WHERE api_key_id = %s
            """,
            [today, today.replace(day=1), key.pk],
        )
        return Spent(*cursor.fetchone())


def spent_this_month() -> dict[int, Decimal]:
    """USD by the key's primary key, in one query."""
    month = _day(timezone.now()).replace(day=1)
    sums = KeySpending.objects.filter(day__gte=month).values_list("api_key_id").annotate(total=Sum("amount"))
    return dict(sums.order_by())


def check(key: ApiKey, price: Decimal) -> None:
    """Raises ApiError: 402 when `price` (USD) would exceed one of the key's budgets. Call it with the key locked."""
    if not key.has_budget:
        return
    so_far = spent(key)
    for budget, amount, period, end in (
        (key.daily_budget, so_far.day, " per day", "It starts again at midnight UTC."),
        (key.monthly_budget, so_far.month, " per month", "It starts again at midnight UTC on the first of next month."),
        (key.total_budget, so_far.total, " in all", "Only the operator of this site can raise it."),
    ):
        if budget is not None and (amount >= budget or amount + price > budget):
            raise ApiError(
                402,
                "budget_exceeded",
                f"{usd(amount)} of this key's budget of {usd(budget)}{period} are spent or reserved, and this "
                f"request may cost {usd(price)}. {end}",
                kind="insufficient_quota",
            )


def reserve(row: GatewayRequest) -> None:
    """Insert the row of a request and add what it reserves to its key's day. Call it with the key locked."""
    row.save(force_insert=True)
    _add(row.api_key_id, _day(row.asked_at), row.reserved)


def _add(key: int, day: date, amount: Decimal) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO providers_keyspending AS spending (api_key_id, day, amount) VALUES (%s, %s, %s)
            ON CONFLICT (api_key_id, day) DO UPDATE SET amount = spending.amount + excluded.amount
            """,
            [key, day, amount],
        )


# One statement, because every image comes through here. The reservation that the row had is replaced by what counts.
_SETTLE = """
WITH open AS (
    SELECT id, reserved FROM providers_gatewayrequest WHERE id = %(id)s AND status = 'running' FOR UPDATE
), settled AS (
    UPDATE providers_gatewayrequest request SET ({columns}) = ROW({values})
    FROM open WHERE request.id = open.id
    RETURNING request.api_key_id, (request.asked_at AT TIME ZONE 'UTC')::date AS day,
        coalesce(request.cost, request.reserved) AS amount, open.reserved AS reserved
), changed AS (
    UPDATE providers_keyspending spending
    SET amount = greatest(0, spending.amount - settled.reserved + settled.amount)
    FROM settled WHERE spending.api_key_id = settled.api_key_id AND spending.day = settled.day
    RETURNING 1
), inserted AS (
    INSERT INTO providers_keyspending AS spending (api_key_id, day, amount)
    SELECT api_key_id, day, amount FROM settled WHERE NOT EXISTS (SELECT FROM changed)
    ON CONFLICT (api_key_id, day) DO UPDATE SET amount = spending.amount + excluded.amount
)
SELECT count(*) FROM settled
"""
_SETTLED = (
    "status", "http_status", "error_code", "error", "provider", "attempts", "duration", "overhead", "cost", "reserved",
    "answer", "files", "files_expire_at", "idempotency_key", "delivered_at",
)  # fmt: skip
_SETTLE = _SETTLE.format(columns=", ".join(_SETTLED), values=", ".join(f"%({name})s" for name in _SETTLED))


def settle(row: GatewayRequest) -> bool:
    """Save a request that has ended and count its cost; False when another process has settled it already.

    `row.cost` is USD, None where nobody knows; then `row.reserved` is what counts (`cost_of`).
    """
    values = {}
    for name in _SETTLED:
        field: Any = row._meta.get_field(name)
        values[name] = field.get_db_prep_save(getattr(row, name), connection)
    with connection.cursor() as cursor:
        cursor.execute(_SETTLE, values | {"id": row.pk})
        return bool(cursor.fetchone()[0])


def recount(day: date) -> int:
    """Compare each key's sum of the day with its requests and correct it; return how many were wrong."""
    begin = datetime(day.year, day.month, day.day, tzinfo=UTC)
    with transaction.atomic(), connection.cursor() as cursor:
        # Settling and reserving wait for this lock with nothing committed, so both tables are of the same moment.
        cursor.execute("LOCK TABLE providers_keyspending IN SHARE ROW EXCLUSIVE MODE")
        cursor.execute(
            """
            INSERT INTO providers_keyspending AS spending (api_key_id, day, amount)
            SELECT key.id, %(day)s, counted.amount
            FROM providers_apikey key
            CROSS JOIN LATERAL (
                SELECT coalesce(sum(coalesce(cost, reserved)), 0) AS amount FROM providers_gatewayrequest
                WHERE api_key_id = key.id AND asked_at >= %(begin)s AND asked_at < %(end)s
            ) counted
            LEFT JOIN providers_keyspending known ON known.api_key_id = key.id AND known.day = %(day)s
            WHERE counted.amount <> coalesce(known.amount, 0)
            ON CONFLICT (api_key_id, day) DO UPDATE SET amount = excluded.amount
            """,
            {"day": day, "begin": begin, "end": begin + timedelta(days=1)},
        )
        return int(cursor.rowcount)


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
