"""`model: "auto"` through the gateway: the model that votes, prices and times of this site speak for."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.test import Client

from leaderboard.board import ratings
from leaderboard.models import Rating
from providers import cache
from providers.models import ApiKey, Call, GatewayRequest, Offering
from providers.performance import percentiles, summaries
from tests import factories as make
from tests.leaderboard.voting import cast
from tests.providers.gateway.conftest import offered
from tests.providers.gateway.test_budgets import post

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def key(simulated):
    return ApiKey.make("auto")


@pytest.fixture
def models():
    """Three, the dearest of which is the best, and the other two equal."""
    models = {slug: offered(slug) for slug in ("weak-dear", "weak-cheap", "strong")}
    for slug, price in (("weak-dear", "0.02"), ("weak-cheap", "0.01"), ("strong", "0.05")):
        models[slug].offerings.update(price=price)
    return models


def rated(models, lead: float = 2.0, votes: int = 900):
    category = make.make_category()
    strengths = dict.fromkeys(models.values(), 0.0) | {models["strong"]: lead}
    cast(category, list(models.values()), votes, strengths=strengths, voters=votes)
    ratings.recompute(category)
    cache.clear_process_caches()


def chosen(key, **fields):
    response = post(key[1], **{"model": "auto", **fields})
    assert response.status_code == 200, response.content
    return response.json()["metadata"]


def test_the_best_rated_model_answers_and_the_response_says_why(models, key):
    rated(models)
    metadata = chosen(key)
    assert metadata["model"] == "strong"
    auto = metadata["auto"]
    assert auto["lower"] < auto["elo"] < auto["upper"]
    assert auto["place"].startswith("first of 3")
    assert (auto["leaderboard"], auto["votes"], auto["passed"], auto["indistinguishable"]) == (
        "text-to-image", 900, 3, 1,
    )  # fmt: skip
    assert "Strong is rated best of the 3 that pass, at $0.05 an image" in auto["reason"]
    row = GatewayRequest.objects.get()
    assert (row.model, row.answer["metadata"]["auto"]) == ("auto", auto)
    assert chosen(key, model="auto:text-to-image")["model"] == "strong"


def test_nobody_pays_for_a_difference_that_votes_have_not_shown(models, key):
    rated(models, lead=0.0, votes=60)
    metadata = chosen(key)
    assert metadata["model"] == "weak-cheap"
    assert metadata["auto"]["indistinguishable"] == 3


def test_the_places_of_the_board_say_which_models_are_tied(key):
    """Not the intervals: these do not overlap, and yet the board says that two models may be the first."""
    six = [offered(f"model-{number}") for number in range(6)]
    for number, model in enumerate(six):
        model.offerings.update(price=Decimal("0.06") - number * Decimal("0.01"))
    category = make.make_category()
    cast(category, six, 600, strengths={model: -0.4 * number for number, model in enumerate(six)}, voters=600)
    ratings.recompute(category)
    cache.clear_process_caches()
    best, second = Rating.objects.order_by("-elo")[:2]
    assert (str(best.place), second.upper < best.lower) == ("1–2 of 6", True)
    metadata = chosen(key)
    assert (metadata["model"], metadata["auto"]["indistinguishable"]) == ("model-1", 2)


def test_limits_of_price_and_time(models, key):
    rated(models)
    assert chosen(key, max_price=0.03)["model"] == "weak-cheap"
    too_cheap = post(key[1], model="auto", max_price=0.001)
    assert (too_cheap.status_code, too_cheap.json()["error"]["param"]) == (404, "model")
    assert "3 cost more than max_price" in too_cheap.json()["error"]["message"]
    assert "too few calls were measured" in post(key[1], model="auto", max_seconds=5).json()["error"]["message"]
    for slug, seconds in (("strong", 30), ("weak-dear", 2)):
        offering = models[slug].offerings.get(mode="text-to-image")
        for _ in range(percentiles.SAMPLES_FOR_P95):
            make.make_call(offering, duration=timedelta(seconds=seconds))
    summaries.compute()
    quick = chosen(key, max_seconds=5)
    assert (quick["model"], quick["auto"]["p95_seconds"]) == ("weak-dear", 2.0)
    assert post(key[1], model="strong", max_seconds=5).json()["error"]["param"] == "max_seconds"


def test_a_key_that_may_use_some_models_gets_the_best_of_those(models, key):
    rated(models)
    ApiKey.objects.update(allowed_models=["weak-dear"])
    cache.clear_process_caches()
    assert chosen(key)["model"] == "weak-dear"


def test_sample_models_answer_only_where_no_other_does(models, key):
    rated(models)
    models["weak-dear"].origin = "catalog"
    models["weak-dear"].save(update_fields=["origin"])
    assert chosen(key)["model"] == "weak-dear"


def test_a_board_that_is_not_there_is_a_404_that_costs_nothing(models, key):
    for name in ("auto", "auto:x", "auto:text-to-image"):
        error = post(key[1], model=name)
        assert (error.status_code, error.json()["error"]["code"]) == (404, "model_not_found"), name
    assert not Call.objects.exists()


def test_a_dry_run_names_the_choice(models, key):
    rated(models)
    answer = (
        Client()
        .post(
            "/openai/v1/images/generations?dryRun=true",
            {"model": "auto", "prompt": "A kite", "max_price": 0.03},
            "application/json",
            headers={"Authorization": f"Bearer {key[1]}"},
        )
        .json()
    )
    assert (answer["model"], answer["auto"]["best_rated"]) == ("weak-cheap", answer["auto"]["best_rated"])


def test_the_price_limit_binds_the_providers_that_are_fallen_back_to(models, key):
    rated(models)
    offered("weak-cheap", "simulated-replicate")
    Offering.objects.filter(image_model__slug="weak-cheap", provider="simulated-replicate").update(price="0.04")
    cache.clear_process_caches()
    response = post(key[1], model="auto", max_price=0.03, prompt="A kite [sim:500]")
    attempts = response.json()["metadata"]["attempts"]
    assert {attempt["provider"] for attempt in attempts} == {"simulated-openai"}
