"""The classifier and its tests on made-up worlds: it finds what is there, and on pure noise it keeps its promise."""

from __future__ import annotations

import random
from math import comb

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from arena.audit import chance
from arena.audit.classifier import Guesses, JudgedImage, Number, Pair, guess


def world(seed, feature, prompts=14, models=5, battles=6):
    """Battles of an arena in which `feature(random, prompt, model)` makes what is received of each image."""
    dice = random.Random(seed)
    pairs = []
    for prompt in range(prompts):
        images = [
            JudgedImage(f"m{model}", f"{prompt}/{model}", feature(dice, prompt, model))
            for model in dice.sample(range(models), models)
        ]
        every = [(one, other) for at, one in enumerate(images) for other in images[:at]]
        pairs += [Pair(f"p{prompt}", *dice.sample(pair, 2)) for pair in dice.sample(every, min(battles, len(every)))]
    dice.shuffle(pairs)
    return pairs


INNOCENT = {
    "constant": lambda dice, prompt, model: {"x": "same"},
    "noise": lambda dice, prompt, model: {"x": Number(dice.gauss(0, 1))},
    "heavy tails": lambda dice, prompt, model: {"x": Number(dice.paretovariate(0.8))},
    "the prompt's": lambda dice, prompt, model: {"x": Number(prompt + dice.gauss(0, 0.1)), "y": str(prompt % 3)},
    "words": lambda dice, prompt, model: {"x": dice.choice("abcd"), "y": dice.choice("ab"), "z": dice.choice("ab")},
    "numbers of images": lambda dice, prompt, model: {"x": str(dice.random())},
    "now and then": lambda dice, prompt, model: {"x": "odd" if dice.random() < 0.1 else "usual"},
}


@pytest.mark.parametrize("name", INNOCENT)
def test_without_a_leak_the_promised_share_of_false_alarms_holds(name):
    """200 blind arenas: at level 5 % no more than 5 % are accused, give or take what 200 trials allow (4 sigma)."""
    runs = 200 if name != "constant" else 20
    accused = 0
    for seed in range(runs):
        guesses = guess(world(seed, INNOCENT[name]), seed=seed)
        accused += chance.tail(guesses.right, guesses.spoken) <= 0.05
    assert accused <= 0.05 * runs + 4 * (0.05 * 0.95 * runs) ** 0.5


@pytest.mark.parametrize("fresh", [False, True])
def test_guesses_on_noise_are_right_half_of_the_time(fresh):
    total = Guesses(0, 0)
    for seed in range(120):
        pairs = world(seed, INNOCENT["words"])
        if fresh:  # a new throw for each battle
            dice = random.Random(seed)
            pairs = [
                Pair(p.prompt, *(JudgedImage(s.model, s.image, {"x": dice.choice("abcd")}) for s in (p.one, p.other)))
                for p in pairs
            ]
        guesses = guess(pairs, fresh=fresh, seed=seed)
        total = Guesses(total.spoken + guesses.spoken, total.right + guesses.right)
    assert total.spoken > 300
    assert abs(total.right / total.spoken - 0.5) < 4 * 0.5 / total.spoken**0.5


LEAKS = {
    "one model has a word of its own": lambda dice, prompt, model: {"x": "odd" if model == 2 else "usual"},
    "every model has its word": lambda dice, prompt, model: {"x": f"h{model}"},
    "every model has its speed": lambda dice, prompt, model: {"x": Number(model + dice.gauss(0, 0.2))},
    "among much noise": lambda dice, prompt, model: {
        "x": f"h{model}",
        "y": dice.choice("abc"),
        "z": Number(dice.random()),
    },
}


@pytest.mark.parametrize("name", LEAKS)
def test_a_leak_is_found(name):
    guesses = guess(world(1, LEAKS[name], prompts=24, models=6, battles=15))
    assert chance.tail(guesses.right, guesses.spoken) <= chance.ALPHA / 8


def test_what_the_content_explains_is_not_a_leak():
    """Big files take longer, and one model's files are big: only the time beyond that counts."""

    def feature(dice, prompt, model):
        size = 100 * (model + 1) + dice.gauss(0, 5)
        return {"time": Number(0.01 * size + dice.gauss(0, 0.02), given=size)}

    runs = [guess(world(seed, feature)) for seed in range(60)]
    assert sum(chance.tail(guesses.right, guesses.spoken) <= 0.05 for guesses in runs) <= 60 * 0.05 + 7
    naive = guess(world(1, lambda *battle: {"time": Number(feature(*battle)["time"].value)}))
    assert chance.tail(naive.right, naive.spoken) <= 0.001


words = st.sampled_from(["a", "b", "c"])


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 3), st.integers(0, 3), words, words), min_size=1, max_size=25),
    st.integers(0, 3),
)
def test_turning_every_battle_round_changes_nothing(rows, seed):
    """Which side an image stood on is no part of the guess; and equal features earn silence."""
    pairs = [
        Pair(str(p), JudgedImage(f"m{a}", f"{p}/{a}", {"x": x}), JudgedImage(f"m{b}", f"{p}/{b}", {"x": y}))
        for p, a, b, x, y in rows
    ]
    turned = [Pair(pair.prompt, pair.other, pair.one) for pair in pairs]
    assert guess(pairs, fresh=True, seed=seed) == guess(turned, fresh=True, seed=seed)
    same = [
        Pair(
            p.prompt,
            JudgedImage(p.one.model, p.one.image, {"x": "c"}),
            JudgedImage(p.other.model, p.other.image, {"x": "c"}),
        )
        for p in pairs
    ]
    assert guess(same, fresh=True, seed=seed) == Guesses(0, 0)


def test_no_prompt_teaches_about_itself_and_no_image_is_judged_twice():
    def only(dice, prompt, model):
        return {"x": f"{prompt}/{model}"}  # learnt by heart, every guess within a prompt would be right

    assert guess(world(1, only)).spoken == 0
    one_prompt = [Pair("p", JudgedImage("a", "1", {"x": "A"}), JudgedImage("b", "2", {"x": "B"}))] * 5
    assert guess(one_prompt) == Guesses(0, 0)
    twice = [Pair("q", JudgedImage("a", "3", {"x": "A"}), JudgedImage("b", "4", {"x": "B"}))] * 5
    for_all = max(guess(one_prompt + twice, seed=seed).spoken for seed in range(4))
    assert for_all == 1


@given(st.integers(0, 60), st.integers(0, 60))
def test_the_tail_is_the_binomial_one(right, spoken):
    right = min(right, spoken)
    below = sum(comb(spoken, k) for k in range(right)) / 2**spoken
    assert chance.tail(right, spoken) == pytest.approx(1 - below)


@given(st.lists(st.floats(0, 1), max_size=12), st.floats(0.0001, 0.5))
def test_holm_lies_between_bonferroni_and_no_correction(p_values, alpha):
    rejected = chance.holm(p_values, alpha)
    for p, is_rejected in zip(p_values, rejected, strict=True):
        assert not is_rejected or p <= alpha
        assert is_rejected or p > alpha / len(p_values)


@given(st.integers(0, 80), st.integers(1, 12))
def test_the_limit_is_the_first_count_that_fails(spoken, tests):
    limit = chance.limit(spoken, tests)
    if limit is None:
        assert chance.tail(spoken, spoken) > chance.ALPHA / tests
    else:
        assert chance.tail(limit, spoken) <= chance.ALPHA / tests < chance.tail(limit - 1, spoken)
