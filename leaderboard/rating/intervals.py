"""From a fit to a board: intervals that respect voters, how many prompts limit them, statuses, what to ask next.

Two things limit a rating. The voters: their votes share their tastes. And the prompts: other prompts would have given
other ratings. So both are clusters of one covariance, and behind everything that a board says – interval, rank, chance
of being best, tier, status, two models compared – stands that one covariance. Beside it a board says which of the two
binds: "±a from votes, ±b from prompts".

K = number of models; arrays over models follow the order of `Fit.models`. Numpy only: no clock, no database.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from leaderboard.rating import ranks, ways
from leaderboard.rating.clusters import two_way
from leaderboard.rating.elo import MEAN, SCALE, Z95, Cells, Fit, centred, expected_score
from leaderboard.rating.elo import fit as refit
from leaderboard.rating.likelihood import Floats, Ints
from leaderboard.rating.student import LARGE_DF, degrees, t95
from leaderboard.rating.ways import Part as Part  # of `RawVotes`: what `spread` takes
from leaderboard.rating.ways import RawVotes as RawVotes

USABLE_VOTES, USABLE_VOTERS, USABLE_HALF_WIDTH = 300, 30, 30.0  # short of any of them, a rating is provisional
SETTLED_HALF_WIDTH = 12.0  # about 3,000 votes: near even odds, se ≈ 347 / √n Elo
MIN_ANCHOR = 3  # settled models that fix a category's scale
MIN_EFFECTIVE = 10.0  # effective voters, and effective prompts, of a rating that is usable or settled; of few models …
WIDTH_DEGREES = 40  # … so many degrees of freedom of the width that its status goes by
RIVALS = 5  # who might take the first place: the next five


@dataclass(frozen=True, eq=False)
class Spread:
    """What the raw votes say beyond the cells; on the quick path, what they said last time.

    design             [K] standard error of the fit over that of independent votes
    voters             [K] known voters who judged the model; a vote by an unknown voter counts as one more
    from_votes         [K] half-width in Elo of the interval without what other prompts would change
    from_prompts       [K] half-width in Elo with prompts alone as clusters; nan where prompts are not known
    effective_voters   [K] 1 / Σ share² of the model's votes; nan where no voter is known
    effective_prompts  [K] the same of prompts
    all_effective_…    of the board's votes; None where unknown
    """

    design: Floats
    voters: Ints
    from_votes: Floats
    from_prompts: Floats
    effective_voters: Floats
    effective_prompts: Floats
    all_voters: int = 0
    all_prompts: int = 0
    all_effective_voters: float | None = None
    all_effective_prompts: float | None = None

    @classmethod
    def none(cls, k: int) -> Spread:
        unknown = np.full((4, k), np.nan)
        return cls(np.ones(k), np.zeros(k, np.int64), unknown[0], unknown[1], unknown[2], unknown[3])

    @property
    def degrees(self) -> int:
        """Degrees of freedom of the t that is folded into the covariance."""
        return degrees(self.all_effective_voters, self.all_effective_prompts)

    @property
    def pooled_design(self) -> float:
        """√ mean design²: for statuses, which else would pick the models whose own happens to come out small."""
        return float(np.sqrt((self.design**2).mean())) if self.design.size else 1.0


def spread(fit: Fit, votes: RawVotes) -> tuple[Fit, Spread]:
    """The fit with voters and prompts as clusters (CR3, two ways), and what the votes say beyond it.

    Student's t is folded into the covariance, so 1.96 standard errors are a 95 % interval whatever the number of voters
    and prompts. Its degrees of freedom are the smaller *effective* number minus one: where a few of 300 voters cast
    most votes, the number of voters itself leaves 91 % inside usable intervals, the effective one 94 %. What has fewer
    than two clusters cannot be estimated and is left out: the ratings then speak of that one voter, or that one prompt.
    """
    k = len(fit.models)
    by_voter, by_prompt = ways.by_voter(fit, votes), ways.by_prompt(fit, votes)
    inside = np.flatnonzero(fit.connected)
    core = np.ix_(inside, inside)
    parts = [None if way.groups < 2 else way.covariance[core] for way in (by_voter, by_prompt)]
    df = min((way.degrees for way in (by_voter, by_prompt) if way.groups > 1), default=LARGE_DF)
    covariance = fit.covariance.copy()
    covariance[core] = (t95(df) / Z95) ** 2 * two_way(fit.covariance[core], *parts)
    clustered = replace(fit, covariance=covariance)
    known = fit.connected & (fit.se > 0) & np.isfinite(clustered.se)
    only_votes = fit.covariance.copy()
    if parts[0] is not None:
        only_votes[core] = (t95(by_voter.degrees) / Z95) ** 2 * parts[0]
    from_prompts = np.full(k, np.nan) if not by_prompt.known else t95(by_prompt.degrees) * by_prompt.se
    return clustered, Spread(
        design=np.divide(clustered.se, fit.se, out=np.ones(k), where=known),
        voters=by_voter.judges,
        from_votes=Z95 * np.sqrt(np.diag(only_votes)),
        from_prompts=from_prompts,
        effective_voters=by_voter.effective if by_voter.known else np.full(k, np.nan),
        effective_prompts=by_prompt.effective if by_prompt.known else np.full(k, np.nan),
        all_voters=by_voter.known,
        all_prompts=by_prompt.known,
        all_effective_voters=by_voter.all_effective if by_voter.known else None,
        all_effective_prompts=by_prompt.all_effective if by_prompt.known else None,
    )


def inflated(fit: Fit, design: Floats) -> Fit:
    """The fit with every standard error multiplied by its design effect; correlations stay."""
    return replace(fit, covariance=fit.covariance * np.outer(design, design))


def careful(fit: Fit, cells: Cells) -> Fit:
    """The fit, with at least the error of one decided vote per model.

    The sandwich measures how far votes fall from what was expected: a model whose every vote tied as expected would get
    an error of zero, after a single vote. So a variance counts at least as one n-th of H⁻¹, n being the model's votes;
    on boards where more than one vote in n was decided this changes nothing.
    """
    floor = SCALE**2 * np.diag(fit.bread) / np.maximum(appearances(cells), 1)
    short = fit.connected & (np.diag(fit.covariance) < floor)
    if not short.any():
        return fit
    scale = np.where(short, SCALE / np.sqrt(np.maximum(appearances(cells), 1)), 0)
    return replace(fit, covariance=fit.covariance + np.outer(scale, scale) * fit.bread)


def least_effective(models: int) -> float:
    """Effective voters, and effective prompts, without which no rating on a board of so many models is usable.

    A status goes by a width that is estimated, from (models − 1)(clusters − 1) degrees of freedom. Where these are few,
    it picks the boards that guess too small a width: of three models and twelve prompts 90 of 100 intervals held.
    """
    return max(MIN_EFFECTIVE, 1 + WIDTH_DEGREES / max(1, models - 1))


def status(
    votes: int,
    half_width: float,
    connected: bool,
    voters: int | None,
    effective_voters: float = math.nan,
    effective_prompts: float = math.nan,
    least: float = MIN_EFFECTIVE,
) -> str:
    """How far a rating can be believed: provisional, usable or settled. The one definition of these words.

    `half_width` in Elo is that of independent votes times the board's pooled design effect (`Spread.pooled_design`).
    `voters` is None where their number is no condition (see `board.computed`); effective numbers that are nan are
    unknown, and no condition; `least` is what they need (see `least_effective`).
    """
    if not connected or votes < USABLE_VOTES or not half_width <= USABLE_HALF_WIDTH:
        return "provisional"
    if voters is not None and voters < USABLE_VOTERS:
        return "provisional"
    if effective_voters < least or effective_prompts < least:
        return "provisional"
    return "settled" if half_width <= SETTLED_HALF_WIDTH else "usable"


# ------------------------------------------------------------------------------------------------ what to ask next


def votes_to_next(fit: Fit, plain: Fit) -> list[int | None]:
    """For each model [K] the votes between it and the next one down that separate the two with 80 % probability.

    `plain` is the fit as if votes were independent: by new votes only that error shrinks. What voters and prompts add
    to it (the difference of the two covariances) stays, as it does while the same people judge the same prompts; it is
    at least the models' pooled one, for a pair's own may happen to come out small. 0 where the two are apart
    already; None for the last, for models without an interval, and where no number can be foreseen.
    """
    strengths = ranks.spread_of_strengths(fit)
    needed: list[int | None] = [None] * len(fit.models)
    ordered = [int(index) for index in np.argsort(-fit.elo, kind="stable") if fit.connected[index]]
    if len(ordered) < 2:
        return needed
    excess = np.diag(centred(fit))[ordered] - np.diag(centred(plain))[ordered]
    pooled = 2 * max(0.0, float(excess.mean())) * len(ordered) / (len(ordered) - 1) / SCALE**2
    for upper, lower in pairwise(ordered):
        total, votes, bread = (
            float(matrix[upper, upper] + matrix[lower, lower] - 2 * matrix[upper, lower]) / scale
            for matrix, scale in ((fit.covariance, SCALE**2), (plain.covariance, SCALE**2), (fit.bread, 1.0))
        )
        gap = float(fit.elo[upper] - fit.elo[lower]) / SCALE
        if gap >= Z95 * math.sqrt(max(total, 0.0)):
            needed[upper] = 0
            continue
        p = expected_score(float(fit.elo[upper]), float(fit.elo[lower]))
        # H says what a vote is worth if votes never tie; the sandwich of the same votes says by how much it is more.
        information = p * (1 - p) * (bread / votes if votes > 0 else 0.0)
        needed[upper] = ranks.votes_to_separate(gap, votes, max(pooled, total - votes), information, strengths)
    return needed


def votes_added_to_flip(fit: Fit, cells: Cells) -> int | None:
    """How few added votes, each a win of another model against the leader, would put that model first.

    Of the next `RIVALS` models that which by first-order influence needs fewest; refits then find the number by
    bisection. None where we find no such number, or nobody is second.
    """
    rated = np.flatnonzero(fit.connected)
    if rated.size < 2:
        return None
    order = rated[np.argsort(-fit.elo[rated], kind="stable")]
    leader = int(order[0])

    def about(rival: int) -> float:
        gap = float(fit.elo[leader] - fit.elo[rival])
        worth = float(fit.bread[leader, leader] + fit.bread[rival, rival] - 2 * fit.bread[leader, rival])
        return gap / SCALE / (expected_score(gap, 0.0) * worth) if worth > 0 else math.inf

    rival = min((int(index) for index in order[1 : 1 + RIVALS]), key=about)
    estimate = about(rival)
    if not math.isfinite(estimate):
        return None

    def is_first(added: int) -> bool:
        more = replace(
            cells,
            left=np.append(cells.left, rival),
            right=np.append(cells.right, leader),
            score=np.append(cells.score, 1.0),
            n=np.append(cells.n, added),
            squared=None,
        )
        again = refit(more, start=dict(zip(fit.models, fit.elo.tolist(), strict=True)))
        return bool(again.elo[rival] > again.elo[leader])

    few, many = 0, max(1, math.ceil(estimate))
    while not is_first(many):
        few, many = many, 2 * many
        if many > 64 * (estimate + 1):
            return None
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if is_first(middle) else (middle, many)
    return many


def votes_to_flip(fit: Fit, cells: Cells) -> int | None:
    """How few votes, had they not been cast, would put another model first. None where we find no such number.

    One-step influence orders the votes (Broderick, Giordano & Meager 2020; for arenas Huang et al., arXiv 2508.11847):
    without a vote of residual r between i and j, the gap between leader a and rival b falls by
    r · (H⁻¹_a − H⁻¹_b)(e_i − e_j). Taking votes in that order, refits then find by bisection how many it takes, so the
    number does flip the place; that no smaller set does is likely, not certain.
    """
    rated = np.flatnonzero(fit.connected)
    if rated.size < 2:
        return None
    order = rated[np.argsort(-fit.elo[rated], kind="stable")]
    leader, x = order[0], (fit.elo - MEAN) / SCALE
    residual = cells.score - 1 / (1 + np.exp(np.minimum(x[cells.right] - x[cells.left], 700)))
    best: tuple[float, Ints] | None = None
    for rival in order[1 : 1 + RIVALS]:
        difference = fit.bread[leader] - fit.bread[rival]
        fall = residual * (difference[cells.left] - difference[cells.right])
        taken = np.argsort(-fall, kind="stable")
        taken = taken[(fall[taken] > 0) & (cells.n[taken] > 0)]
        gone = np.cumsum(fall[taken] * cells.n[taken])
        last = int(np.searchsorted(gone, x[leader] - x[rival], side="right"))
        if last < taken.size:
            count = float(cells.n[taken[: last + 1]].sum())
            if best is None or count < best[0]:
                best = count, taken
    if best is None:
        return None
    few, many = 0, math.ceil(best[0])  # the gap is gone by first order after `many`, which errs upwards
    while many - few > 1:
        middle = (few + many) // 2
        few, many = (few, middle) if _flips(fit, cells, best[1], middle) else (middle, many)
    return many


def _flips(fit: Fit, cells: Cells, taken: Ints, count: int) -> bool:
    """Whether another model is first without the first `count` votes of the cells `taken`."""
    n = cells.n.copy()
    left = np.maximum(count - (np.cumsum(n[taken]) - n[taken]), 0)
    n[taken] -= np.minimum(n[taken], left)
    again = refit(replace(cells, n=n, squared=None), start=dict(zip(fit.models, fit.elo.tolist(), strict=True)))
    leader = int(np.argmax(np.where(fit.connected, fit.elo, -np.inf)))
    return not again.connected[leader] or int(np.argmax(np.where(again.connected, again.elo, -np.inf))) != leader


def appearances(cells: Cells) -> Ints:
    """Votes [K] in which each model appeared."""
    k = len(cells.models)
    both = np.bincount(cells.left, cells.n, k) + np.bincount(cells.right, cells.n, k)
    return both.astype(np.int64)
