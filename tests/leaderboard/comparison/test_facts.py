"""Models' facts line by line: one is called best only where it is better than every other one."""

from __future__ import annotations

from decimal import Decimal

import pytest

from leaderboard.comparison import facts
from leaderboard.model_facts.price_and_speed import Facts, OfferingFacts
from providers.models import ImageModel, Offering


def priced(price: str | None, *, is_estimated: bool = False) -> Facts:
    amount = None if price is None else Decimal(price)
    offering = Offering(provider="fal", price_estimated=is_estimated)
    return Facts((OfferingFacts(offering, amount, None, None),))


@pytest.mark.parametrize(
    ("prices", "best"),
    [
        (("0.01", "0.02"), 0),
        (("0.03", "0.02", "0.04"), 1),
        (("0.02", "0.02"), None),
        (("0.02", "0.02", "0.03", "0.02"), None),
        (("0.01", None, "0.02"), None),  # nobody knows whether the third is cheaper
    ],
)
def test_the_best_is_better_than_every_other_one(prices, best):
    models = [ImageModel(pk=pk, name=f"Model {pk}", modes=[]) for pk, _ in enumerate(prices)]
    known = {model.pk: priced(price) for model, price in zip(models, prices, strict=True)}
    rows = {row.label: row for row in facts.of_models(models, [None] * len(models), known)}
    assert rows["price"].best == best
    assert len(rows["price"].values) == len(models)
    assert "place" not in rows  # nobody is rated: no line of nothing


def test_a_price_that_is_estimated_says_so():
    models = [ImageModel(pk=pk, name="Model", modes=[]) for pk in range(2)]
    known = {0: priced("0.01", is_estimated=True), 1: priced("0.02")}
    rows = {row.label: row for row in facts.of_models(models, [None, None], known)}
    assert rows["price"].values == ("$0.01, estimated", "$0.02")


def test_what_reads_alike_is_not_called_better():
    models = [ImageModel(pk=pk, name="Model", modes=[]) for pk in range(2)]
    for (one, other), best in (((6.76, 6.84), None), ((6.7, 6.84), 0)):
        known = {
            pk: Facts((OfferingFacts(Offering(provider="fal"), None, seconds, None),))
            for pk, seconds in ((0, one), (1, other))
        }
        rows = {row.label: row for row in facts.of_models(models, [None, None], known)}
        assert rows["median time"].best == best
