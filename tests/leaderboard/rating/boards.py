"""Boards for tests of the rating engine: real votes, simulated ones, any connected one; two libraries rate them."""

import csv
import json
import math
from collections import Counter
from functools import cache
from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from leaderboard.rating.elo import SCALE, SCORES, Cells, fit

VOTES = Path(__file__).parents[3] / "arena" / "demo" / "votes"


GOLDEN = json.loads((Path(__file__).parent / "golden-ratings.json").read_text())


BOARDS = sorted(GOLDEN)


ARRAYS = ("voters", "left", "right", "score")


GENAI, EDITING, PAINTING = "genai-arena-text-to-image", "imagenhub-image-editing", "imagenhub-text-to-image"


@cache
def votes(board):
    with (VOTES / f"votes-{board}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


@cache
def cells_of(board):
    count = Counter((vote["left"], vote["right"], vote["outcome"]) for vote in votes(board))
    return Cells.from_rows((*key, n) for key, n in count.items())


def vote_arrays(board, cluster):
    """Per-vote (voters, left, right, score), with one cluster for each combination of the named columns."""
    models = cells_of(board).models
    clusters = [tuple(vote[column] for column in cluster) for vote in votes(board)]
    code = {key: index for index, key in enumerate(dict.fromkeys(clusters))}
    return (
        np.array([code[key] for key in clusters]),
        np.array([models.index(vote["left"]) for vote in votes(board)]),
        np.array([models.index(vote["right"]) for vote in votes(board)]),
        np.array([SCORES[vote["outcome"]] for vote in votes(board)]),
    )


def simulate(models=8, count=4000, voters=60, side=0.0, ties=0.15, zipf=0.0, seed=1):
    """Votes on models of random strength: voters, left, right, score, and the Cells they add up to."""
    rng = np.random.default_rng(seed)
    strength = rng.normal(0, 0.7, models)
    share = 1 / np.arange(1, voters + 1) ** zipf
    voter = rng.choice(voters, count, p=share / share.sum())
    left = rng.integers(0, models, count)
    right = (left + rng.integers(1, models, count)) % models
    chance = 1 / (1 + np.exp(strength[right] - strength[left] - side / SCALE))
    score = np.where(rng.random(count) < ties, 0.5, rng.random(count) < chance)
    return (
        voter,
        left,
        right,
        score,
        Cells(tuple(f"m{i:02}" for i in range(models)), left, right, score, np.ones(count)),
    )


def wins_and_ties(cells):
    """wins[i, j] = Σn of i beating j, ties[i, j] symmetric; by plain loops."""
    k = len(cells.models)
    wins, ties = np.zeros((k, k)), np.zeros((k, k))
    for left, right, score, n in zip(cells.left, cells.right, cells.score, cells.n, strict=True):
        if score == 0.5:
            ties[left, right] += n
            ties[right, left] += n
        else:
            wins[(left, right) if score else (right, left)] += n
    return wins, ties


def evalica_elo(cells):
    import evalica  # with all of pandas: a second, for the few tests that ask it

    winner = {1.0: evalica.Winner.X, 0.0: evalica.Winner.Y, 0.5: evalica.Winner.Draw}
    names = cells.models
    result = evalica.bradley_terry(
        [names[i] for i in cells.left],
        [names[i] for i in cells.right],
        [winner[score] for score in cells.score],
        weights=cells.n.tolist(),
        tolerance=1e-12,
        limit=10_000,
    )
    x = np.array([math.log(result.scores[name]) for name in names])
    return 1000 + SCALE * (x - x.mean())


def choix_elo(cells):
    import choix  # with all of scipy: the same

    wins, ties = wins_and_ties(cells)
    x = choix.ilsr_pairwise_dense(wins + ties / 2, alpha=0, max_iter=10_000, tol=1e-9)
    return 1000 + SCALE * (x - x.mean())


def elo_by_model(cells, result=None):
    result = result or fit(cells)
    return dict(zip(result.models, result.elo, strict=True))


@st.composite
def connected_boards(draw):
    """2 to 7 models, any few votes, and a ring of wins that makes the win graph strongly connected."""
    k = draw(st.integers(2, 7))
    names = [f"m{i}" for i in range(k)]
    pair = st.tuples(st.sampled_from(names), st.sampled_from(names)).filter(lambda both: both[0] != both[1])
    some = draw(st.lists(st.tuples(pair, st.sampled_from(list(SCORES)), st.integers(0, 40)), max_size=40))
    ring = [(names[i], names[(i + 1) % k], "left", draw(st.integers(1, 10))) for i in range(k)]
    return Cells.from_rows(ring + [(*models, outcome, n) for models, outcome, n in some])
