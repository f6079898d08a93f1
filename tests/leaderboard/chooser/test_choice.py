"""Which for me: everyone is in one lane or counted as left out, nothing is guessed, ties are decided by price."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as some

from leaderboard.chooser import choice
from leaderboard.chooser.choice import Misfit
from leaderboard.rating.place import Place


@dataclass(frozen=True)
class Model:
    name: str
    elo: float | None
    price: Decimal | None
    usable_price: Decimal | None
    fit: Misfit

    @property
    def place(self) -> Place | None:
        return None if self.elo is None else Place(1, 9, 9)


cents = some.none() | some.integers(1, 9).map(lambda n: Decimal(n) / 100)
limits = some.lists(some.sampled_from(["price", "seconds", "rights"]), unique=True, max_size=2).map(tuple)
models = some.lists(
    some.builds(
        Model,
        name=some.text("abcd", min_size=1, max_size=3),
        elo=some.none() | some.integers(800, 1200).map(float),
        price=cents,
        usable_price=cents,
        fit=some.builds(Misfit, failed=limits, unknown=limits),
    ),
    unique_by=lambda model: model.name,
    max_size=10,
)


def chosen(offered, leaders=2):
    return choice.choose(offered, lambda model: model.fit, lambda rated: rated[:leaders])


@given(models)
def test_every_model_is_in_one_lane_or_left_out_once(offered):
    answer = chosen(offered)
    lanes = [*answer.rated, *answer.unrated, *answer.possible]
    assert len(lanes) + sum(answer.left_out.values()) == len(offered)
    assert len({model.name for model in lanes}) == len(lanes)
    assert answer.fitting == len(answer.rated) + len(answer.unrated)


@given(models)
def test_what_fits_fails_no_limit_and_rests_on_known_figures(offered):
    answer = chosen(offered)
    assert all(model.fit == Misfit() for model in (*answer.rated, *answer.unrated))
    assert all(model.elo is not None for model in answer.rated)
    assert all(model.elo is None for model in answer.unrated)
    assert all(model.fit.unknown and not model.fit.failed for model in answer.possible)


@given(models, some.integers(1, 3))
def test_among_those_that_could_be_best_the_cheapest_usable_image_decides_and_votes_order_the_rest(offered, leaders):
    answer = chosen(offered, leaders)
    tied, others = answer.rated[:leaders], answer.rated[leaders:]
    known = [model.usable_price for model in tied if model.usable_price is not None]
    assert known == sorted(known)
    assert [model.usable_price is None for model in tied] == sorted(model.usable_price is None for model in tied)
    assert [model.elo for model in others] == sorted((model.elo for model in others), reverse=True)
    assert all(one.elo >= other.elo for one in tied for other in others)
    assert answer.is_clear == (len(answer.rated) == 1 or (leaders == 1 and bool(answer.rated)))
    if not answer.rated and answer.unrated:
        prices = [model.price for model in answer.unrated if model.price is not None]
        assert answer.answer.price == min(prices, default=None)


def test_a_model_that_fails_two_limits_is_counted_once():
    twice = Model("a", None, None, None, Misfit(("price", "rights")))
    once = Model("b", None, None, None, Misfit(("rights",)))
    assert chosen([twice, once]).left_out == {"rights": 1, "several": 1}
