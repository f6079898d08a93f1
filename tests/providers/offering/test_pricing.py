"""What an image costs, by every unit that price lists have."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from providers.offering import pricing, sizing
from providers.offering.pricing import price_of

TIERS = {"0.5K": "0.06", "1K": "0.08", "2K": "0.12", "4K": "0.16"}
QUALITIES = {"low": "0.009", "medium": {"1024x1024": "0.053", "1536x1024": "0.042"}}


@pytest.mark.parametrize(
    ("price", "unit", "size", "inputs", "details", "costs"),
    [
        ("0.04", "image", (2048, 2048), [], {}, "0.04"),
        ("0.006", "megapixel", (1024, 1024), [], {}, "0.006"),
        ("0.006", "megapixel", (1183, 887), [], {}, "0.006004"),
        ("0.025", "megapixel", (512, 512), [], {}, "0.00625"),
        ("0.015", "megapixel", (1024, 1024), [(1024, 1024)], {"input": "0.002"}, "0.017"),
        ("0.015", "megapixel-started", (1183, 887), [], {}, "0.015"),
        ("0.015", "megapixel-started", (1184, 896), [], {}, "0.03"),
        ("0.015", "megapixel-started", (512, 512), [], {}, "0.015"),
        ("0.015", "megapixel-started", (2365, 1774), [(1183, 887)], {"input": "0.002"}, "0.062"),
        ("0.011", "megapixel-in-out", (1024, 1024), [(1024, 1024), (512, 512)], {}, "0.02475"),
        ("0.03", "megapixel-first", (1024, 1024), [], {"extra": "0.015"}, "0.03"),
        ("0.03", "megapixel-first", (2048, 2048), [(1024, 1024)], {"extra": "0.015"}, "0.09"),
        ("0.08", "image-by-tier", (1365, 768), [], TIERS, "0.08"),
        ("0.08", "image-by-tier", (5461, 3072), [], TIERS, "0.16"),
        ("0.08", "image-by-tier", (1024, 1024), [], {}, "0.08"),
    ],
)
def test_each_unit_counts_in_its_own_way(price, unit, size, inputs, details, costs):
    assert price_of(Decimal(price), unit, *size, input_sizes=inputs, details=details) == Decimal(costs)


@pytest.mark.parametrize(
    ("quality", "size", "costs"),
    [
        ("low", (4096, 4096), "0.009"),
        ("medium", (1024, 1024), "0.053"),
        ("medium", (1024, 1536), "0.042"),
        ("medium", (1024, 1280), "0.042"),
        ("high", (1024, 1024), "0.053"),  # not in the table: as dear as any of it
        ("auto", (1536, 1024), "0.05"),  # … or as the headline price
        (None, (1024, 1024), "0.05"),
    ],
)
def test_a_price_by_quality_takes_the_nearest_size(quality, size, costs):
    assert price_of(Decimal("0.05"), "image-by-quality", *size, details=QUALITIES, quality=quality) == Decimal(costs)


@pytest.mark.parametrize(("ratio", "width", "height"), sizing.table("1K") + sizing.table("2K"))
def test_no_size_of_the_tables_starts_a_megapixel_by_its_rounding(ratio, width, height):
    whole = 1 if width * height < 2**21 else 4
    assert price_of(Decimal(1), "megapixel-started", width, height) == whole


@given(st.sampled_from(pricing.UNITS), st.integers(1, 4096), st.integers(1, 4096), st.integers(1, 10))
def test_n_images_cost_n_times_one_and_never_less_than_nothing(unit, width, height, n):
    one = price_of(Decimal("0.02"), unit, width, height)
    assert one >= 0
    assert abs(price_of(Decimal("0.02"), unit, width, height, n=n) - one * n) <= Decimal("0.000001") * n


def test_an_unknown_unit_is_refused_by_name():
    with pytest.raises(ValueError, match="'furlong' is not known; write one of image, "):
        price_of(Decimal(1), "furlong", 1, 1)


@pytest.mark.parametrize(
    ("price", "unit", "details", "problem"),
    [
        ("1", "furlong", {}, "price unit 'furlong' is not known"),
        ("-1", "image", {}, "price -1 is negative"),
        ("1", "image", {"extra": "1"}, "price_details.extra means nothing for the unit 'image'"),
        ("1", "megapixel-first", {}, "price_details is empty"),
        ("1", "megapixel-first", {"extra": 0.1}, "price_details.extra: 0.1 is not an amount"),
        ("1", "image-by-tier", {"huge": "1"}, "'huge' is not a resolution"),
        ("1", "image-by-quality", {"low": {"1024x1024": "a lot"}}, "'a lot' is not an amount"),
        ("1", "image-by-quality", {"low": "-1"}, "'-1' is not an amount"),
    ],
)
def test_a_price_that_cannot_be_computed_with_is_found(price, unit, details, problem):
    (price,) = pricing.check(Decimal(price), unit, details)
    assert problem in price


@pytest.mark.parametrize(
    ("unit", "details"),
    [
        ("image", {}), ("megapixel", {"input": "0.002"}), ("megapixel-first", {"extra": "0.015"}),
        ("image-by-tier", TIERS), ("image-by-quality", QUALITIES),
    ],
)  # fmt: skip
def test_a_good_price_has_no_problems(unit, details):
    assert pricing.check(Decimal("0.02"), unit, details) == []
    assert pricing.check(None, "image", {}) == []


def test_amounts_in_sentences():
    amounts = ("0.0062", "0.04", "12.5", "3", "2817.5")
    expected = ["$0.0062", "$0.04", "$12.50", "$3.00", "$2,817.50"]
    assert [pricing.usd(Decimal(amount)) for amount in amounts] == expected
    assert pricing.usd(None) == "–"
