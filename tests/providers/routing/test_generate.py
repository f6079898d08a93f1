"""Calls over the wire: falling back, what all workers learn from an answer, and what is recorded."""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal

import pytest

from providers import routing
from providers.adapters import replicate
from providers.adapters.base import Account
from providers.admission import circuit_breaker, valkey
from providers.connections.database import connection_released
from providers.errors import (
    AnswerLost,
    BadOutput,
    ContentPolicy,
    InvalidRequest,
    NotSent,
    ProviderError,
    ProviderFailure,
    RateLimited,
)
from providers.models import Call, Reservation
from providers.request import ImageRequest
from providers.spending import daily_cap
from tests import factories as make
from tests.providers.steps import give_back, report, take

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


SIDES = {"size": {"family": "pixels", "format": "sides"}}
PARAMETERS = {
    "fal": {"size": {"family": "pixels", "format": "object", "field": "image_size"}},
    "replicate": SIDES,
    "openai": {"size": {"family": "pixels", "format": "WxH", "field": "size"}},
    "bfl": SIDES,
    "gemini": {"size": {"family": "ratio", "field": "aspectRatio", "ratios": ["1:1"], "with": {"imageSize": "0.15K"}}},
}


def ask(model, prompt: str = "A red kite", caller="gateway", n: int = 1, **options):
    return routing.generate(model, replace(REQUEST, prompt=prompt, n=n), caller, **{"time_limit": 20, **options})


def test_a_circuit_opens_after_failures_and_a_probe_closes_it():
    model, (only,) = offered("0.01")
    for _ in range(circuit_breaker.FAILURES):
        with pytest.raises(ProviderFailure):
            ask(model, "Snow [sim:500]")
    with pytest.raises(NotSent, match="failed 5 times in a row") as caught:
        ask(model)
    assert 0 < caught.value.retry_after <= circuit_breaker.MIN_COOLDOWN
    assert Call.objects.count() == circuit_breaker.FAILURES  # what was not sent is no call
    valkey.run("return redis.call('HSET', KEYS[1], 'open_until', '1')", [f"circuit:{only.pk}"], [])  # the rest is over
    assert ask(model).call.outcome == "ok"
    assert ask(model).call.outcome == "ok"


def test_prompts_that_one_party_fails_with_stop_its_own_calls_only():
    model, _ = offered("0.01")
    for _ in range(circuit_breaker.FAILURES):
        with pytest.raises(ProviderFailure):
            ask(model, "Snow [sim:500]", party="key 1")
    with pytest.raises(NotSent, match="failed 5 times in a row"):
        ask(model, party="key 1")
    assert ask(model, party="key 2").call.outcome == "ok"
    assert ask(model).call.outcome == "ok"


def test_with_an_open_circuit_the_next_offering_is_asked():
    model, (cheap, _) = offered("0.01", "0.02")
    for _ in range(circuit_breaker.FAILURES):
        report(cheap.pk, ProviderFailure("500"))
    assert ask(model, caller="arena").call.offering.provider == "simulated-replicate"
    assert Call.objects.count() == 1


def test_a_provider_is_not_called_before_the_time_it_named(settings):
    settings.PROVIDERS["simulated-openai"]["limits"] = {"pause": "provider"}
    model, _ = offered("0.01")
    with pytest.raises(RateLimited) as caught:
        ask(model, "Snow [sim:429=30]")
    assert not isinstance(caught.value, NotSent)
    other, _ = offered("0.01")
    with pytest.raises(NotSent, match="asked for no more requests") as caught:
        ask(other)
    assert 25 < caught.value.retry_after <= 30
    assert list(Call.objects.values_list("outcome", flat=True)) == ["rate_limited"]


def test_a_short_429_is_waited_for_instead_of_paying_a_dearer_provider():
    model, _ = offered("0.01", "0.02")
    generated = ask(model, f"A kite {uuid.uuid4()} [sim:429-once=0.2]")
    made = [(attempt.provider, attempt.number, attempt.outcome) for attempt in generated.attempts]
    assert made == [("simulated-openai", 1, "rate_limited"), ("simulated-openai", 1, "ok")]
    assert Call.objects.get(ends_request=True).outcome == "ok"


def test_our_own_limits_leave_the_arenas_work_in_its_queue(settings):
    settings.PROVIDERS["simulated-openai"]["limits"] = {"concurrency": 1}
    model, _ = offered("0.01", "0.02")
    lease = take("simulated-openai", 30)
    with pytest.raises(NotSent, match="SIMULATED_OPENAI_CONCURRENCY"):
        ask(model, caller="arena")
    assert not Call.objects.exists()
    give_back(lease)
    assert ask(model, caller="arena").provider == "simulated-openai"


def test_visitors_wait_for_our_own_limits_and_go_on_to_a_dearer_provider_only_after_that(settings):
    settings.PROVIDERS["simulated-openai"]["limits"] = {"concurrency": 1}
    model, _ = offered("0.01", "0.02")
    lease = take("simulated-openai", 30)
    settings.PROVIDER_MAX_WAIT = 0
    assert ask(model).provider == "simulated-replicate"
    settings.PROVIDER_MAX_WAIT = 20
    threading.Timer(0.3, give_back, [lease]).start()
    assert ask(model).provider == "simulated-openai"


