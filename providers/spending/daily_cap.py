"""What the calls of a day have spent, of all callers together, and the cap on it: DAILY_SPEND_CAP, in US dollars, for a
day in UTC.

Before a request is sent, its estimate is reserved: added to the day's amount – in one statement that also checks the
cap, so that any number of workers together never pass it by their estimates – and recorded as a `Reservation`. When the
calls are recorded, `Call.spent` takes its place: the provider's bill, an estimate, or nothing for a failure that was
not charged. A reservation whose process died is found by its age and becomes a call that may have been charged.

So the day's amount is always the sum of its calls and reservations, which `recount` checks; it can end above the cap
only by as much as bills are higher than estimates. An image of unknown price counts as UNKNOWN_PRICE_CEILING, before
and after, until the provider states a cost. Calls of simulated providers reserve and spend nothing.
"""

from __future__ import annotations

import functools
import logging
import uuid
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any, cast

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, Sum, When
from django.utils import timezone

from providers import accounts
from providers.errors import CapReached
from providers.models import Call, Offering, ProviderJob, Reservation, SpentDay
from providers.offering.pricing import usd
from providers.request import Caller
from providers.spending import costs

log = logging.getLogger(__name__)

RETRY_SECONDS = 300.0  # at most; when a request that met the cap may be tried again
GRACE = 60.0  # seconds a reservation outlives the time limit of its request: recording takes time too

_RESERVE = """
WITH allowed AS (
    INSERT INTO providers_spentday (day, amount)
    SELECT %(day)s, %(amount)s WHERE %(cap)s::numeric IS NULL OR (%(amount)s <= %(cap)s AND 0 < %(cap)s)
    ON CONFLICT (day) DO UPDATE SET amount = providers_spentday.amount + excluded.amount
    WHERE %(cap)s::numeric IS NULL
        OR (providers_spentday.amount + excluded.amount <= %(cap)s AND providers_spentday.amount < %(cap)s)
    RETURNING 1
)
INSERT INTO providers_reservation
    (offering_id, caller, request_id, attempt, n, amount, price_is_known, made_at, expires_at)
SELECT %(offering)s, %(caller)s, %(request_id)s, %(attempt)s, %(n)s, %(amount)s, %(price_is_known)s, %(now)s,
    %(expires_at)s
FROM allowed
RETURNING id
"""
# Days are locked in their order, as by `settle`. Nearly always none changes: the bill is what was estimated.
_RECORD = """
WITH call AS (
    INSERT INTO providers_call ({columns}) VALUES ({values}) RETURNING id, coalesce(spent, 0) AS spent
), reserved AS (
    DELETE FROM providers_reservation WHERE id = %(reservation)s
    RETURNING (made_at AT TIME ZONE 'UTC')::date AS day, coalesce(amount, 0) AS amount
), moved AS (
    SELECT day, sum(amount) AS amount
    FROM (SELECT %(day)s::date AS day, spent AS amount FROM call UNION ALL SELECT day, -amount FROM reserved) AS parts
    GROUP BY day HAVING sum(amount) <> 0
), locked AS (
    SELECT day FROM providers_spentday WHERE day IN (SELECT day FROM moved) ORDER BY day FOR UPDATE
), changed AS (
    UPDATE providers_spentday AS spentday SET amount = spentday.amount + moved.amount
    FROM moved JOIN locked USING (day) WHERE spentday.day = moved.day
    RETURNING spentday.day
), begun AS (
    INSERT INTO providers_spentday AS spentday (day, amount)
    SELECT day, amount FROM moved WHERE day NOT IN (SELECT day FROM changed)
    ON CONFLICT (day) DO UPDATE SET amount = spentday.amount + excluded.amount
)
SELECT id FROM call
"""


def cap() -> Decimal | None:
    """The daily cap in US dollars, None when there is none."""
    amount: Decimal | None = settings.DAILY_SPEND_CAP
    return amount


def today() -> Decimal:
    """USD: what the calls started today have spent, those that may have been charged included, and what is reserved."""
    return amount_of(_day(timezone.now()))


def amount_of(day: date) -> Decimal:
    return SpentDay.objects.filter(day=day).values_list("amount", flat=True).first() or Decimal(0)


def spent_on(request_id: uuid.UUID) -> Decimal:
    """USD of real money: what the calls of a request have spent, and what is reserved for those under way."""
    reserved = Reservation.objects.filter(request_id=request_id).aggregate(total=Sum("amount"))["total"]
    spent = Call.objects.filter(request_id=request_id).aggregate(total=Sum("spent"))["total"]
    return Decimal(reserved or 0) + Decimal(spent or 0)


def midnight() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


def reserve(
    offering: Offering,
    price: Decimal | None,
    *,
    caller: Caller,
    request_id: uuid.UUID,
    attempt: int,
    n: int,
    seconds: float,
) -> int | None:
    """The reservation's id, to be passed to `settle`; None where nothing can be spent. CapReached when it does not fit.

    `price` is in USD of one of `n` images, None when unknown; the request takes no longer than `seconds`.
    """
    if accounts.is_simulated(offering.provider):
        return None
    now, amount = timezone.now(), costs.budgeted(price, n)
    with connection.cursor() as cursor:
        cursor.execute(
            _RESERVE,
            {
                "day": _day(now), "amount": amount, "cap": cap(), "price_is_known": price is not None,
                "offering": offering.pk, "caller": caller, "request_id": request_id, "attempt": attempt, "n": n,
                "now": now, "expires_at": now + timedelta(seconds=seconds + GRACE),
            },
        )  # fmt: skip
        row = cursor.fetchone()
    if row is None:
        raise _cap_reached(amount, price is not None)
    return cast(int, row[0])


