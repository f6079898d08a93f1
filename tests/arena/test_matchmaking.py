"""Drawing pairs: pure, so tested without a database."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.matchmaking import Candidate, Pool, draw, weights


def pool(prompts: int, models: int, met=None) -> Pool:
    candidates = tuple(
        Candidate(entry=prompt * 100 + model, prompt=prompt, model=model)
        for prompt in range(prompts)
        for model in range(models)
    )
    return Pool(candidates, met or {})


def test_an_empty_pool_or_a_lonely_entry_gives_no_battle():
    assert draw(Pool((), {}), set(), Random(1)) is None
    assert draw(pool(prompts=3, models=1), set(), Random(1)) is None


@settings(max_examples=40, deadline=None)
@given(prompts=st.integers(1, 4), models=st.integers(2, 5), seed=st.integers())
def test_a_voter_meets_every_pair_exactly_once_and_then_nothing(prompts, models, seed):
    everything = pool(prompts, models)
    seen: set[frozenset[int]] = set()
    random = Random(seed)
    while (drawn := draw(everything, seen, random)) is not None:
        pair = frozenset((drawn.left, drawn.right))
        assert len(pair) == 2
        assert pair not in seen
        assert {drawn.left // 100, drawn.right // 100} == {drawn.prompt}
        assert 0 < drawn.probability <= 1
        seen.add(pair)
    assert len(seen) == everything.size == prompts * models * (models - 1) // 2


def test_sides_are_a_fair_coin():
    everything, random = pool(prompts=1, models=2), Random(7)
    lefts = Counter(draw(everything, set(), random).left for _ in range(4000))
    assert abs(lefts[0] - 2000) < 200  # six standard deviations


def test_pairs_that_met_less_come_first_but_none_is_starved():
    met = {frozenset(pair): 1000 for pair in combinations(range(4), 2)} | {frozenset((0, 1)): 0}
    everything, random = pool(prompts=5, models=4, met=met), Random(3)
    drawn = Counter()
    for _ in range(4000):
        one = draw(everything, set(), random)
        drawn[frozenset((one.left % 100, one.right % 100))] += 1
    assert drawn[frozenset((0, 1))] > 3400
    assert all(drawn[pair] > 20 for pair in met)


def test_the_stated_probability_is_the_frequency():
    met = {frozenset((0, 1)): 3, frozenset((0, 2)): 1}
    everything, random = pool(prompts=2, models=3, met=met), Random(11)
    drawn, stated = Counter(), {}
    for _ in range(20_000):
        one = draw(everything, set(), random)
        pair = frozenset((one.left, one.right))
        drawn[pair] += 1
        stated[pair] = one.probability
    assert sum(stated.values()) == pytest.approx(1)
    for pair, probability in stated.items():
        assert drawn[pair] / 20_000 == pytest.approx(probability, abs=0.015)


def test_entries_that_left_the_pool_do_not_count_as_seen():
    seen = {frozenset((0, 1)), frozenset((7777, 8888))}
    assert draw(pool(prompts=1, models=2), seen, Random(1)) is None
    assert draw(pool(prompts=2, models=2), seen, Random(1)).prompt == 1


@given(st.lists(st.integers(0, 10_000), min_size=1, max_size=50))
def test_weights_are_chances_with_a_floor(met):
    chances = weights(met)
    assert sum(chances) == pytest.approx(1)
    assert min(chances) >= 0.1 / len(met) - 1e-12
