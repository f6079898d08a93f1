"""Which offering is asked, what all workers learn from its answer, and what is recorded."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from providers import circuit, costs, health, limits, routing, valkey
from providers.adapters.base import Account
from providers.errors import BadOutput, ContentPolicy, HeldBack, NotFound, ProviderError, ProviderFailure, RateLimited
from providers.models import Call
from providers.request import Answer, GeneratedImage, ImageRequest
from tests import factories as make

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("simulated")]
REQUEST = ImageRequest(prompt="A red kite", size="256x256")


def offered(*prices, **fields):
    """A model with two offerings: the first at OpenAI's format, the second at Replicate's."""
    model = make.make_model()
    providers = ("simulated-openai", "simulated-replicate")
    return model, [
        make.make_offering(model, provider, endpoint=f"studio/{model.slug}", price=price, **fields)
        for provider, price in zip(providers, prices, strict=False)
    ]


def providers_of(model) -> list[str]:
    return [offering.provider for offering in routing.candidates(model, REQUEST)]


def ask(model, prompt: str = "A red kite", caller="gateway", **options):
    return routing.generate(model, replace(REQUEST, prompt=prompt), caller, time_limit=20, **options)


def lately(offering, outcome: str = "ok", times: int = 1, seconds: float = 1, minutes_ago: float = 1) -> None:
    for _ in range(times):
        make.make_call(
            offering,
            outcome=outcome,
            error="" if outcome == "ok" else "so it went",
            duration=timedelta(seconds=seconds),
            started_at=timezone.now() - timedelta(minutes=minutes_ago),
        )
    health.forget()


# The order ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_cheapest_is_asked_first_and_an_unknown_price_last():
    model, _ = offered("0.02", "0.01")
    make.make_offering(model, "simulated-fal", price=None)
    assert providers_of(model) == ["simulated-replicate", "simulated-openai", "simulated-fal"]


def test_an_offering_that_fails_more_often_than_not_is_asked_last_until_it_is_forgotten():
    model, (cheap, _) = offered("0.01", "0.02")
    lately(cheap, "provider_error", 3)
    assert providers_of(model)[0] == "simulated-openai"  # three are too few to judge by
    lately(cheap, "timeout", 1)
    assert providers_of(model)[0] == "simulated-replicate"
    assert health.troubles([cheap.pk])[cheap.pk] == "4 of 4 calls failed in the last 15 minutes"
    Call.objects.update(started_at=timezone.now() - timedelta(minutes=16))
    health.forget()
    assert providers_of(model)[0] == "simulated-openai"


def test_refusals_and_our_own_troubles_do_not_make_an_offering_unhealthy():
    model, (cheap, _) = offered("0.01", "0.02")
    for outcome in ("content_policy", "billing", "rate_limited", "invalid_request"):
        lately(cheap, outcome, 10)
    assert providers_of(model)[0] == "simulated-openai"


def test_an_offering_that_became_slow_is_asked_last():
    model, (cheap, _) = offered("0.01", "0.02")
    lately(cheap, times=30, seconds=3, minutes_ago=600)
    lately(cheap, times=6, seconds=4)
    assert providers_of(model)[0] == "simulated-openai"
    lately(cheap, times=12, seconds=40)
    assert providers_of(model)[0] == "simulated-replicate"
    assert health.troubles([cheap.pk])[cheap.pk] == "takes 40 s lately, 3 s over the day"


def test_health_is_looked_up_once_in_a_few_seconds(django_assert_num_queries):
    model, _ = offered("0.01", "0.02")
    routing.candidates(model, REQUEST)
    with django_assert_num_queries(1):
        routing.candidates(model, REQUEST)


# Names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_name_may_force_a_provider_and_then_nobody_else_is_asked():
    model, _ = offered("0.01", "0.02")
    target = routing.find(f"simulated-replicate/{model.slug}")
    assert (target.image_model, target.provider) == (model, "simulated-replicate")
    assert ask(model, provider=target.provider).call.offering.provider == "simulated-replicate"
    with pytest.raises(ProviderFailure):
        ask(model, "Snow [sim:failed=out of luck]", provider="simulated-replicate")
    assert set(Call.objects.values_list("offering__provider", flat=True)) == {"simulated-replicate"}


def test_a_plain_name_leaves_the_choice():
    model, _ = offered("0.01")
    assert routing.find(model.slug) == routing.Target(model)


def test_a_wrong_name_is_answered_with_the_nearest():
    make.make_model("flux.2-klein-9b")
    with pytest.raises(NotFound, match=r"Did you mean flux\.2-klein-9b\?"):
        routing.find("fal/flux-2-klein-9b")


def test_a_provider_that_does_not_offer_the_model_is_said_with_those_that_do():
    model, _ = offered("0.01", "0.02")
    with pytest.raises(NotFound, match="It is offered by simulated-openai, simulated-replicate"):
        routing.find(f"fal/{model.slug}")


# Together with all workers ─────────────────────────────────────────────────────────────────────────────────────────


def test_a_circuit_opens_after_failures_and_a_probe_closes_it():
    model, (only,) = offered("0.01")
    for _ in range(circuit.FAILURES):
        with pytest.raises(ProviderFailure):
            ask(model, "Snow [sim:500]")
    with pytest.raises(HeldBack, match="failed 5 times in a row") as caught:
        ask(model)
    assert 0 < caught.value.retry_after <= circuit.FIRST_REST
    assert Call.objects.count() == circuit.FAILURES  # what was not sent is no call
    valkey.run("return redis.call('HSET', KEYS[1], 'open_until', '1')", [f"circuit:{only.pk}"], [])  # the rest is over
    assert ask(model).call.outcome == "ok"
    assert ask(model).call.outcome == "ok"


def test_with_an_open_circuit_the_next_offering_is_asked():
    model, (cheap, _) = offered("0.01", "0.02")
    for _ in range(circuit.FAILURES):
        circuit.report(cheap.pk, ProviderFailure("500"))
    assert ask(model, caller="arena").call.offering.provider == "simulated-replicate"
    assert Call.objects.count() == 1


def test_a_provider_is_not_asked_before_the_time_it_named():
    model, _ = offered("0.01")
    with pytest.raises(RateLimited) as caught:
        ask(model, "Snow [sim:429=30]")
    assert not isinstance(caught.value, HeldBack)
    other, _ = offered("0.01")
    with pytest.raises(HeldBack, match="asked not to be asked") as caught:
        ask(other)
    assert 25 < caught.value.retry_after <= 30
    assert list(Call.objects.values_list("outcome", flat=True)) == ["rate_limited"]


@pytest.mark.parametrize("caller", ["arena", "gateway"])
def test_our_own_limits_make_the_arena_wait_and_others_go_on_to_the_next(settings, caller):
    settings.PROVIDERS["simulated-openai"]["limits"] = {"concurrency": 1, "rate": 0}
    model, _ = offered("0.01", "0.02")
    lease = limits.take("simulated-openai", 30)
    if caller == "arena":
        with pytest.raises(HeldBack, match="SIMULATED_OPENAI_CONCURRENCY"):
            ask(model, caller="arena")
        assert not Call.objects.exists()
    else:
        assert ask(model).call.offering.provider == "simulated-replicate"
    limits.give_back(lease)
    assert ask(model, caller=caller).call.offering.provider == "simulated-openai"


def test_every_lease_is_given_back_whatever_happens(settings):
    settings.PROVIDERS["simulated-openai"]["limits"] = {"concurrency": 1, "rate": 0}
    model, _ = offered("0.01")
    for prompt in ("Snow [sim:500]", "Snow [sim:policy]", "Snow [sim:401]"):
        with pytest.raises(ProviderError) as caught:
            ask(model, prompt)
        assert not isinstance(caught.value, HeldBack)
    assert ask(model).call.outcome == "ok"


def test_calls_are_made_without_valkey(settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    valkey.disconnect()
    model, _ = offered("0.01")
    assert ask(model).call.outcome == "ok"
    valkey.disconnect()


def test_a_refusal_goes_on_to_the_next_for_the_gateway_only():
    model, _ = offered("0.01", "0.02")
    with pytest.raises(ContentPolicy):
        ask(model, "Rude [sim:policy]", caller="arena")
    assert Call.objects.count() == 1
    with pytest.raises(ContentPolicy):
        ask(model, "Rude [sim:policy]")
    assert Call.objects.count() == 3


# Money ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def answer(**fields) -> Answer:
    return Answer((GeneratedImage(b"", "image/png", 1024, 1024),), timedelta(seconds=1), **fields)


@pytest.mark.parametrize(
    ("unit", "price", "fields", "cost"),
    [
        ("image", "0.04", {}, ("0.04", True)),
        ("image", "0.04", {"cost": Decimal("0.031")}, ("0.031", False)),
        ("megapixel", "0.006", {"billed_units": Decimal("1.5")}, ("0.009", False)),
        ("megapixel", "0.006", {"billed_units": Decimal(0)}, ("0", False)),
        ("image", "0.04", {"billed_units": Decimal("1.5")}, ("0.04", True)),  # who knows what they count
        ("megapixel", None, {"billed_units": Decimal("1.5")}, (None, True)),
    ],
)
def test_the_providers_bill_counts_before_the_price_list(unit, price, fields, cost):
    offering = make.make_offering(price=price and Decimal(price), price_unit=unit)
    found, estimated = costs.of_answer(offering, REQUEST, answer(**fields))
    assert (found, estimated) == (cost[0] and Decimal(cost[0]), cost[1])


def test_units_times_an_estimated_price_are_an_estimate():
    offering = make.make_offering(price=Decimal("0.006"), price_unit="megapixel", price_estimated=True)
    assert costs.of_answer(offering, REQUEST, answer(billed_units=Decimal(1))) == (Decimal("0.006"), True)


def test_what_may_have_been_charged_carries_its_estimate_and_counts_as_spent(monkeypatch):
    monkeypatch.setattr(Account, "is_simulated", False)
    model, _ = offered("0.01", "0.02")
    with pytest.raises(BadOutput) as caught:
        ask(model, "Snow [sim:result-html]")
    charged = Call.objects.filter(possibly_charged=True)
    assert charged
    assert all(call.cost == call.offering.price and call.cost_estimated for call in charged)
    assert caught.value.spent == sum(call.cost for call in charged)
    assert not Call.objects.filter(possibly_charged=False, cost__isnull=False).exists()
