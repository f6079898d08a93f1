"""Which offering is asked first, what a name means, what a call costs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from providers import cache, routing
from providers.errors import InvalidRequest, NotFound
from providers.models import Call
from providers.performance import recent
from providers.request import Answer, GeneratedImage, ImageRequest
from providers.routing import selection
from providers.routing.preferences import read as read_preferences
from providers.spending import costs
from tests import factories as make

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("simulated")]
REQUEST = ImageRequest(prompt="A red kite", size="256x256")


def offered(*prices: str):
    """A model with offerings at these prices: the first at OpenAI's format, the second at Replicate's."""
    model = make.make_model()
    providers = ("simulated-openai", "simulated-replicate")
    return model, [
        make.make_offering(model, provider, price=price) for provider, price in zip(providers, prices, strict=False)
    ]


def providers_of(model) -> list[str]:
    return [offering.provider for offering in routing.candidates(model, REQUEST)]


def recent_calls(offering, outcome: str = "ok", times: int = 1, seconds: float = 1, minutes_ago: float = 1) -> None:
    for _ in range(times):
        make.make_call(
            offering,
            outcome=outcome,
            error="" if outcome == "ok" else "so it went",
            duration=timedelta(seconds=seconds),
            started_at=timezone.now() - timedelta(minutes=minutes_ago),
        )
    cache.clear_process_caches()


# The order ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_cheapest_is_asked_first_and_an_unknown_price_last():
    model, _ = offered("0.02", "0.01")
    make.make_offering(model, "simulated-fal", price=None)
    assert providers_of(model) == ["simulated-replicate", "simulated-openai", "simulated-fal"]


def test_an_offering_that_fails_more_often_than_not_is_asked_last_until_it_is_forgotten():
    model, (cheap, _) = offered("0.01", "0.02")
    recent_calls(cheap, "provider_error", 3)
    assert providers_of(model)[0] == "simulated-openai"  # three are too few to judge by
    recent_calls(cheap, "timeout", 1)
    assert providers_of(model)[0] == "simulated-replicate"
    assert recent.troubles([cheap.pk])[cheap.pk] == "4 of 4 calls failed in the last 15 minutes"
    Call.objects.update(started_at=timezone.now() - timedelta(minutes=16))
    cache.clear_process_caches()
    assert providers_of(model)[0] == "simulated-openai"


def test_refusals_and_our_own_troubles_do_not_make_an_offering_unhealthy():
    model, (cheap, _) = offered("0.01", "0.02")
    for outcome in ("content_policy", "billing", "rate_limited", "invalid_request"):
        recent_calls(cheap, outcome, 10)
    assert providers_of(model)[0] == "simulated-openai"


def test_an_offering_that_became_slow_is_asked_last():
    model, (cheap, _) = offered("0.01", "0.02")
    recent_calls(cheap, times=30, seconds=3, minutes_ago=600)
    recent_calls(cheap, times=6, seconds=4)
    assert providers_of(model)[0] == "simulated-openai"
    recent_calls(cheap, times=12, seconds=40)
    assert providers_of(model)[0] == "simulated-replicate"
    assert recent.troubles([cheap.pk])[cheap.pk] == "takes 40 s lately, 3 s over the day"


def test_offerings_and_health_are_looked_up_once_in_a_few_seconds(monkeypatch, django_assert_num_queries):
    monkeypatch.setattr(selection.open_offerings, "seconds", 60.0)
    model, _ = offered("0.01", "0.02")
    routing.candidates(model, REQUEST)
    with django_assert_num_queries(0):
        assert providers_of(model) == ["simulated-openai", "simulated-replicate"]


def sold(*, large: str, small: str):
    """A model that one provider makes up to 4K and another, at these prices, at 1K alone."""
    model = make.make_model()
    tiers = {"family": "ratio", "field": "aspect_ratio", "ratios": ["1:1", "8:1"], "tier_field": "resolution"}
    one = {"family": "list", "field": "size", "sizes": ["1024x1024"]}
    make.make_offering(model, "simulated-replicate", price=large, parameters={"size": tiers | {"tiers": ["1K", "4K"]}})
    make.make_offering(model, "simulated-openai", price=small, parameters={"size": one})
    return model


@pytest.mark.parametrize(
    ("fields", "first"),
    [
        ({"resolution": "4K"}, "simulated-replicate"),
        ({"aspect_ratio": "8:1"}, "simulated-replicate"),
        ({"resolution": "1K"}, "simulated-openai"),
        ({}, "simulated-openai"),
    ],
)
def test_what_an_offering_can_do_decides_before_what_it_costs(fields, first):
    model = sold(large="0.10", small="0.01")
    assert routing.candidates(model, ImageRequest("A red kite", **fields))[0].provider == first


def test_an_offering_that_cannot_do_it_is_called_only_where_none_can():
    model = make.make_model()
    steps = {"name": "steps", "type": "integer", "group": "additional", "behaviour": "passthrough"}
    make.make_offering(model, "simulated-openai", price="0.01", parameters={"accepts": [steps | {"maximum": 8}]})
    make.make_offering(model, "simulated-replicate", price="0.02", parameters={"accepts": [steps | {"maximum": 50}]})
    providers = {
        number: [
            offering.provider for offering in routing.candidates(model, ImageRequest("A kite", extra={"steps": number}))
        ]
        for number in (4, 20, 99)
    }
    assert providers == {
        4: ["simulated-openai", "simulated-replicate"],
        20: ["simulated-replicate"],
        99: ["simulated-openai", "simulated-replicate"],
    }


def test_a_troubled_offering_that_can_do_it_is_called_before_a_healthy_one_that_cannot():
    model = sold(large="0.10", small="0.01")
    recent_calls(model.offerings.get(provider="simulated-replicate"), "provider_error", 9)
    assert routing.candidates(model, ImageRequest("A red kite", resolution="4K"))[0].provider == "simulated-replicate"


# Preferences ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("preferences", "providers"),
    [
        ({}, ["simulated-openai", "simulated-replicate", "simulated-fal"]),
        ({"only": ["simulated-fal", "simulated-openai"]}, ["simulated-openai", "simulated-fal"]),
        ({"ignore": ["simulated-openai"]}, ["simulated-replicate", "simulated-fal"]),
        ({"order": ["simulated-fal"]}, ["simulated-fal", "simulated-openai", "simulated-replicate"]),
        ({"order": ["simulated-fal"], "allow_fallbacks": False}, ["simulated-fal"]),
        ({"max_price": 0.02}, ["simulated-openai", "simulated-replicate"]),
        ({"max_price": {"image": "0.015"}}, ["simulated-openai"]),
        ({"sort": "speed"}, ["simulated-replicate", "simulated-openai", "simulated-fal"]),
        ({"only": ["nobody"]}, []),
    ],
)
def test_callers_choose_among_the_providers_of_a_model(preferences, providers):
    model, (_, quick) = offered("0.01", "0.02")
    make.make_offering(model, "simulated-fal", price=None)
    recent_calls(quick, times=6)
    chosen = routing.candidates(model, REQUEST, preferences=read_preferences(preferences))
    assert [offering.provider for offering in chosen] == providers


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (["fal"], "write an object with only, order"),
        ({"onli": ["fal"]}, r"provider\.onli: it is not known"),
        ({"only": [7]}, r"provider\.only: write a list"),
        ({"sort": "beauty"}, r"provider\.sort: 'beauty'"),
        ({"max_price": "cheap"}, r"provider\.max_price: write US dollars"),
        ({"max_price": True}, r"provider\.max_price"),
        ({"allow_fallbacks": "no"}, r"provider\.allow_fallbacks"),
    ],
)
def test_preferences_that_cannot_be_read_are_named(value, says):
    with pytest.raises(InvalidRequest, match=says):
        read_preferences(value)


def test_one_providers_name_is_a_preference_too():
    assert read_preferences("fal") == routing.Preferences(only=("fal",))
    assert read_preferences(None) == routing.NO_PREFERENCES


# Names ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


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


# Money ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def answer(**fields) -> Answer:
    return Answer((GeneratedImage(b"", "image/png", 1024, 1024),), timedelta(seconds=1), **fields)


@pytest.mark.parametrize(
    ("unit", "price", "fields", "cost"),
    [
        ("image", "0.04", {}, ("0.04", True)),
        ("image", "0.04", {"cost": Decimal("0.031")}, ("0.031", False)),
        ("image", "0.04", {"cost": Decimal("0.03183190004")}, ("0.031832", False)),  # as the columns keep it
        ("megapixel", "0.006", {"billed_units": Decimal("1.5")}, ("0.009", False)),
        ("megapixel", "0.006", {"billed_units": Decimal(0)}, ("0", False)),
        ("image", "0.04", {"billed_units": Decimal("1.5")}, ("0.04", True)),  # who knows what they count
        ("megapixel", None, {"billed_units": Decimal("1.5")}, (None, True)),
    ],
)
def test_the_providers_bill_counts_before_the_price_list(unit, price, fields, cost):
    offering = make.make_offering(price=price and Decimal(price), price_unit=unit)
    dollars, estimated = costs.of_answer(offering, REQUEST, answer(**fields))
    assert (dollars, estimated) == (cost[0] and Decimal(cost[0]), cost[1])


def test_units_times_an_estimated_price_are_an_estimate():
    offering = make.make_offering(price=Decimal("0.006"), price_unit="megapixel", price_estimated=True)
    assert costs.of_answer(offering, REQUEST, answer(billed_units=Decimal(1))) == (Decimal("0.006"), True)


def test_sources_in_the_providers_own_words_are_in_the_estimate():
    """Black Forest Labs takes them at the same endpoint as no sources, and bills each."""
    offering = make.make_offering(price=Decimal("0.01"), price_unit="megapixel-first", price_details={"extra": "0.002"})
    request = replace(REQUEST, extra={"input_image": "https://x.test/1.png", "input_image_2": "https://x.test/2.png"})
    assert costs.estimate(offering, REQUEST) == Decimal("0.01")
    assert costs.estimate(offering, request) == Decimal("0.014")


@pytest.mark.parametrize(
    ("name", "value", "estimate"),
    [
        ("quality", "low", "0.01"),
        ("quality", "auto", "0.09"),  # the provider chooses, perhaps the dearest
        ("rendering_speed", "QUALITY", "0.09"),
        ("steps", 4, "0.03"),
    ],
)
def test_a_price_follows_the_parameter_that_it_depends_on(name, value, estimate):
    details = {"low": "0.01", "medium": "0.03", "high": "0.08", "QUALITY": "0.09"}
    offering = make.make_offering(price=Decimal("0.03"), price_unit="image-by-quality", price_details=details)
    assert costs.estimate(offering, replace(REQUEST, extra={name: value})) == Decimal(estimate)
