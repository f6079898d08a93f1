"""What a day has cost, and the cap on it: never passed, also not by many at once, and nothing sent is forgotten."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from providers import routing
from providers.adapters.base import Account
from providers.connections.database import connection_released
from providers.errors import CapReached, InvalidRequest, ProviderError
from providers.models import Call, Reservation, SpentDay
from providers.request import ImageRequest
from providers.routing import offering_calls
from providers.spending import daily_cap
from tests import factories as make
from tests.arena.test_constraints import refuses, update

from .days import CENT, REQUEST, close_expired, is_right, reserve, spent

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("simulated")]


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
    with pytest.raises(CapReached) as caught:
        routing.generate(offering.image_model, REQUEST, caller, time_limit=20)
    assert "$0.02 of the $0.025 that DAILY_SPEND_CAP allows a day" in caught.value.detail
    assert "$" not in str(caught.value)  # what an installation spends is no stranger's business
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
def test_an_unknown_price_counts_as_the_ceiling_before_and_after_and_stays_unknown(settings, monkeypatch):
    settings.DAILY_SPEND_CAP, settings.UNKNOWN_PRICE_CEILING = Decimal("0.50"), Decimal("0.20")
    model = make.make_model()
    offering = make.make_offering(model, endpoint=f"studio/{model.slug}", price=None)
    for _ in range(2):
        routing.generate(model, REQUEST, "gateway", time_limit=20)
    assert set(Call.objects.values_list("cost", "spent")) == {(None, Decimal("0.20"))}
    assert daily_cap.today() == Decimal("0.40")
    with pytest.raises(CapReached) as caught:
        routing.generate(model, REQUEST, "gateway", time_limit=20)
    assert "no known price and counts as $0.20" in caught.value.detail
    assert is_right()
    settings.DAILY_SPEND_CAP = None
    reserve(offering, None)
    close_expired(monkeypatch)
    assert Call.objects.filter(cost=None, spent=Decimal("0.20")).count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_url_on_this_machine_does_not_make_a_provider_free(settings):
    """The most usual one there is a proxy that spends real money."""
    local = settings.PROVIDERS["simulated-openai"] | {"simulated": False, "name": "Proxy"}
    settings.PROVIDERS["proxy"], settings.ALLOW_LOOPBACK_PROVIDERS = local, True
    model = make.make_model()
    make.make_offering(model, "proxy", endpoint=f"studio/{model.slug}", price=CENT)
    assert routing.generate(model, REQUEST, "gateway", time_limit=20).spent == CENT
    assert daily_cap.today() == CENT


@pytest.mark.django_db(transaction=True)
def test_calls_stay_free_that_were_made_while_their_provider_was_simulated(settings, monkeypatch):
    model = make.make_model()
    make.make_offering(model, endpoint=f"studio/{model.slug}", price=CENT)
    routing.generate(model, REQUEST, "gateway", time_limit=20)
    monkeypatch.setattr(Account, "is_simulated", False)
    assert is_right()
    routing.generate(model, REQUEST, "gateway", time_limit=20)
    assert daily_cap.today() == CENT
    assert is_right()


@pytest.mark.usefixtures("_billed")
@pytest.mark.django_db(transaction=True)
def test_a_size_in_the_providers_own_words_is_reserved_and_a_number_of_images_rejected(settings):
    settings.DAILY_SPEND_CAP = Decimal("0.05")
    model = make.make_model()
    size = {"size": {"family": "pixels", "format": "object", "field": "image_size"}}
    make.make_offering(
        model, "simulated-fal", endpoint=f"studio/{model.slug}", parameters=size, price=CENT, price_unit="megapixel"
    )
    large = replace(REQUEST, extra={"image_size": {"width": 4096, "height": 2048}})
    with pytest.raises(CapReached) as caught:
        routing.generate(model, large, "gateway", time_limit=20)
    assert "about $0.08" in caught.value.detail
    with pytest.raises(InvalidRequest, match="write n for the number of images"):
        routing.generate(model, replace(REQUEST, extra={"num_images": 4}), "gateway", time_limit=20)
    assert not Call.objects.exists()


class Killed(BaseException):
    """The process died while it waited for the answer."""


@pytest.mark.usefixtures("_billed")
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("seed", range(3))
def test_no_mix_of_requests_spends_more_than_the_cap(settings, monkeypatch, seed):
    """Callers, prices known or not, several images, native parameters, faults, 429s, deaths and races.

    The stated error – a bill above its estimate – does not occur: this simulator bills by the price list.
    """
    settings.DAILY_SPEND_CAP, settings.UNKNOWN_PRICE_CEILING = Decimal("0.30"), Decimal("0.02")
    dice, models = random.Random(seed), []
    many = {"n": {"field": "num_images", "max": 4}}
    size = {"size": {"family": "pixels", "format": "object", "field": "image_size"}}
    for price, unit in ((CENT, "image"), (None, "image"), (Decimal("0.5"), "megapixel")):
        models.append(model := make.make_model())
        fields = {"endpoint": f"studio/{model.slug}", "price": price, "price_unit": unit}
        make.make_offering(model, "simulated-fal", parameters=size | dice.choice([{}, many]), **fields)
        make.make_offering(model, "simulated-openai", **fields | {"price": CENT})
    adapter = offering_calls.ADAPTERS["fal"]

    def generate(call, **options):
        answer = adapter.generate(call, **options)
        if "[kill]" in call.arguments["prompt"]:
            raise Killed
        return answer

    monkeypatch.setitem(offering_calls.ADAPTERS, "fal", SimpleNamespace(generate=generate))
    faults = ("", "", "", "[kill]", "[sim:500]", "[sim:no-image]", "[sim:policy]", "[sim:429-once=0.1]", "[sim:failed]")
    extras = ({}, {}, {"num_images": 3}, {"image_size": {"width": 128, "height": 128}})
    requests = [
        (
            dice.choice(models),
            ImageRequest(f"{number} {seed} {dice.choice(faults)}", size="64x64", n=dice.choice([1, 1, 2, 5]),
                         extra=dice.choice(extras)),
            dice.choice(["arena", "gateway", "playground"]),
        )
        for number in range(40)
    ]  # fmt: skip

    def ask(request) -> int:
        model, image_request, caller = request
        try:
            with connection_released():
                return len(routing.generate(model, image_request, caller, time_limit=20).images)
        except (ProviderError, Killed):
            return 0

    with ThreadPoolExecutor(8) as pool:
        images = sum(pool.map(ask, requests))
    assert images > 3
    close_expired(monkeypatch)
    assert 0 < daily_cap.today() <= settings.DAILY_SPEND_CAP
    assert Call.objects.aggregate(total=Sum("spent"))["total"] == daily_cap.today()
    assert is_right()


@pytest.mark.usefixtures("_billed")
def test_postgres_refuses_money_that_cannot_be():
    reserve(make.make_offering())
    refuses("a day costs nothing negative", update(SpentDay.objects.get(), amount=Decimal(-1)))
    row = Reservation.objects.get()
    refuses("nothing negative is reserved", update(row, amount=Decimal(-1)))
    refuses("somebody known reserves", update(row, caller="stranger"))
    refuses("a reservation lasts a while", update(row, expires_at=row.made_at))
    refuses("a call spends nothing negative", update(make.make_call(), spent=Decimal(-1)))
