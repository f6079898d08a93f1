"""One ledger for every budget: gateway, playground and retries, unknown prices included."""

from __future__ import annotations

import random
import threading
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.db.models import Sum
from django.db.models.functions import Coalesce
from django.test import Client
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from providers.gateway import budgets, signed_files
from providers.models import ApiKey, Call, GatewayRequest, KeySpending, Offering, Trial
from providers.playground import trials
from providers.spending import daily_cap
from tests.arena.test_constraints import refuses, update
from tests.config.processes import eventually

from .conftest import offered

pytestmark = pytest.mark.django_db(transaction=True)


def amounts() -> dict[str, Decimal]:
    """By the ledger, and by the requests it is the sum of."""
    counts = Coalesce("cost", "reserved")
    return {
        "ledger": KeySpending.objects.aggregate(total=Sum("amount", default=Decimal(0)))["total"],
        "requests": GatewayRequest.objects.aggregate(total=Sum(counts, default=Decimal(0)))["total"],
    }


def post(secret: str, **fields):
    """In this process: the same views behind WSGI."""
    fields = {"model": "sample-one", "prompt": "A kite", "size": "64x64", "response_format": "b64_json"} | fields
    return Client().post(
        "/openai/v1/images/generations", fields, "application/json", headers={"Authorization": f"Bearer {secret}"}
    )


@pytest.fixture
def model(simulated):
    return offered("sample-one")


def test_trials_reserve_the_budget_of_their_key_before_they_run(model):
    key, secret = ApiKey.make("guest", monthly_budget=Decimal("0.03"))
    form = {"prompt": "A kite", "model": ["sample-one"], "size": "64x64", "key": secret, "action": "generate"}
    statuses = [Client().post("/playground/", form).status_code for _ in range(6)]
    assert statuses == [302, 302, 302, 402, 402, 402]  # one cent each
    assert post(secret).status_code == 402
    for pk in trials.take_due():
        trials.run(pk)
    assert list(key.requests.values_list("status", "cost")) == [("ok", Decimal("0.01"))] * 3
    assert amounts() == {"ledger": Decimal("0.03"), "requests": Decimal("0.03")}


def test_a_trial_that_no_worker_finishes_frees_what_it_reserved(model):
    _, secret = ApiKey.make("guest", monthly_budget=Decimal("0.03"))
    form = {"prompt": "A kite", "model": ["sample-one"], "size": "64x64", "key": secret, "action": "generate"}
    Client().post("/playground/", form)
    assert amounts()["ledger"] == Decimal("0.01")
    Trial.objects.update(asked_at=timezone.now() - timedelta(hours=1))
    trials.prune()
    assert amounts() == {"ledger": Decimal(0), "requests": Decimal(0)}
    assert GatewayRequest.objects.get().status == "failed"


def test_a_trial_that_began_late_is_not_given_up_and_one_that_is_counts_what_was_under_way(model):
    """It may still be made and billed, and would then cost neither its key nor the free budget anything."""
    _, secret = ApiKey.make("guest", monthly_budget=1)
    form = {"prompt": "A kite", "model": ["sample-one"], "size": "64x64", "key": secret, "action": "generate"}
    Client().post("/playground/", form)
    long_ago = timezone.now() - timedelta(hours=2)
    Trial.objects.update(asked_at=long_ago, status="running", started_at=timezone.now())
    asked_at = GatewayRequest.objects.get().asked_at
    GatewayRequest.objects.update(asked_at=long_ago)
    trials.prune()
    signed_files.prune()
    assert [Trial.objects.get().status, GatewayRequest.objects.get().status] == ["running"] * 2
    GatewayRequest.objects.update(asked_at=asked_at)
    Trial.objects.update(started_at=long_ago)
    Offering.objects.update(provider="openai")  # bills real money
    offering, request_id = Offering.objects.get(mode="text-to-image"), Trial.objects.get().call_request_id
    daily_cap.reserve(offering, Decimal("0.05"), caller="playground", request_id=request_id, attempt=1, n=1, seconds=60)
    trials.prune()
    assert (Trial.objects.get().status, Trial.objects.get().spent) == ("failed", Decimal("0.05"))
    assert amounts() == {"ledger": Decimal("0.05"), "requests": Decimal("0.05")}


def test_a_stream_that_is_left_at_a_partial_image_is_settled(model):
    """The image is made and billed all the same; its request must not stay open for ever."""
    key, secret = ApiKey.make("hasty", monthly_budget=1)
    response = post(secret, stream=True, partial_images=1)
    events = iter(response.streaming_content)
    assert b"partial_image" in next(events) + next(events)
    response.close()
    eventually(lambda: key.requests.get().status == "ok")
    assert amounts() == {"ledger": Decimal("0.01"), "requests": Decimal("0.01")}
    assert Call.objects.get().outcome == "ok"


