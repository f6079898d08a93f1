"""What a day has cost, and the cap on it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from providers import routing, spending
from providers.adapters.base import Account
from providers.errors import CapReached
from providers.models import Call
from providers.request import ImageRequest
from tests import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("simulated")]
REQUEST = ImageRequest(prompt="A red kite", size="256x256")


@pytest.fixture
def _billed(monkeypatch) -> None:
    """The simulator stands for providers that take real money."""
    monkeypatch.setattr(Account, "is_simulated", False)


@pytest.mark.usefixtures("_billed")
def test_a_day_counts_successes_and_what_may_have_been_charged_since_midnight_utc():
    offering = make.make_offering()
    for cost, fields in (
        ("0.01", {}),
        ("0.02", {"outcome": "network", "error": "lost", "possibly_charged": True}),
        (None, {"outcome": "timeout", "error": "late"}),
        (None, {}),
        ("9", {"started_at": spending.midnight() - timedelta(seconds=1)}),
    ):
        make.make_call(offering, cost=cost and Decimal(cost), **fields)
    assert spending.today() == Decimal("0.03")


@pytest.mark.django_db(transaction=True)
def test_simulated_calls_cost_nothing_whatever_their_price_list_says(settings):
    settings.DAILY_SPEND_CAP = Decimal(0)
    model = make.make_model()
    make.make_offering(model, price=5)
    generated = routing.generate(model, REQUEST, "arena", time_limit=20)
    assert generated.call.cost == 5
    assert generated.spent == spending.today() == 0


@pytest.mark.usefixtures("_billed")
@pytest.mark.parametrize("caller", ["arena", "gateway", "playground"])
def test_the_daily_cap_stops_every_caller_before_anything_is_sent(settings, caller):
    settings.DAILY_SPEND_CAP = Decimal("0.025")
    offering = make.make_offering(price=Decimal("0.01"))
    for _ in range(2):
        make.make_call(offering, cost=Decimal("0.01"))
    with pytest.raises(CapReached, match=r"\$0\.02 of the \$0\.025 that DAILY_SPEND_CAP allows a day") as caught:
        routing.generate(offering.image_model, REQUEST, caller, time_limit=20)
    assert 0 < caught.value.retry_after <= spending.LOOK_AGAIN
    assert Call.objects.count() == 2


@pytest.mark.usefixtures("_billed")
def test_the_cap_opens_again_when_the_day_turns(settings):
    settings.DAILY_SPEND_CAP = Decimal("0.01")
    offering = make.make_offering(price=Decimal("0.01"))
    call = make.make_call(offering, cost=Decimal("0.01"))
    with pytest.raises(CapReached):
        spending.check(offering, Decimal("0.01"))
    Call.objects.filter(pk=call.pk).update(started_at=spending.midnight() - timedelta(seconds=1))
    spending.check(offering, Decimal("0.01"))


def test_amounts_in_sentences():
    amounts = ("0.0062", "0.04", "12.5", "3")
    assert [spending.dollars(Decimal(each)) for each in amounts] == ["$0.0062", "$0.04", "$12.50", "$3.00"]
