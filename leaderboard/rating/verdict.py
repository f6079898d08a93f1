"""Sentences about a board, a model, a pair, a choice: what the votes support, and nothing more.

`find` decides which sentence about a board holds, from ratings and their covariance; each rule is simulated to be true
in at least 95 % of the cases in which it is stated. `of_board`, `of_filter`, `of_model`, `of_pair` and `of_choice` put
it into words: (claim, value), a headline and a line of what it is worth or what is missing. Pages, cards, feeds and
files show these words and write none of their own.

Strengths are never shrunk here: a leader named after shrinking by moments was one in 12 to 47 % of cases at 300 votes.

Pure: numpy only, no Django.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

from leaderboard.rating import board_words, choice_words, model_words, pair_words
from leaderboard.rating.elo import Z95, expected_score
from leaderboard.rating.likelihood import Floats
from leaderboard.rating.number_words import either
from leaderboard.rating.place import Place, sure
from leaderboard.rating.ranks import RankInference, rank_inference
from leaderboard.rating.student import degrees
from providers.web.sentence import sentence

Kind = Literal["no votes", "early", "lead", "open", "level"]

MIN_MODELS = 3  # with an interval; fewer make no sentence about a leader
MIN_EFFECTIVE = 6.0  # effective voters, and effective prompts
MAX_MEAN_HALF_WIDTH = 60.0  # Elo
MAX_NAMED_RANK = 10  # by price or speed, of a model without votes
MAX_LEADERS = 3  # so many can be named as leading together
MIN_HEAD_TO_HEAD = 30  # votes between two models before their pages draw a conclusion from them
BARGAIN_PRICE = 1 / 3  # a bargain costs at most this part of the leader …
BARGAIN_SHARE = 0.3  # … and is expected to score at least this much against it


class Verdict(NamedTuple):
    """claim is the headline; value says what it is worth or what is missing, "" where there is nothing to say."""

    claim: str
    value: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """Which sentence holds of a board.

    kind     no votes; early: too little is known; lead: `named` are ahead of each of the others; open: `named` are
             those that could be first; level: no two models can be distinguished
    named    indices of models, highest rated first
    within   Elo: every pair lies within it; of "level" only
    lacking  of "early": what is missing most, "models", "voters", "prompts" or "votes"
    """

    kind: Kind
    named: tuple[int, ...] = ()
    within: float | None = None
    lacking: str = ""


def find(
    elo: Floats,
    covariance: Floats,
    *,
    voters: float | None,
    prompts: float | None,
    inference: RankInference | None = None,
    confirmed: Sequence[int] | None = None,
) -> Finding:
    """The first rule that holds, from ratings [K] and their covariance [K, K] in Elo², t folded in.

    `voters` and `prompts` are effective numbers, None where unknown: then they are no condition. `inference` saves its
    10,000 draws where it was made already. `confirmed` are the models that led in the last daily snapshot: a sentence
    that names leaders has to hold twice, or a board of two equals names a false one too often (12.5 % instead of 5 %
    while votes grow from 300 to 5,000). None: ask for no second time, as a snapshot itself does.
    """
    variance = np.diag(covariance)
    placed = np.flatnonzero(np.isfinite(variance))
    if placed.size < MIN_MODELS:
        return Finding("early" if len(elo) else "no votes", lacking="models")
    for number, name in ((voters, "voters"), (prompts, "prompts")):
        if number is not None and number < MIN_EFFECTIVE:
            return Finding("early", lacking=name)
    if Z95 * float(np.sqrt(variance[placed]).mean()) > MAX_MEAN_HALF_WIDTH:
        return Finding("early", lacking="votes")
    order = placed[np.argsort(-elo[placed], kind="stable")]
    spread = np.sqrt(
        np.maximum(np.add.outer(variance[order], variance[order]) - 2 * covariance[np.ix_(order, order)], 0)
    )
    gap = np.subtract.outer(elo[order], elo[order])
    for leaders in range(1, min(MAX_LEADERS, order.size - 1) + 1):
        if (gap[:leaders, leaders:] >= Z95 * spread[:leaders, leaders:]).all():
            named = tuple(int(model) for model in order[:leaders])
            if confirmed is None or set(confirmed) == set(named):
                return Finding("lead", named)
            break
    inference = inference or rank_inference(elo, covariance, degrees(voters, prompts))
    first = tuple(int(model) for model in order if inference.low[model] == 1)
    if len(first) < order.size:
        return Finding("open", first)
    reach = np.abs(gap) + inference.critical * spread
    return Finding("level", first, within=float(reach.max()))


# ------------------------------------------------------------------------------------------------------------- words


_UNPLACED = Place.unknown()


@dataclass(frozen=True, slots=True)
class Contender:
    """A model as sentences know it. price in dollars for an image, seconds for one; None where unknown. A provisional
    one is never named as first."""

    name: str
    elo: float = 0.0
    place: Place = _UNPLACED
    is_settled: bool = False
    is_provisional: bool = False
    price: float | None = None
    seconds: float | None = None


def of_board(
    finding: Finding,
    models: Sequence[Contender],
    *,
    more_votes: int | None = None,
    voters: int | None = None,
    prompts: int | None = None,
    prompts_bind: bool = False,
) -> Verdict:
    """About the whole board. `models` are all its models with an interval, indexed as `finding.named` is.

    `more_votes` between the first two: see `ranks.votes_to_separate`; None where unforeseeable. `voters` and `prompts`
    are their numbers; `prompts_bind`: other prompts would move the ratings more than more votes.
    """
    named = [models[index] for index in finding.named]
    names, n = [model.name for model in named], len(models)
    if finding.kind == "no votes":
        return Verdict(sentence("No votes yet."), sentence("The first 30 draw the first picture."))
    if finding.kind == "early":
        all_tied = n > 1 and all(model.place.is_tied_with_all for model in models)
        claim = board_words.early(n) if all_tied else sentence("Too early to say which model is first.")
        return Verdict(claim, board_words.missing(finding.lacking, more_votes, voters, prompts, prompts_bind))
    missing = board_words.missing("votes", more_votes, voters, prompts, prompts_bind)
    if finding.kind == "level":
        within = round(finding.within or 0)
        return Verdict(
            sentence("No model can be distinguished from another yet: all within %(elo)s Elo.", elo=within), missing
        )
    if len(named) <= MAX_LEADERS and any(model.is_provisional for model in named):
        # Places use wider bounds than “leads”: where their rows show more that could be first, the sentence agrees.
        could_be = sum(model.place.could_be_first for model in models)
        return Verdict(board_words.unnamed(max(len(named), could_be), n), missing)
    if finding.kind == "lead":
        return Verdict(board_words.lead(names, n - len(named), named[0].place.best), bargain(named, models))
    if len(names) == 1:
        ahead = sentence("%(name)s is ahead, to be confirmed by the next daily snapshot.", name=names[0])
        return Verdict(ahead, missing)
    if len(names) <= MAX_LEADERS:
        return Verdict(sentence("%(names)s is first.", names=either(names)), bargain(named, models) or missing)
    likely = max(named, key=lambda model: model.place.best or 0.0)
    if likely.place.best is None or likely.is_provisional:
        return Verdict(sentence("%(first)s of %(models)s could be first.", first=len(names), models=n), missing)
    claim = sentence(
        "%(first)s of %(models)s could be first; %(name)s most likely (%(chance)s).",
        first=len(names), models=n, name=likely.name, chance=sure(likely.place.best),
    )  # fmt: skip
    return Verdict(claim, missing)


def bargain(leaders: Sequence[Contender], models: Sequence[Contender]) -> str:
    """What costs a third of the dearest leader at most and still wins three of ten against it; "" if nothing does."""
    priced = [model for model in leaders if model.price]
    if not priced:
        return ""
    leader = max(priced, key=lambda model: model.price or 0.0)
    assert leader.price
    front = [
        model for model in models
        if model.is_settled and model.price is not None and model not in leaders
        and model.price <= BARGAIN_PRICE * leader.price
        and expected_score(model.elo, leader.elo) >= BARGAIN_SHARE
    ]  # fmt: skip
    if not front:
        return ""
    model = max(front, key=lambda model: model.elo)
    wins = round(10 * expected_score(model.elo, leader.elo))
    return board_words.bargain(
        model.name, model.price / leader.price if model.price else 0.0, wins, leader.name, len(leaders) == 1
    )


def of_filter(
    conditions: str, finding: Finding, models: Sequence[Contender], *, best: float | None = None, value: str = ""
) -> Verdict:
    """About the models that a filter leaves, `conditions` as in “Under $0.02 with commercial rights”.

    `finding` is that of these models alone (`find` on their part of the covariance); `best` the first one's chance of
    being the best of them. Their places stay those of the whole board.
    """
    n, names = len(models), [models[index].name for index in finding.named]
    nameable = len(names) <= MAX_LEADERS and not any(models[index].is_provisional for index in finding.named)
    if not n:
        return Verdict(board_words.no_model(conditions), value)
    if n == 1:
        return Verdict(board_words.only(conditions, models[0].name), value)
    if finding.kind not in ("lead", "open"):
        return Verdict(board_words.part_early(conditions, n), value)
    if not nameable:
        return Verdict(board_words.part_unnamed(conditions, len(names), n), value)
    chance = best if finding.kind == "lead" and len(names) == 1 else None
    return Verdict(board_words.part_best(conditions, names, n, chance), value)


def of_model(place: Place, category: str, level_with: Sequence[str] = ()) -> Verdict:
    """About a rated model in a category, named as in running text (“text to image”).

    A place that is not known belongs to `of_unplaced`. `level_with` names the models it cannot be distinguished from,
    as far as the caller knows them: one of them is named, more are counted.
    """
    low, high = place.low, place.high
    if low is None or high is None:
        return Verdict(sentence("Not rated yet."))
    return Verdict(model_words.placed(place, low, high, category, level_with))


def of_unplaced(category: str, votes: int) -> Verdict:
    """About a model whose votes give it no place on a board."""
    return Verdict(model_words.unplaced(category, votes))


def of_unrated(
    *, price_rank: int | None = None, priced: int = 0, speed_rank: int | None = None, timed: int = 0, released: str = ""
) -> Verdict:
    """About a model without votes: its rank by price if one of the first ten, else by speed, else its age."""
    if price_rank is not None and 1 <= price_rank <= MAX_NAMED_RANK and priced > 1:
        return Verdict(model_words.cheapest(price_rank, priced))
    if speed_rank is not None and 1 <= speed_rank <= MAX_NAMED_RANK and timed > 1:
        return Verdict(model_words.fastest(speed_rank, timed))
    if released:
        return Verdict(sentence("Released %(month)s; nobody has rated it here yet.", month=released))
    return Verdict(sentence("Nobody has rated it here yet."))


def of_pair(
    one: Contender,
    other: Contender,
    *,
    rated: tuple[bool, bool] = (True, True),
    share: float | None = None,
    lower: float | None = None,
    upper: float | None = None,
    votes: int = 0,
    more_votes: int | None = None,
) -> Verdict:
    """About two models. `share` is what `one` is expected to score against `other`, `lower` and `upper` end its 95 %
    interval (None: no interval), `votes` were cast between the two, `more_votes` between them would separate them."""
    if not all(rated):
        unrated = [model.name for model, is_rated in zip((one, other), rated, strict=True) if not is_rated]
        return Verdict(
            sentence("Only price and rights can be compared: nobody has rated %(names)s.", names=either(unrated))
        )
    if share is None or lower is None or upper is None or (votes < MIN_HEAD_TO_HEAD and lower <= 0.5 <= upper):
        return Verdict(pair_words.early(votes, more_votes))
    if lower <= 0.5 <= upper:
        cheaper = _smaller(one, other, "price")
        return Verdict(pair_words.level(share, lower, upper, cheaper.name if cheaper else ""))
    winner, loser = (one, other) if share > 0.5 else (other, one)
    wins = round(10 * max(share, 1 - share))
    if _smaller(one, other, "price") is loser and winner.price and loser.price:
        return Verdict(pair_words.dearer(winner.name, wins, winner.price / loser.price))
    is_cheaper, is_faster = (_smaller(one, other, attribute) is winner for attribute in ("price", "seconds"))
    if is_cheaper or is_faster:
        return Verdict(pair_words.better(winner.name, is_cheaper=is_cheaper, is_faster=is_faster))
    return Verdict(
        sentence("%(winner)s wins %(wins)s of 10 against %(loser)s.", winner=winner.name, wins=wins, loser=loser.name)
    )


def _smaller(one: Contender, other: Contender, attribute: str) -> Contender | None:
    """Which of two has the smaller price, or time; None where one is unknown or both are the same."""
    a, b = getattr(one, attribute), getattr(other, attribute)
    return None if a is None or b is None or a == b else one if a < b else other


def of_side(elo: float | None, se: float | None) -> Verdict:
    """About a liking for one side, from what the left side is worth in Elo and its standard error; None: not known."""
    if elo is None or se is None or not math.isfinite(se):
        return Verdict(sentence("Left and right: not known."))
    ends = {"low": f"{elo - Z95 * se:.0f}".replace("-", "−"), "high": f"{elo + Z95 * se:.0f}".replace("-", "−")}
    if abs(elo) <= Z95 * se:  # both are 0 where every vote is a tie
        return Verdict(
            sentence("Left and right: no liking for a side found."),
            sentence("95%% interval %(low)s to %(high)s Elo.", **ends),
        )
    claim = (
        sentence("Left and right: the left image wins more often than chance.")
        if elo > 0
        else sentence("Left and right: the right image wins more often than chance.")
    )
    return Verdict(claim, sentence("Worth %(low)s to %(high)s Elo (95%%).", **ends))


def of_choice(
    model: Contender | None,
    *,
    fitting: int,
    rated: int,
    is_clear: bool = False,
    usable_price: str = "",
    without: tuple[int, str] | None = None,
) -> Verdict:
    """The answer to “Which for me?”: the model recommended of `fitting`, of which `rated` have a settled rating.

    `is_clear`: it leads them by votes. `usable_price`: what a usable image of it costs, as written. `without`: how many
    more would fit without one limit, and that limit's words.
    """
    if model is None:
        return Verdict(choice_words.nothing(without))
    if not rated:
        return Verdict(choice_words.unrated(model.name))
    if is_clear:
        return Verdict(choice_words.best(model.name, fitting))
    return Verdict(choice_words.cheapest(model.name, rated, usable_price))
