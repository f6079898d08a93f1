"""What a day has cost, and the cap on it: never passed, also not by many at once, and nothing sent is forgotten."""

from __future__ import annotations

import contextlib
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.utils import timezone

from providers import routing
from providers.adapters.base import Account
from providers.errors import CapReached, ProviderError
from providers.models import Call, Reservation, SpentDay
from providers.request import ImageRequest
from providers.routing import sending
from providers.spending import daily_cap
from tests import factories as make
from tests.arena.test_constraints import refuses, update

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("simulated")]
REQUEST = ImageRequest(prompt="A red kite", size="256x256")
CENT = Decimal("0.01")


@pytest.fixture
def _billed(monkeypatch) -> None:
    """The simulator stands for providers that take real money."""
    monkeypatch.setattr(Account, "is_simulated", False)


def spent(amount: str, days_ago: int = 0) -> None:
    day = (timezone.now() - timedelta(days=days_ago)).date()
    SpentDay.objects.create(day=day, amount=Decimal(amount))


def reserve(offering, price: Decimal | None = CENT) -> int | None:
    return daily_cap.reserve(offering, price, caller="arena", request_id=uuid.uuid4(), attempt=1, n=1, seconds=30)


def is_right() -> bool:
    """Today's amount is the sum of its calls and reservations."""
    return daily_cap.recount(timezone.now().date()) == 0


@pytest.mark.usefixtures("_billed")
def test_a_day_is_its_successes_and_what_may_have_been_charged_since_midnight_utc(caplog):
    offering = make.make_offering()
    for cost, fields in (
        ("0.01", {}),
        ("0.02", {"outcome": "network", "error": "lost", "possibly_charged": True}),
        (None, {"outcome": "timeout", "error": "late"}),
        (None, {}),
        ("9", {"started_at": daily_cap.midnight() - timedelta(seconds=1)}),
    ):
        make.make_call(offering, cost=cost and Decimal(cost), **fields)
    assert daily_cap.recount(timezone.now().date()) == Decimal("-0.03")  # written past all the rules, and noticed
    assert "was off by" in caplog.text
    assert daily_cap.today() == Decimal("0.03")
    assert is_right()


@pytest.mark.django_db(transaction=True)
def test_simulated_calls_cost_nothing_whatever_their_price_list_says(settings):
    settings.DAILY_SPEND_CAP = Decimal(0)
    model = make.make_model()
    make.make_offering(model, price=5)
    generated = routing.generate(model, REQUEST, "arena", time_limit=20)
    assert generated.call.cost == 5
    assert generated.spent == daily_cap.today() == 0
    assert is_right()


@pytest.mark.usefixtures("_billed")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("caller", ["arena", "gateway", "playground"])
def test_the_daily_cap_stops_every_caller_before_anything_is_sent(settings, caller):
    settings.DAILY_SPEND_CAP = Decimal("0.025")
    offering = make.make_offering(price=CENT)
    spent("0.02")
    with pytest.raises(CapReached, match=r"\$0\.02 of the \$0\.025 that DAILY_SPEND_CAP allows a day") as caught:
        routing.generate(offering.image_model, REQUEST, caller, time_limit=20)
    assert 0 < caught.value.retry_after <= daily_cap.RETRY_SECONDS
    assert not Call.objects.exists()


@pytest.mark.usefixtures("_billed")
@pytest.mark.parametrize(("limit", "price"), [("0", None), ("0", "0"), ("0.005", "0.01")])
def test_the_first_call_of_a_day_can_be_too_much(settings, limit, price):
    settings.DAILY_SPEND_CAP = Decimal(limit)
    with pytest.raises(CapReached):
        reserve(make.make_offering(), price and Decimal(price))


@pytest.mark.usefixtures("_billed")
def test_the_cap_opens_again_when_the_day_turns(settings):
    settings.DAILY_SPEND_CAP = CENT
    spent("0.01", days_ago=1)
    assert reserve(make.make_offering())
    with pytest.raises(CapReached):
        reserve(make.make_offering())


@pytest.mark.usefixtures("_billed")
@pytest.mark.django_db(transaction=True)
def test_however_many_ask_at_once_the_cap_is_not_passed(settings):
    """Nothing is recorded yet: what is under way counts."""
    settings.DAILY_SPEND_CAP = Decimal("0.05")
    offering, start = make.make_offering(), threading.Barrier(8)

    def ask(_: int) -> int:
        start.wait()
        try:
            got = 0
            for _ in range(3):
                reserve(offering)
                got += 1
        except CapReached:
            pass
        finally:
            connection.close()
        return got

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(ask, range(8))) == 5
    assert daily_cap.today() == Decimal("0.05")
    assert is_right()


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
    monkeypatch.setattr(sending.ADAPTERS["openai"], "generate", killed, raising=False)
    with pytest.raises(Killed):
        routing.generate(model, REQUEST, "arena", time_limit=20)
    with pytest.raises(CapReached):
        reserve(offering)
    assert daily_cap.close_dead() == 0
    past = timezone.now() - timedelta(minutes=1)
    Reservation.objects.update(made_at=past - timedelta(seconds=80), expires_at=past)
    assert daily_cap.close_dead() == 1
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
    daily_cap.settle(reservation, [make.make_call(offering, cost=Decimal("0.03"))])
    assert daily_cap.amount_of(yesterday.date()) == 0
    assert daily_cap.today() == Decimal("0.03")
    assert is_right()


@pytest.mark.usefixtures("_billed")
def test_postgres_refuses_money_that_cannot_be():
    reserve(make.make_offering())
    refuses("a day costs nothing negative", update(SpentDay.objects.get(), amount=Decimal(-1)))
    row = Reservation.objects.get()
    refuses("nothing negative is reserved", update(row, amount=Decimal(-1)))
    refuses("somebody known reserves", update(row, caller="stranger"))
    refuses("a reservation lasts a while", update(row, expires_at=row.made_at))


def test_amounts_in_sentences():
    amounts = ("0.0062", "0.04", "12.5", "3")
    assert [daily_cap.dollars(Decimal(each)) for each in amounts] == ["$0.0062", "$0.04", "$12.50", "$3.00"]