def settle(reservation: int | None, calls: Iterable[Call], counted: Decimal = Decimal(0)) -> None:
    """Inside the transaction that records the calls: replace what was reserved by what they have spent.

    `counted` (USD) of that is in the day's amount already: of calls that were recorded before, without their image.
    """
    moved: dict[date, Decimal] = {}
    for call in calls:
        day = _day(call.started_at)
        moved[day] = moved.get(day, Decimal(0)) + (call.spent or 0) - counted
        counted = Decimal(0)
    reservation_row = None
    if reservation is not None:
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM providers_reservation WHERE id = %s RETURNING made_at, amount", [reservation])
            reservation_row = cursor.fetchone()
    if reservation_row is not None:  # else it counts as a dead process's: better counted twice than not at all
        day = _day(reservation_row[0])
        moved[day] = moved.get(day, Decimal(0)) - (reservation_row[1] or 0)
    for day, change in sorted(moved.items()):
        if change and not SpentDay.objects.filter(day=day).update(amount=F("amount") + change):
            SpentDay.objects.create(day=day, amount=change)  # the first second of a new day


def record(call: Call, reservation: int | None) -> None:
    """Insert a new call, all of whose values are set, and replace what was reserved for it by what it has spent.

    As saving it and `settle`, in one statement: every image of the gateway waits for it.
    """
    values: dict[str, Any] = {"reservation": reservation, "day": _day(call.started_at)}
    for field in _recorded_fields():
        values[field.attname] = field.get_db_prep_save(getattr(call, field.attname), connection)
    with connection.cursor() as cursor:
        cursor.execute(_record_statement(), values)
        call.pk = cursor.fetchone()[0]
    call._state.adding = False


@functools.cache
def _recorded_fields() -> list[Any]:
    return [field for field in Call._meta.concrete_fields if not field.primary_key]


@functools.cache
def _record_statement() -> str:
    columns = [field.column for field in _recorded_fields()]
    return _RECORD.format(columns=", ".join(columns), values=", ".join(f"%({column})s" for column in columns))


def close_dead() -> int:
    """Reservations whose process died become calls that may have been charged; returns how many. Not those whose job
    another process may still take up.

    The amount stays in the day's: what the provider billed will never be known.
    """
    with transaction.atomic():
        awaited = ProviderJob.objects.open().filter(request_id=OuterRef("request_id"), attempt=OuterRef("attempt"))
        expired = Reservation.objects.filter(~Exists(awaited), expires_at__lt=timezone.now())
        dead = list(expired.select_for_update(skip_locked=True))
        Call.objects.bulk_create(
            Call(
                offering_id=row.offering_id, caller=row.caller, outcome="cancelled", request_id=row.request_id,
                error="The process that waited for the answer died.", attempt=row.attempt, n=row.n,
                ends_request=not Call.objects.filter(request_id=row.request_id, ends_request=True).exists(),
                started_at=row.made_at, duration=row.expires_at - row.made_at - timedelta(seconds=GRACE),
                cost=row.amount if row.price_is_known else None, spent=row.amount, possibly_charged=True,
            )
            for row in dead
        )  # fmt: skip
        Reservation.objects.filter(pk__in=[row.pk for row in dead]).delete()
    if dead:
        log.warning("%s calls of processes that died are counted as possibly charged.", len(dead))
    return len(dead)


def recount(day: date) -> Decimal:
    """Recompute the day's amount; returns what it was off by, in USD. Anything but 0 is a bug, and logged."""
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end = start + timedelta(days=1)
    providers = dict(Offering.objects.values_list("pk", "provider"))
    real = [pk for pk, provider in providers.items() if not accounts.is_simulated(provider)]
    # Calls of earlier releases have no `spent`.
    charged = Q(outcome="ok") | Q(possibly_charged=True)
    spent = Case(When(spent__isnull=False, then="spent"), When(charged, offering_id__in=real, then="cost"))
    with transaction.atomic():
        SpentDay.objects.get_or_create(day=day)
        row = SpentDay.objects.select_for_update().get(day=day)
        # Given one by one, offerings are looked up in the index by offering and time.
        calls = Call.objects.filter(offering_id__in=list(providers), started_at__gte=start, started_at__lt=end)
        paid = calls.aggregate(total=Sum(spent))["total"]
        reserved = Reservation.objects.filter(made_at__gte=start, made_at__lt=end).aggregate(total=Sum("amount"))[
            "total"
        ]
        off = row.amount - (paid or Decimal(0)) - (reserved or Decimal(0))
        if off:
            log.error("The amount spent on %s was off by %s; it is set right.", day, usd(off))
            row.amount -= off
            row.save(update_fields=["amount"])
    return off


def _cap_reached(amount: Decimal, price_is_known: bool) -> CapReached:
    tomorrow = (midnight() + timedelta(days=1) - timezone.now()).total_seconds()
    costs_about = f"costs about {usd(amount)}"
    if not price_is_known:
        costs_about = f"has no known price and counts as {usd(amount)} (UNKNOWN_PRICE_CEILING)"
    detail = (
        f"{usd(today())} of the {usd(cap() or Decimal(0))} that DAILY_SPEND_CAP allows a day are spent or "
        f"reserved, and this request {costs_about}."
    )
    log.warning("Not sent: %s", detail)  # no call records it, and callers need not know what this installation spends
    return CapReached(
        "The spending cap of the day is reached; requests are sent again after midnight UTC.",
        detail=detail,
        retry_after=min(RETRY_SECONDS, max(1.0, tomorrow)),
    )


def _day(moment: datetime) -> date:
    return moment.astimezone(UTC).date()
