"""What is reserved before a call and settled after it: at once, late, or by another process."""

from __future__ import annotations

import contextlib
import uuid
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from providers import routing
from providers.errors import CapReached, ProviderError
from providers.models import Call, Reservation, SpentDay
from providers.request import ImageRequest
from providers.routing import offering_calls
from providers.spending import daily_cap
from tests import factories as make

from .days import CENT, REQUEST, close_expired, is_right, reserve

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("simulated")]


@pytest.mark.usefixtures("_billed")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    ("prompt", "cost"),
    [("A kite", "0.01"), ("A kite [sim:500]", "0"), ("A kite [sim:no-image]", "0.01"), ("A kite [sim:policy]", "0")],
)
def test_what_was_reserved_gives_way_to_what_it_has_cost(settings, prompt, cost):
    settings.DAILY_SPEND_CAP = Decimal(1)
    model = make.make_model()
    make.make_offering(model, endpoint=f"studio/{model.slug}", price=CENT)
    with contextlib.suppress(ProviderError):
        routing.generate(model, ImageRequest(prompt, size="64x64"), "arena", time_limit=20)
    assert not Reservation.objects.exists()
    assert daily_cap.today() == Decimal(cost)
    assert is_right()


@pytest.mark.usefixtures("_billed")
@pytest.mark.django_db(transaction=True)
def test_the_call_of_a_process_that_died_counts_at_once_and_is_recorded_in_time(settings, monkeypatch):
    class Killed(BaseException):
        pass

    def killed(*_, **__):
        assert daily_cap.today() == CENT  # before anything was sent
        connection.close()
        raise Killed

    settings.DAILY_SPEND_CAP = Decimal("0.015")
    model = make.make_model()
    offering = make.make_offering(model, price=CENT)
    monkeypatch.setattr(offering_calls.ADAPTERS["openai"], "generate", killed, raising=False)
    with pytest.raises(Killed):
        routing.generate(model, REQUEST, "arena", time_limit=20)
    with pytest.raises(CapReached):
        reserve(offering)
    assert daily_cap.close_dead() == 0
    assert close_expired(monkeypatch) == 1
    call = Call.objects.get()
    assert (call.outcome, call.possibly_charged, call.cost, call.ends_request) == ("cancelled", True, CENT, True)
    assert call.duration == timedelta(seconds=20)
    assert daily_cap.today() == CENT
    assert daily_cap.close_dead() == 0


@pytest.mark.usefixtures("_billed")
def test_a_reservation_settled_after_midnight_moves_the_amount_to_the_day_of_its_call():
    offering = make.make_offering()
    reservation = reserve(offering)
    yesterday = timezone.now() - timedelta(days=1)
    Reservation.objects.update(made_at=yesterday)
    SpentDay.objects.update(day=yesterday.date())
    daily_cap.settle(reservation, [make.make_call(offering, cost=Decimal("0.03"), spent=Decimal("0.03"))])
    assert daily_cap.amount_of(yesterday.date()) == 0
    assert daily_cap.today() == Decimal("0.03")
    assert is_right()


def unsaved_call(offering, spent: str) -> Call:
    return Call(
        offering=offering, caller="gateway", outcome="ok", detail="", request_id=uuid.uuid4(),
        started_at=timezone.now(), duration=timedelta(seconds=1), cost=Decimal(spent), spent=Decimal(spent),
        usage={"tokens": 7},
    )  # fmt: skip


@pytest.mark.usefixtures("_billed")
@pytest.mark.parametrize("spent", ["0.01", "0.03", "0"], ids=["as estimated", "dearer", "free"])
@pytest.mark.parametrize("days", [0, 1], ids=["same day", "reserved before midnight"])
def test_one_statement_records_a_call_and_what_it_has_spent(spent, days, django_assert_num_queries):
    offering = make.make_offering()
    reservation = reserve(offering)
    made_at = timezone.now() - timedelta(days=days)
    Reservation.objects.update(made_at=made_at)
    SpentDay.objects.update(day=made_at.date())
    with django_assert_num_queries(1):
        daily_cap.record(call := unsaved_call(offering, spent), reservation)
    stored = Call.objects.get()
    assert (stored.pk, stored.spent, stored.usage, stored.caller) == (call.pk, call.spent, call.usage, call.caller)
    assert not Reservation.objects.exists()
    assert daily_cap.today() == Decimal(spent)
    assert sum(SpentDay.objects.values_list("amount", flat=True)) == Decimal(spent)
    assert is_right()


@pytest.mark.usefixtures("_billed")
def test_a_call_whose_reservation_was_taken_for_dead_counts_beside_it(monkeypatch):
    offering = make.make_offering()
    reservation = reserve(offering)
    assert close_expired(monkeypatch) == 1
    daily_cap.record(unsaved_call(offering, "0.03"), reservation)
    assert Call.objects.count() == 2
    assert daily_cap.today() == Decimal("0.04")
    assert is_right()