@pytest.mark.parametrize("provider", ["fal", "replicate", "openai", "bfl", "gemini"])
def test_ten_images_of_any_model_are_ten_images_within_the_limits_as_they_come(provider):
    """As installed: nothing here changes the limits of the settings."""
    model = make.make_model()
    make.make_offering(model, f"simulated-{provider}", endpoint=f"studio/{model.slug}", parameters=PARAMETERS[provider])
    generated = ask(model, n=10)
    assert (len(generated.images), generated.missing, generated.failure) == (10, 0, None)


@pytest.mark.parametrize("provider", ["replicate", "openai"])
def test_twenty_visitors_at_once_each_get_their_image(provider):
    model = make.make_model()
    make.make_offering(model, f"simulated-{provider}", endpoint=f"studio/{model.slug}", parameters=PARAMETERS[provider])

    def visit(number: int) -> str:
        with connection_released():
            provider: str = ask(model, f"A kite, number {number}", time_limit=60).provider
        return provider

    with ThreadPoolExecutor(20) as pool:
        assert set(pool.map(visit, range(20))) == {f"simulated-{provider}"}


def test_a_request_beyond_every_provider_gets_the_nearest_and_a_warning():
    model = make.make_model()
    sizes = {"size": {"family": "list", "field": "size", "sizes": ["128x128"]}}
    make.make_offering(model, "simulated-openai", endpoint=f"studio/{model.slug}", price="0.01", parameters=sizes)
    assert ask(model).warnings == ("size 256x256 was requested; the nearest that could be made is 128x128.",)
    make.make_offering(
        model, "simulated-fal", endpoint=f"studio/{model.slug}", price="0.09", parameters=PARAMETERS["fal"]
    )
    generated = ask(model)
    assert (generated.provider, generated.warnings) == ("simulated-fal", ())


def test_preferences_that_leave_no_provider_are_an_error_of_the_request():
    model, _ = offered("0.01", "0.02")
    with pytest.raises(InvalidRequest, match=r"no provider of .* is left"):
        ask(model, preferences=routing.Preferences(max_price=Decimal("0.001")))


def test_every_lease_is_given_back_whatever_happens(settings):
    settings.PROVIDERS["simulated-openai"]["limits"] = {"concurrency": 1, "rate": 0}
    model, _ = offered("0.01")
    for prompt in ("Snow [sim:500]", "Snow [sim:policy]", "Snow [sim:401]"):
        with pytest.raises(ProviderError) as caught:
            ask(model, prompt)
        assert not isinstance(caught.value, NotSent)
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


def test_a_name_may_force_a_provider_and_then_nobody_else_is_asked():
    model, _ = offered("0.01", "0.02")
    target = routing.find(f"simulated-replicate/{model.slug}")
    assert (target.image_model, target.provider) == (model, "simulated-replicate")
    assert ask(model, provider=target.provider).call.offering.provider == "simulated-replicate"
    with pytest.raises(ProviderFailure):
        ask(model, "Snow [sim:failed=out of luck]", provider="simulated-replicate")
    assert set(Call.objects.values_list("offering__provider", flat=True)) == {"simulated-replicate"}


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


def test_what_is_recorded_later_stays_reserved_until_then(monkeypatch):
    """A process that dies before it has recorded what it delivered has still counted it."""
    monkeypatch.setattr(Account, "is_simulated", False)
    model, _ = offered("0.01", "0.02")
    with pytest.raises(ContentPolicy):
        ask(model, "[sim:policy]", record_later=True)
    refused = Call.objects.count()  # nobody is given images: there is nothing to wait for
    assert refused
    assert not Reservation.objects.exists()
    spent = daily_cap.today()
    generated = ask(model, record_later=True)
    assert (Call.objects.count(), generated.call.pk, generated.cost) == (refused, None, Decimal("0.01"))
    assert Reservation.objects.get().amount == daily_cap.today() - spent == Decimal("0.01")
    generated.unrecorded()
    assert Call.objects.latest("pk") == generated.call
    assert generated.call.ends_request
    assert not Reservation.objects.exists()
    assert daily_cap.today() - spent == Decimal("0.01")


def test_an_image_whose_first_answer_is_lost_is_bought_once_where_the_provider_lists_its_jobs(monkeypatch):
    monkeypatch.setattr(replicate, "LOOKS", (0.02, 0.02, 0.02))
    seed = {"name": "seed", "type": "integer", "group": "core", "behaviour": "passthrough"}
    model, _ = offered("0.02", "0.01", parameters=SIDES | {"accepts": [seed]})
    generated = ask(model, "A kite [sim:reset]")
    assert (generated.provider, Call.objects.get().outcome) == ("simulated-replicate", "ok")
    assert generated.images[0].seed is not None
    with pytest.raises(AnswerLost):  # the caller's own seed may be that of others, too
        routing.generate(
            model, replace(REQUEST, prompt="A kite [sim:reset]", seed=7), "arena",
            time_limit=20, provider="simulated-replicate",
        )  # fmt: skip
