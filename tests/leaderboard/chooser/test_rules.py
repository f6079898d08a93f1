"""The chooser: the front is what nothing beats, and nothing is guessed."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as some

from leaderboard.chooser import rules
from leaderboard.chooser.rules import Candidate, CandidateFilters

candidates = some.lists(
    some.builds(
        Candidate,
        model=some.text("abcd", min_size=1, max_size=2),
        provider=some.sampled_from(["fal", "openai"]),
        elo=some.integers(800, 1200).map(float),
        half_width=some.none() | some.just(20.0),
        is_provisional=some.booleans(),
        price=some.none() | some.integers(0, 9).map(lambda cents: Decimal(cents) / 100),
        seconds=some.none() | some.integers(1, 9).map(float),
        open_weights=some.booleans(),
        takes=some.frozensets(some.sampled_from(["seed", "n"])),
        sizes=some.frozensets(some.sampled_from(["1K", "2K", "1:1"])),
    ),
    max_size=10,
)
filter_sets = some.builds(
    CandidateFilters,
    budget=some.none() | some.integers(0, 9).map(lambda cents: Decimal(cents) / 100),
    seconds=some.none() | some.integers(1, 9).map(float),
    open_weights=some.booleans(),
    takes=some.frozensets(some.sampled_from(["seed", "n"]), max_size=1),
    sizes=some.frozensets(some.sampled_from(["1K", "2K"]), max_size=1),
)


@given(candidates, filter_sets)
def test_every_candidate_is_answered_for_exactly_once(offered, filters):
    answer = rules.choose(offered, filters)
    assert answer.passed + len(answer.unknown) + sum(answer.refused.values()) == len(offered)


@given(candidates, filter_sets)
def test_what_passes_meets_every_filter_and_rests_on_known_figures(offered, filters):
    answer = rules.choose(offered, filters)
    for candidate in (*answer.front, *answer.beaten):
        assert candidate.price is not None
        assert not candidate.is_provisional
        assert filters.budget is None or candidate.price <= filters.budget
        assert filters.seconds is None or (candidate.seconds is not None and candidate.seconds <= filters.seconds)
        assert candidate.open_weights or not filters.open_weights
        assert filters.takes <= candidate.takes
        assert filters.sizes <= candidate.sizes


@given(candidates, filter_sets)
def test_nothing_on_the_front_is_beaten_and_all_else_is_beaten_by_the_front(offered, filters):
    answer = rules.choose(offered, filters)
    with_speed = filters.seconds is not None
    passed = (*answer.front, *answer.beaten)
    assert not any(
        rules.beats(other, candidate, with_speed=with_speed) for candidate in answer.front for other in passed
    )
    for candidate in answer.beaten:
        assert any(rules.beats(other, candidate, with_speed=with_speed) for other in answer.front)
    assert bool(answer.front) == bool(passed)


@given(candidates, filter_sets)
def test_a_looser_budget_never_loses_an_answer(offered, filters):
    if filters.budget is not None:
        looser = CandidateFilters(
            None, filters.seconds, filters.open_weights, filters.licence, filters.takes, filters.sizes
        )
        assert rules.choose(offered, looser).passed >= rules.choose(offered, filters).passed


@given(some.floats(-9e3, 9e3), some.floats(-9e3, 9e3))
def test_preferences_of_two_add_up_to_one(one, other):
    assert rules.preferred(one, other) + rules.preferred(other, one) == pytest.approx(1)


def test_400_elo_are_odds_of_ten_to_one_and_a_keeper_costs_what_its_failures_cost_too():
    assert rules.preferred(1400, 1000) == pytest.approx(10 / 11)
    half_usable = Candidate("a", "fal", 1000, 10, price=Decimal("0.04"), keeper_rate=0.8, success_rate=0.5)
    assert half_usable.cost_per_keeper == Decimal("0.1")
    assert Candidate("a", "fal", 1000, 10, price=Decimal("0.04"), keeper_rate=0.0).cost_per_keeper is None