def test_an_unknown_price_reserves_the_ceiling_and_stays_unknown(model, settings):
    settings.UNKNOWN_PRICE_CEILING = Decimal("0.10")
    Offering.objects.update(price=None)
    _, secret = ApiKey.make("guest", monthly_budget=Decimal("0.25"))
    response = post(secret, n=2)
    assert response.status_code == 200, response.content
    assert response.json()["metadata"]["cost"] is None
    assert "x-arena-cost" not in response
    row = GatewayRequest.objects.get()
    assert (row.cost, row.reserved) == (None, Decimal("0.20"))
    assert post(secret).status_code == 402
    assert amounts()["ledger"] == Decimal("0.20")


def test_the_dearest_offering_that_may_be_tried_is_reserved(simulated):
    offered("sample-one", "simulated-openai", "simulated-replicate")  # $0.01 and $0.02
    _, secret = ApiKey.make("guest", monthly_budget=Decimal("0.01"))
    assert post(secret).status_code == 402
    assert post(secret, model="simulated-openai/sample-one").status_code == 200


def test_an_answers_headers_say_what_it_cost_and_who_made_it(model):
    key, secret = ApiKey.make("guest")
    response = post(secret, n=2)
    request = key.requests.get()
    assert Decimal(response["x-arena-cost"]) == request.cost == Decimal("0.02")
    assert (response["x-arena-model"], response["x-arena-provider"]) == ("sample-one", request.provider)


@pytest.mark.parametrize("budget", ["daily_budget", "total_budget"])
def test_budgets_of_a_day_and_in_all(model, budget):
    _, secret = ApiKey.make("guest", **{budget: Decimal("0.01")})
    assert [post(secret).status_code for _ in range(2)] == [200, 402]
    KeySpending.objects.update(day=timezone.now().date() - timedelta(days=1))
    assert post(secret).status_code == (200 if budget == "daily_budget" else 402)


def test_a_request_of_yesterday_is_settled_in_yesterdays_sum(model):
    key, _ = ApiKey.make("guest", monthly_budget=Decimal(1))
    yesterday = timezone.now() - timedelta(days=1)
    row = GatewayRequest(
        api_key=key, mode="edit", model="m", fingerprint="0" * 64, reserved=Decimal("0.3"), asked_at=yesterday
    )
    budgets.reserve(row)
    row.status, row.http_status, row.duration, row.cost = "ok", 200, timedelta(seconds=1), Decimal("0.1")
    assert budgets.settle(row)
    assert not budgets.settle(row)  # once
    spending = KeySpending.objects.get()
    assert (spending.day, spending.amount) == (yesterday.date(), Decimal("0.1"))


def test_a_sum_that_is_wrong_is_corrected(model):
    key, secret = ApiKey.make("guest")
    assert post(secret).status_code == 200
    assert budgets.recount(timezone.now().date()) == 0
    KeySpending.objects.update(amount=Decimal(7))
    assert budgets.recount(timezone.now().date()) == 1
    assert budgets.spent(key).month == Decimal("0.01")
    KeySpending.objects.all().delete()
    assert budgets.recount(timezone.now().date()) == 1
    assert budgets.spent(key).month == Decimal("0.01")


@hypothesis_settings(
    max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True, deadline=None
)
@given(seed=st.integers(0, 2**16))
def test_no_mix_of_requests_trials_failures_and_races_passes_a_budget(model, seed):
    """Prices are exact here, so the stated error is 0. Each request costs one to three cents or fails free."""
    dice = random.Random(seed)
    budget = Decimal(dice.randrange(1, 12)) / 100
    key, secret = ApiKey.make("guest", monthly_budget=budget, requests_per_minute=1000)
    over: list[Decimal] = []

    def one(kind: str, n: int) -> None:
        try:
            match kind:
                case "image":
                    post(secret, n=n)
                case "failure":
                    post(secret, prompt="x [sim:policy]", n=n)
                case "retry":
                    post(secret, n=n)
                case "trial":
                    form = {"prompt": "A kite", "model": ["sample-one"], "size": "64x64", "key": secret}
                    Client().post("/playground/", form | {"action": "generate"})
                    for pk in trials.take_due():
                        trials.run(pk)
            over.append(budgets.spent(key).month)
        finally:
            connection.close()

    threads = [
        threading.Thread(target=one, args=(dice.choice(["image", "failure", "retry", "trial"]), dice.randrange(1, 4)))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(over) == 8
    assert max(over) <= budget
    assert budgets.recount(timezone.now().date()) == 0


def test_postgres_refuses_what_cannot_be_true_of_sums_and_keys():
    key, _ = ApiKey.make("guest")
    spending = KeySpending.objects.create(api_key=key, day=timezone.now().date(), amount=1)
    refuses("a key spends nothing negative", update(spending, amount=-1))
    refuses("one sum of a key a day", lambda: KeySpending.objects.create(api_key=key, day=spending.day))
    refuses("a key's daily and total budgets are not negative", update(key, daily_budget=-1))
    refuses("a key's daily and total budgets are not negative", update(key, total_budget=-1))
    refuses("a key's previous secret has an end", update(key, previous_digest="0" * 64))
    refuses("a key's previous secret has an end", update(key, previous_expires_at=timezone.now()))
