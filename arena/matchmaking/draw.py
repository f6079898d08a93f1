"""Which two images a voter meets next. Pure: a pool of entries and what was met → a pair and its probability.

A vote is worth most where it makes the ratings surer. With C the covariance of the strengths and v = p(1−p) the
information of one vote on the pair i, j, the sum of all variances falls by

    v · (Q_ii + Q_jj − 2Q_ij) / (1 + v · (C_ii + C_jj − 2C_ij)),   Q = C²       (A-optimal design)

A pair is drawn in proportion to the square of that, times five if one of the two is still provisional: in simulation,
three new models settle with 35 % of the votes that drawing uniformly takes. `vote_worth.scores` computes it whenever
ratings are made; until there are any, pairs that have met less come first. Six rules keep the draw fair, and open to
audit:

* A tenth of all draws is uniform: a prompt, then a pair of its images. So every prompt and every pair keeps a known
  chance, and no feedback loop can starve one.
* No model takes part in more than a quarter of the battles, or, with fewer than twelve models, in more than 1.5 times
  its even share: among eight, a quarter is the even share, and would leave nothing to choose. With a fifth the figure
  above is 42 %, with three tenths 29 %, without any limit 24 % (`benchmarks.ratings`, T10).
* Newcomers do not take over a grown board: together at most half of the battles have one, and at most three tenths one
  of a certain lab while another lab's are in play (five siblings took part in 93 % of all; see `battle_shares`).
* The prompt comes first, by what is still unseen on it: after a vote the names of its images were shown, and who
  remembers a picture is no longer blind. So images that this voter has met come back only when no prompt has two fresh
  ones left, and none of the last four prompts is asked again while another has any; after two of
  one competition it is another's turn, on the same terms. In simulated arenas of 8 / 12 / 15
  prompts, votes on an image whose maker was shown before fall from 44 / 21 / 11 % to 24 / 5 / 0 %, and ratings become
  as certain as before.
* A model enters the draw of a competition when it has images on two thirds of its prompts: with a third it would take
  three times as many votes to be rated.
* The probability given with a draw is the true one, for this voter, of this unordered pair; sides are a fair coin.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

import numpy as np
from numpy.typing import NDArray

from arena.matchmaking.battle_shares import UNIFORM_SHARE
from arena.matchmaking.pool import IN_A_ROW, Bools, Floats, Pool, mass

CHECK_SHARE = 0.05  # of all draws, for images of one model through two providers
RECENT = 4  # prompts that are not asked again at once: a round of five votes has five prompts


@dataclass(frozen=True, slots=True)
class Draw:
    """Two entries of one prompt in the order they are shown; `probability` is that of drawing this unordered pair, and
    `familiar` how many of the two this voter had met in another pair."""

    prompt: int
    left: int
    right: int
    probability: float
    familiar: int = 0


NOTHING_MET: NDArray[np.int64] = np.zeros((0, 2), np.int64)


def draw(pool: Pool, met: NDArray[np.int64], random: Random) -> Draw | None:
    """Draw a battle that the voter has not met; None when they have met them all. One in twenty is a check of a
    provider, while there are some of whose images the voter has met neither."""
    known = set(met.ravel().tolist()) if pool.checks else set()
    checks = [check for check in pool.checks if known.isdisjoint(check[1:])]
    if not checks:
        return _draw(pool, met, random)
    if random.random() < CHECK_SHARE:
        prompt, *pair = random.choice(checks)
        left, right = random.sample(pair, 2)
        return Draw(prompt, left, right, CHECK_SHARE / len(checks))
    drawn = _draw(pool, met, random)
    return None if drawn is None else replace(drawn, probability=(1 - CHECK_SHARE) * drawn.probability)


def _draw(pool: Pool, met: NDArray[np.int64], random: Random) -> Draw | None:
    """Of two models; None when the voter has met all pairs.

    met: [n, 2] the pairs of entries assigned to this voter, in their order. Nine times in ten a prompt by the mass of
    its pairs of unmet images, then a pair by its term; else both uniformly. Work: K² numbers, and K for each prompt
    that this voter has seen.
    """
    if not pool.prompts:
        return None
    there = pool.there
    ids, rows, columns = pool.index
    at = np.minimum(ids.searchsorted(met), ids.size - 1)
    known = ids[at] == met
    met_images = np.zeros(there.shape, np.bool_)
    met_images[rows[at[known]], columns[at[known]]] = True
    both = at[known.all(1)]
    recent = list(dict.fromkeys(rows[both[::-1, 0]].tolist()))[:RECENT]
    tired = pool.of_competition(recent[:IN_A_ROW])

    # Two images that this voter has not met: only touched prompts differ from what is cached.
    touched = np.flatnonzero(met_images.any(1))
    free = there[touched] & ~met_images[touched]
    masses, pairs = pool.masses.copy(), pool.battles_of.copy()
    masses[touched] = mass(free, pool.terms)
    n = free.sum(1)
    pairs[touched] = n * (n - 1) // 2
    if pairs.any():
        prompt, by_chance, total, count = _prompt(masses, pairs, recent, tired, random)
        unmet = (there[prompt] & ~met_images[prompt]).nonzero()[0]
        if by_chance:
            one = int(unmet[_pick(pool.terms[unmet][:, unmet].sum(1), random)])
            other = int(unmet[_pick(pool.terms[one, unmet], random)])
        else:
            one, other = random.sample(unmet.tolist(), 2)
        return _drawn(pool, prompt, one, other, total, count, int(pairs[prompt]), 0, random)

    # Else pairs with one image that was met, then with two.
    seen = np.zeros((len(pool.prompts), len(pool.models), len(pool.models)), np.bool_)
    low, high = np.sort(columns[both], axis=1).T if both.size else (both[:, 0], both[:, 1])
    seen[rows[both[:, 0]], low, high] = True
    open_pairs = np.triu(there[:, :, None] & there[:, None, :], 1) & ~seen
    familiar = met_images[:, :, None].astype(np.int64) + met_images[:, None, :]
    for level in (1, 2):
        eligible = open_pairs & (familiar <= level)
        pairs = eligible.sum((1, 2))
        if pairs.any():
            masses = (eligible * pool.terms).sum((1, 2))
            prompt, by_chance, total, count = _prompt(masses, pairs, recent, tired, random)
            weights = (eligible[prompt] * pool.terms if by_chance else eligible[prompt].astype(np.float64)).ravel()
            one, other = divmod(_pick(weights, random), len(pool.models))
            return _drawn(pool, prompt, one, other, total, count, int(pairs[prompt]), level, random)
    return None


def _prompt(
    masses: Floats, pairs: NDArray[np.int64], recent: list[int], tired: Bools, random: Random
) -> tuple[int, bool, float, int]:
    """A prompt's row among those with pairs, the last few and a competition asked twice left out unless there is no
    other; whether it was drawn by its mass, the sum of the masses it was drawn among, and the number of these prompts.
    """
    is_open = pairs > 0
    fresh = is_open.copy()
    fresh[recent] = False
    rows = next((rows for rows in (fresh & ~tired, fresh) if rows.any()), is_open).nonzero()[0]
    weights = masses[rows]
    total = float(weights.sum())
    by_chance = total > 0 and random.random() >= UNIFORM_SHARE
    row = int(rows[_pick(weights, random)]) if by_chance else int(random.choice(rows.tolist()))
    return row, by_chance, total, len(rows)


def _pick(weights: Floats, random: Random) -> int:
    """An index in proportion to its weight."""
    running = weights.cumsum()
    index = int(running.searchsorted(random.random() * running[-1], side="right"))
    return index if index < weights.size and weights[index] > 0 else int(np.flatnonzero(weights)[-1])


def _drawn(
    pool: Pool, prompt: int, one: int, other: int, total: float, prompts: int, pairs: int, familiar: int, random: Random
) -> Draw:
    by_chance = 1 - UNIFORM_SHARE if total > 0 else 0.0
    probability = (1 - by_chance) / prompts / pairs
    if total > 0:
        probability += by_chance * float(pool.terms[one, other]) / total
    left, right = random.sample([int(pool.entries[prompt, one]), int(pool.entries[prompt, other])], 2)
    return Draw(pool.prompts[prompt], left, right, min(probability, 1.0), familiar)
