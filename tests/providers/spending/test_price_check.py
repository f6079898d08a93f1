"""Bills beside the price list: what is off is reported, what cannot be compared is left out."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from providers.models import Offering
from providers.offering import pricing
from providers.request import Answer, GeneratedImage, ImageRequest
from providers.spending import costs, price_check
from tests import factories as make

IMAGE = GeneratedImage(b"", "image/png", 1024, 1024)
TOKENS = {"tokens": {"text_input": "5", "image_input": "8", "image_output": "30"}}
OPENAI = {
    "input_tokens": 1013, "output_tokens": 1056, "total_tokens": 2069,
    "input_tokens_details": {"text_tokens": 13, "image_tokens": 1000}, "output_tokens_details": {"image_tokens": 1056},
}  # fmt: skip
GOOGLE = {
    "promptTokenCount": 9, "candidatesTokenCount": 1290, "thoughtsTokenCount": 200,
    "candidatesTokensDetails": {"IMAGE": 1290},
}  # fmt: skip


def test_the_tokens_of_an_answer_are_counted_by_kind():
    assert pricing.tokens_of(OPENAI) == {
        "text_input": 13, "image_input": 1000, "text_output": 0, "image_output": 1056,
    }  # fmt: skip
    assert pricing.tokens_of(GOOGLE) == {
        "text_input": 9, "image_input": 0, "text_output": 200, "image_output": 1290,
    }  # fmt: skip
    assert pricing.tokens_of({"output_tokens": 5, "input_tokens_details": {"image_tokens": 9}}) is None
    assert pricing.tokens_of({"total_tokens": 5}) is None
    assert pricing.tokens_of({"input_tokens": {"text": 4}, "output_tokens": 5}) is None
    assert pricing.tokens_of({"input_tokens": 0, "output_tokens": 0}) is None  # there is an image: nobody has counted


@pytest.mark.parametrize(
    "said",
    [
        {"usage": {"input_tokens": 0, "output_tokens": 0, "total_tokens": 0}},
        {"usage": {"input_tokens": 0, "output_tokens": 10**9}},  # $30,000
        {"cost": Decimal(9_999)},
        {"cost": Decimal(-1)},
    ],
)
def test_what_cannot_be_a_bill_is_none_and_the_price_list_counts(said):
    details = {"tokens": {"text_input": "5", "image_output": "30"}}
    offering = Offering(
        provider="openai", mode="text-to-image", price=Decimal("0.04"), price_unit="image", price_details=details
    )
    answer = Answer((IMAGE,), timedelta(), **said)
    assert costs.of_answer(offering, ImageRequest("a kite"), answer) == (Decimal("0.04"), True)


def test_a_bill_in_tokens_is_computed_and_not_estimated():
    offering = Offering(
        provider="openai", mode="edit", price=Decimal("0.053"), price_unit="image-by-quality",
        price_details={"medium": "0.053", **TOKENS}, price_estimated=True,
    )  # fmt: skip
    answer = Answer((IMAGE,), timedelta(), usage=OPENAI)
    # 13 × $5 + 1000 × $8 + 1056 × $30, per million
    assert costs.of_answer(offering, ImageRequest("x"), answer) == (Decimal("0.039745"), False)
    assert costs.of_answer(offering, ImageRequest("x"), Answer((IMAGE,), timedelta())) == (Decimal("0.053"), True)
    # A kind without a price makes no bill: rather the list's estimate than half a sum.
    assert pricing.price_of_tokens(GOOGLE, TOKENS) is None
    assert pricing.price_of_tokens(GOOGLE, {}) is None


@pytest.mark.parametrize(
    ("details", "problem"),
    [
        ({"tokens": {}}, "must be a table"),
        ({"tokens": {"sound": "1"}}, "is not one of"),
        ({"tokens": {"text_input": 5}}, "is not an amount"),
        ({"tokens": {"text_input": "5"}}, None),
    ],
)
def test_prices_of_tokens_are_checked(details, problem):
    problems = pricing.check(Decimal("0.01"), "image", details)
    assert [problem in text for text in problems] == ([] if problem is None else [True])


@pytest.mark.django_db
def test_an_alarm_is_given_where_bills_and_price_list_are_more_than_a_tenth_apart(settings, caplog):
    settings.PROVIDERS = {
        name: {"name": name, "adapter": name, "urls": {}, "api_key": "k"} for name in ("fal", "bfl")
    } | {"simulated-fal": {"name": "s", "adapter": "fal", "urls": {}, "api_key": "k", "simulated": True}}
    linear = make.make_offering(provider="fal", price="0.01", price_unit="megapixel")
    rounded = make.make_offering(provider="fal", price="0.01", price_unit="megapixel")
    billed = make.make_offering(provider="bfl", price="0.03", price_unit="image")
    few = make.make_offering(provider="bfl", price="0.03", price_unit="image")
    sample = make.make_offering(provider="simulated-fal", price="0.01", price_unit="megapixel")
    for number in range(4):
        when = {"started_at": timezone.now() - timedelta(hours=number), "delivered_size": "1280x1024"}
        for offering, units in ((linear, "1.25"), (rounded, "2"), (sample, "9")):
            make.make_call(offering, cost="0.0125", cost_estimated=True, billed_units=units, **when)
        make.make_call(billed, cost="0.0315", cost_estimated=False, **when)
        make.make_call(billed, cost="9", cost_estimated=True, **when)  # our own estimate is no bill
    make.make_call(few, cost="0.09", cost_estimated=False, delivered_size="64x64")
    assert [check.offering for check in price_check.alarm()] == [rounded]
    assert "60%" in caplog.text
    assert {check.offering: check.difference for check in price_check.compare()} == {
        few: 2, rounded: Decimal("0.6"), billed: Decimal("0.05"), linear: 0,
    }  # fmt: skip


@pytest.mark.django_db
def test_old_bills_do_not_count(settings):
    settings.PROVIDERS = {"bfl": {"name": "bfl", "adapter": "bfl", "urls": {}, "api_key": "k"}}
    offering = make.make_offering(provider="bfl", price="0.03", price_unit="image")
    old = timezone.now() - timedelta(days=8)
    for _ in range(5):
        make.make_call(offering, cost="1", cost_estimated=False, delivered_size="64x64", started_at=old)
    assert price_check.compare() == []
