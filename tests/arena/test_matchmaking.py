"""Drawing pairs: pure, so tested without a database."""

from __future__ import annotations

import time
from collections import Counter
from itertools import combinations
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.matchmaking import CHECK_SHARE, NOTHING_MET, Candidate, Pool, Table, draw
from arena.matchmaking.vote_worth import scores


def pool(prompts: int, models: int, met=None) -> Pool:
    candidates = tuple(
        Candidate(entry=prompt * 1000 + model, prompt=prompt, model=model)
        for prompt in range(prompts)
        for model in range(models)
    )
    return Pool(candidates, met or {})


def met_pairs(pairs):
    """Sets of two entries as the array that `draw` takes."""
    return np.array([sorted(pair) for pair in pairs], np.int64).reshape(-1, 2)


def test_an_empty_pool_or_a_lonely_entry_gives_no_battle():
    assert draw(Pool((), {}), NOTHING_MET, Random(1)) is None
    assert draw(pool(prompts=3, models=1), NOTHING_MET, Random(1)) is None


@settings(max_examples=40, deadline=None)
@given(prompts=st.integers(1, 4), models=st.integers(2, 5), seed=st.integers())
def test_a_voter_meets_every_pair_exactly_once_and_then_nothing(prompts, models, seed):
    everything = pool(prompts, models)
    seen: set[frozenset[int]] = set()
    random = Random(seed)
    while (drawn := draw(everything, met_pairs(seen), random)) is not None:
        pair = frozenset((drawn.left, drawn.right))
        assert len(pair) == 2
        assert pair not in seen
        assert {drawn.left // 1000, drawn.right // 1000} == {drawn.prompt}
        assert 0 < drawn.probability <= 1
        seen.add(pair)
    assert len(seen) == everything.size == prompts * models * (models - 1) // 2


def test_images_that_were_met_come_back_only_when_no_prompt_has_two_fresh_ones():
    """The makers of met images were shown: of five images on a prompt, two pairs are fresh, then none is."""
    everything, random = pool(prompts=3, models=5), Random(3)
    met, familiar = [], []
    while (drawn := draw(everything, met_pairs(met), random)) is not None:
        met_images = {entry for pair in met for entry in pair}
        assert drawn.familiar == len({drawn.left, drawn.right} & met_images)
        met.append((drawn.left, drawn.right))
        familiar.append(drawn.familiar)
    assert familiar[:6] == [0] * 6
    assert familiar == sorted(familiar)
    assert len(met) == everything.size


def test_the_last_four_prompts_are_not_asked_again_while_another_has_pairs():
    everything, random = pool(prompts=5, models=6), Random(4)
    met, prompts = [], []
    for _ in range(15):
        drawn = draw(everything, np.array(met, np.int64).reshape(-1, 2), random)
        met.append((drawn.left, drawn.right))
        assert drawn.prompt not in prompts[-4:]
        prompts.append(drawn.prompt)


def test_after_two_prompts_of_a_competition_it_is_anothers_turn_while_it_has_fresh_images():
    candidates = tuple(Candidate(p * 100 + m, p, m, p // 8) for p in range(12) for m in range(6))  # 8 and 4 prompts
    everything, random = Pool(candidates, {}), Random(5)
    met, competitions = [], []
    for _ in range(24):
        drawn = draw(everything, met_pairs(met), random)
        met.append((drawn.left, drawn.right))
        competitions.append(drawn.prompt // 8)
    assert not [n for n in range(22) if len(set(competitions[n : n + 3])) == 1]
    lonely = Pool(tuple(candidate for candidate in candidates if candidate.prompt < 8), {})
    assert draw(lonely, met_pairs([(0, 1), (100, 101)]), random) is not None


def test_a_model_enters_a_competition_with_images_on_two_thirds_of_its_prompts():
    old = [
        Candidate(p * 1000 + m, p, m, p // 6) for p in range(12) for m in range(3)
    ]  # two competitions of six prompts
    newcomer = [
        Candidate(p * 1000 + 9, p, 9, p // 6) for p in (0, 1, 2, 6, 7, 8, 9)
    ]  # three of the first, four of the second
    some, random = Pool((*old, *newcomer), {}), Random(5)
    asked = Counter()
    for _ in range(1_000):
        drawn = draw(some, NOTHING_MET, random)
        asked[drawn.prompt] += 9 in (drawn.left % 1000, drawn.right % 1000)
    assert {prompt for prompt, count in asked.items() if count} == {6, 7, 8, 9}
    sparse = Pool(tuple(Candidate(p * 10 + m, p, m) for p in range(4) for m in (p, (p + 1) % 4)), {})
    assert sparse.size == 4  # where nobody has enough, everybody may


def test_sides_are_a_fair_coin():
    everything, random = pool(prompts=1, models=2), Random(7)
    lefts = Counter(draw(everything, NOTHING_MET, random).left for _ in range(4000))
    assert abs(lefts[0] - 2000) < 200  # six standard deviations


def test_pairs_that_met_less_come_first_but_none_is_starved():
    met = {frozenset(pair): 1000 for pair in combinations(range(4), 2)} | {frozenset((0, 1)): 0}
    everything, random = pool(prompts=5, models=4, met=met), Random(3)
    drawn = Counter()
    for _ in range(4000):
        one = draw(everything, NOTHING_MET, random)
        drawn[frozenset((one.left % 1000, one.right % 1000))] += 1
    assert drawn[frozenset((0, 1))] > 2400  # 2557 ± 30: the cap keeps the two from filling every battle
    assert all(drawn[pair] > 20 for pair in met)


def test_the_stated_probability_is_the_frequency():
    met = {frozenset((0, 1)): 3, frozenset((0, 2)): 1}
    everything, random = pool(prompts=2, models=3, met=met), Random(11)
    drawn, stated = Counter(), {}
    for _ in range(8_000):
        one = draw(everything, NOTHING_MET, random)
        pair = frozenset((one.left, one.right))
        drawn[pair] += 1
        stated[pair] = one.probability
    assert sum(stated.values()) == pytest.approx(1)
    for pair, probability in stated.items():
        assert drawn[pair] / 8_000 == pytest.approx(probability, abs=0.015)


def test_entries_that_left_the_pool_do_not_count_as_seen():
    seen = {frozenset((0, 1)), frozenset((7777, 8888))}
    assert draw(pool(prompts=1, models=2), met_pairs(seen), Random(1)) is None
    assert draw(pool(prompts=2, models=2), met_pairs(seen), Random(1)).prompt == 1


def table(strength, half_widths, provisional=()):
    """A table for models 0 … K−1 with these strengths in nats and independent errors."""
    k = len(strength)
    flags = np.isin(np.arange(k), provisional)
    return Table(tuple(range(k)), scores(np.array(strength, float), np.diag(np.square(half_widths)), flags))


def shares(everything):
    """Each model's share of all battles, uniform tenth included."""
    whole = 0.9 * everything.chances + 0.1 * everything.uniform
    return whole.sum(0) + whole.sum(1)


def test_a_vote_is_worth_most_on_uncertain_models_of_like_strength():
    worth = table([0, 0, 0, 3], [0.1, 0.3, 0.3, 0.3]).scores
    assert worth.max() == worth[1, 2] == 1
    assert worth[1, 2] > worth[0, 1] > 0
    assert worth[1, 2] > worth[1, 3]
    np.testing.assert_allclose(worth, worth.T, rtol=1e-9)
    assert (np.diag(worth) == 0).all()


def test_the_worth_of_a_pair_is_the_squared_fall_of_the_sum_of_variances():
    rng = np.random.default_rng(1)
    root = rng.normal(size=(5, 5))
    c, x = root @ root.T / 10, rng.normal(size=5)
    falls = np.zeros((5, 5))
    for i, j in combinations(range(5), 2):
        z = np.zeros(5)
        z[i], z[j] = 1, -1
        p = 1 / (1 + np.exp(x[j] - x[i]))
        after = np.linalg.inv(np.linalg.inv(c) + p * (1 - p) * np.outer(z, z))
        falls[i, j] = falls[j, i] = (np.trace(c) - np.trace(after)) ** 2
    np.testing.assert_allclose(scores(x, c, np.zeros(5, bool)), falls / falls.max(), rtol=1e-9)


def test_provisional_models_come_five_times_as_often():
    plain, boosted = table([0] * 4, [0.2] * 4).scores, table([0] * 4, [0.2] * 4, provisional=[3]).scores
    assert plain[0, 3] == plain[0, 1]
    assert boosted[0, 3] == pytest.approx(5 * boosted[0, 1])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.integers(2, 30), st.integers(0, 2**32 - 1), st.floats(0.2, 1))
def test_no_model_takes_part_in_more_than_a_quarter_of_the_battles(k, seed, presence):
    rng = np.random.default_rng(seed)
    worth = table(rng.normal(0, 1, k), rng.gamma(1, 1, k), provisional=[0]).scores
    there = rng.random((6, k)) < presence
    candidates = tuple(Candidate(p * 100 + m, p, m) for p, m in zip(*np.nonzero(there), strict=True))
    some = Pool(candidates, {}, Table(tuple(range(k)), worth))
    if not some.size:
        return
    assert (some.chances >= 0).all()
    assert some.chances.sum() == pytest.approx(1)
    assert some.uniform.sum() == pytest.approx(1)
    even = some.uniform.sum(0) + some.uniform.sum(1)
    present = len(some.models)
    allowed = np.maximum(max(0.25, 3 / present), even)  # a model on more prompts than others has a larger even share
    assert (shares(some) <= allowed + 1e-6).all()


def test_a_new_model_is_asked_often_but_not_always():
    some = pool(prompts=3, models=20)
    fresh = Pool(some.candidates, {}, table([0] * 20, [0.05] * 19 + [2], provisional=[19]))
    assert shares(fresh)[19] == pytest.approx(0.25, abs=1e-6)
    unknown = Pool(some.candidates, {}, table([0] * 19, [0.05] * 19))
    assert shares(unknown)[19] == pytest.approx(0.25, abs=1e-6)


def with_newcomers(old, labs):
    """Twenty prompts, `old` settled models of a lab each, and a provisional one for each of `labs`."""
    k = old + len(labs)
    lab_of = [*range(100, 100 + old), *labs]
    candidates = tuple(Candidate(p * 1000 + m, p, m, 0, lab_of[m]) for p in range(20) for m in range(k))
    worth = table([0] * k, [0.05] * old + [0.2] * len(labs), provisional=range(old, k)).scores
    return Pool(candidates, {}, Table(tuple(range(k)), worth, frozenset(range(old, k))))


def share_of(some, models):
    whole, among = 0.9 * some.chances + 0.1 * some.uniform, np.isin(some.models, models)
    assert whole.sum() == pytest.approx(1)
    return whole[among[:, None] | among[None, :]].sum()


def test_newcomers_together_take_part_in_half_of_a_grown_boards_battles_at_most():
    assert share_of(with_newcomers(12, [1] * 5), range(12, 17)) == pytest.approx(0.5)
    assert share_of(with_newcomers(20, [1] * 10), range(20, 30)) == pytest.approx(0.5)
    many = with_newcomers(20, [1, 1, 1, 2, 2, 2, 3, 3, 3])
    assert share_of(many, range(20, 29)) == pytest.approx(0.5)
    assert (shares(many) <= 0.25 + 1e-6).all()


def test_a_lab_takes_three_tenths_at_most_while_another_labs_newcomer_waits():
    some = with_newcomers(20, [1] * 10 + [2])
    assert share_of(some, range(20, 30)) == pytest.approx(0.3)
    assert share_of(some, [30]) > 0.15  # alone it would have a quarter, beside ten uncapped siblings a tenth
    assert share_of(with_newcomers(20, [None] * 10), range(20, 30)) == pytest.approx(0.5)  # nobody knows their labs


def test_on_a_young_board_newcomers_are_no_minority_to_be_capped():
    assert share_of(with_newcomers(4, [1] * 5), range(4, 9)) > 0.9


def test_one_draw_in_twenty_checks_a_provider_while_its_images_are_fresh():
    plain = pool(prompts=4, models=4)
    some, random = Pool(plain.candidates, {}, checks=((0, 1, 90), (1, 1002, 91))), Random(2)
    drawn = Counter()
    for _ in range(8_000):
        one = draw(some, NOTHING_MET, random)
        drawn[frozenset((one.left, one.right))] += 1
        if max(one.left, one.right) in (90, 91):
            assert (one.probability, one.familiar) == (CHECK_SHARE / 2, 0)
    checks = [drawn[frozenset(check[1:])] for check in some.checks]
    assert abs(sum(checks) - 8_000 * CHECK_SHARE) < 120  # six standard deviations
    assert min(checks) > 120
    met = met_pairs([(1, 2), (1002, 1003)])  # the rated image of either check
    later = [draw(some, met, random) for _ in range(200)]
    assert not {entry for one in later for entry in (one.left, one.right)} & {90, 91}


@pytest.mark.parametrize("rated", [False, True])
def test_the_stated_probability_is_the_frequency_with_gaps_and_things_seen(rated):
    gone = {(0, 3), (1, 1), (1, 2)}
    candidates = tuple(Candidate(p * 100 + m, p, m) for p in range(3) for m in range(4) if (p, m) not in gone)
    worth = table([0, 0.5, 1, 0], [0.1, 0.2, 0.3, 0.5], provisional=[3]) if rated else None
    some, random = Pool(candidates, {frozenset((0, 1)): 2}, worth), Random(5)
    seen = {frozenset((0, 1))}
    drawn, stated = Counter(), {}
    for _ in range(10_000):
        one = draw(some, met_pairs(seen), random)
        pair = frozenset((one.left, one.right))
        drawn[pair] += 1
        stated[pair] = one.probability
    met_images = {entry for pair in seen for entry in pair}
    fresh = [(a.entry, b.entry) for a, b in combinations(candidates, 2) if a.prompt == b.prompt]
    # Neither an image that was met nor the last prompt.
    asked_now = {frozenset(pair) for pair in fresh if not met_images & set(pair) and pair[0] >= 100}
    assert stated.keys() == asked_now
    assert sum(stated.values()) == pytest.approx(1)
    for pair, probability in stated.items():
        assert drawn[pair] / 10_000 == pytest.approx(probability, abs=0.012)


def test_every_prompt_keeps_its_floor_however_few_models_answered_it():
    many = tuple(Candidate(m, 0, m) for m in range(20))
    some, random = Pool((*many, Candidate(100, 1, 0), Candidate(101, 1, 1)), {}), Random(9)
    prompts = Counter(draw(some, NOTHING_MET, random).prompt for _ in range(4000))
    assert prompts[1] / 4000 > 0.05 - 0.015  # half of the uniform tenth


def test_a_draw_among_two_hundred_models_takes_at_most_two_milliseconds():
    k = 200
    some = pool(prompts=20, models=k)
    rng = np.random.default_rng(2)
    everything = Pool(some.candidates, {}, table(rng.normal(0, 1, k), rng.gamma(2, 0.1, k), provisional=[3, 4]))
    met = met_pairs([(p * 1000 + 1, p * 1000 + 2) for p in range(20)])
    random = Random(3)
    draw(everything, met, random)
    started = time.thread_time()
    for _ in range(100):
        draw(everything, met, random)
    assert (time.thread_time() - started) / 100 < 0.002
