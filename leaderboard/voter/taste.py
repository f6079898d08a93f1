"""What a voter's own ranking says in sentences, and the images they liked best.

The voter's answers are held against others' on the same pairs: those others of at least `crowd.ENOUGH`, for else nobody
knows what most think.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from arena.models import Category, Entry, ImageTally, Outcome, Vote, Voter
from leaderboard.voter import crowd
from leaderboard.voter.rankings import RankedModel, Ranking
from leaderboard.voter.reveal import expected, ratings_of

LIKED = 4  # images, of as many prompts
APART = 2.0  # places between the middles of two intervals from which one parts with everybody


@dataclass(frozen=True, slots=True)
class Sentence:
    """`claim` is set in bold, `evidence` follows it."""

    claim: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Agreement:
    """On `pairs` pairs most others are known: the voter was `with_most`, and one of the others would be on `usual`."""

    pairs: int
    with_most: int
    usual: float
    variance: float


@dataclass(frozen=True, slots=True)
class Taste:
    sentences: tuple[Sentence, ...]
    liked: tuple[Entry, ...]


def of(voter: Voter, ranking: Ranking) -> Taste:
    """The three sentences over a voter's own ranking, and the images they preferred against the odds."""
    votes = list(
        Vote.objects.filter(voter=voter, category=ranking.category)
        .select_related("battle__left__image_model", "battle__right__image_model", "battle__prompt__competition")
        .order_by("cast_at", "pk")
    )
    return Taste(sentences(ranking, agreement(votes)), liked(ranking.category, votes))


def sentences(ranking: Ranking, agreed: Agreement) -> tuple[Sentence, ...]:
    """Who is first, how far the voter agrees with others, and over which model they part."""
    if not ranking.places:
        return ()
    return _first(ranking.places), _agreement(agreed), _parting(ranking)


def _first(places: Sequence[RankedModel]) -> Sentence:
    first, rivals = places[0], [row.image_model.name for row in places[1:] if row.place.could_be_first]
    times = f"you chose it {first.won} of {first.votes} times."
    if not rivals:
        return Sentence(f"{first.image_model.name} comes first for you:", f"{times} No other can catch it.")
    if len(rivals) > 3:
        return Sentence(
            f"{first.image_model.name} comes first for you:", f"{times} {len(rivals)} others could catch it."
        )
    return Sentence(
        f"{first.image_model.name} comes first for you:", f"{times} {_listed(rivals)} could still catch it."
    )


def _agreement(agreed: Agreement) -> Sentence:
    if not agreed.pairs:
        return Sentence("Nobody to compare with yet:", "too few others have voted on your pairs.")
    difference = agreed.with_most - agreed.usual
    close = 1.96 * math.sqrt(agreed.variance)
    how = (
        "about as often as" if abs(difference) <= close else "more often than" if difference > 0 else "less often than"
    )
    pairs = f"{agreed.pairs} pair{'' if agreed.pairs == 1 else 's'}"
    return Sentence("You vote with most people", f"on {agreed.with_most} of {pairs}, {how} people do with each other.")


def _parting(ranking: Ranking) -> Sentence:
    apart = max(ranking.places, key=_gap)
    if _gap(apart) < APART or apart.public is None:
        return Sentence("You and everybody agree,", f"as far as {ranking.votes} votes can say.")
    return Sentence(
        f"You part over {apart.image_model.name}:",
        f"place {apart.public.place.bounds} for everybody, {apart.place.bounds} for you.",
    )


def _gap(row: RankedModel) -> float:
    """Places between the middles of the voter's interval and everybody's."""
    if row.public is None or not row.public.place.is_known:
        return 0.0
    return abs(_middle(row.place.low, row.place.high) - _middle(row.public.place.low, row.public.place.high))


def _middle(low: int | None, high: int | None) -> float:
    return ((low or 0) + (high or 0)) / 2


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def agreement(votes: Iterable[Vote]) -> Agreement:
    """From the tallies of the votes' pairs of images, without the voter's own."""
    decided = [vote for vote in votes if vote.outcome in (Outcome.LEFT, Outcome.RIGHT)]
    pairs = {tuple(sorted((vote.battle.left_id, vote.battle.right_id))): vote for vote in decided}
    tallies = ImageTally.objects.filter(low__in={low for low, _ in pairs}, high__in={high for _, high in pairs})
    known = with_most = 0
    usual = variance = 0.0
    for tally in tallies:
        vote = pairs.get((tally.low_id, tally.high_id))
        if vote is None:
            continue
        counted = crowd.Others(tally.low_wins, tally.ties, tally.both_bad, tally.high_wins)
        is_low = (vote.outcome == Outcome.LEFT) == (vote.battle.left_id == tally.low_id)
        others = crowd.without(counted, "" if vote.excluded_reason else "left" if is_low else "right")
        shown = crowd.of("left" if is_low else "right", others, None)
        if shown.stand not in ("with", "against"):
            continue
        known += 1
        with_most += shown.stand == "with"
        largest = max(shown.left, shown.right) / 100
        usual += largest
        variance += largest * (1 - largest)
    return Agreement(known, with_most, usual, variance)


def liked(category: Category, votes: Iterable[Vote]) -> tuple[Entry, ...]:
    """The preferred images that were least expected to win, of different prompts."""
    ratings = ratings_of(category.pk)
    chosen: list[tuple[float, Entry]] = []
    for vote in votes:
        if vote.outcome not in (Outcome.LEFT, Outcome.RIGHT):
            continue
        chance = expected(ratings.get(vote.left_model_id), ratings.get(vote.right_model_id))
        is_left = vote.outcome == Outcome.LEFT
        odds = 0.5 if chance is None else chance if is_left else 1 - chance
        entry = vote.battle.left if is_left else vote.battle.right
        entry.prompt = vote.battle.prompt
        chosen.append((odds, entry))
    entries: dict[int, Entry] = {}
    for _, entry in sorted(chosen, key=lambda pair: pair[0]):
        if entry.retired_at is None and entry.hidden_at is None:
            entries.setdefault(entry.prompt_id, entry)
    return tuple(entries.values())[:LIKED]
