"""What a voter's own ranking says in sentences, and the images they liked best.

The voter's answers are held against others' on the same pairs: those others of at least `crowd.ENOUGH`, for else nobody
knows what most think.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.utils.translation import gettext, ngettext

from arena.models import Category, Entry, ImageTally, Outcome, Vote, Voter
from leaderboard.board import place_words
from leaderboard.voter import crowd
from leaderboard.voter.rankings import RankedModel, Ranking
from leaderboard.voter.reveal import expected, ratings_of

LIKED = 4  # images, of as many prompts
MANY = 3  # rivals that are named; more are counted
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
    """Who is first, how far the voter agrees with others, and over which model they part; nothing is said of agreement
    where nobody else has voted on the same pairs."""
    if not ranking.places:
        return ()
    apart = max(ranking.places, key=_gap)
    both = _first(ranking.places), _agreement(agreed)
    return (*both, _parting(ranking, apart)) if agreed.pairs or _gap(apart) >= APART else both


def _first(places: Sequence[RankedModel]) -> Sentence:
    first, rivals = places[0], [row.image_model.name for row in places[1:] if row.place.could_be_first]
    claim = gettext("%(name)s comes first for you:") % {"name": first.image_model.name}
    times = {"won": first.won, "votes": first.votes, "rivals": len(rivals)}
    if len(rivals) > MANY:
        evidence = ngettext(
            "you chose it %(won)s of %(votes)s times. %(rivals)s other could catch it.",
            "you chose it %(won)s of %(votes)s times. %(rivals)s others could catch it.",
            len(rivals),
        )
        return Sentence(claim, evidence % times)
    if not rivals:
        return Sentence(claim, gettext("you chose it %(won)s of %(votes)s times. No other can catch it.") % times)
    evidence = gettext("you chose it %(won)s of %(votes)s times. %(names)s could still catch it.")
    return Sentence(claim, evidence % {**times, "names": _listed(rivals)})


def _agreement(agreed: Agreement) -> Sentence:
    if not agreed.pairs:
        return Sentence(gettext("Nobody to compare with yet:"), gettext("too few others have voted on your pairs."))
    difference = agreed.with_most - agreed.usual
    if abs(difference) <= 1.96 * math.sqrt(agreed.variance):
        evidence = ngettext(
            "on %(agreed)s of %(pairs)s pair, about as often as people do with each other.",
            "on %(agreed)s of %(pairs)s pairs, about as often as people do with each other.",
            agreed.pairs,
        )
    elif difference > 0:
        evidence = ngettext(
            "on %(agreed)s of %(pairs)s pair, more often than people do with each other.",
            "on %(agreed)s of %(pairs)s pairs, more often than people do with each other.",
            agreed.pairs,
        )
    else:
        evidence = ngettext(
            "on %(agreed)s of %(pairs)s pair, less often than people do with each other.",
            "on %(agreed)s of %(pairs)s pairs, less often than people do with each other.",
            agreed.pairs,
        )
    figures = {"agreed": agreed.with_most, "pairs": agreed.pairs}
    return Sentence(gettext("You vote with most people"), evidence % figures)


def _parting(ranking: Ranking, apart: RankedModel) -> Sentence:
    if _gap(apart) < APART or apart.public is None:
        evidence = ngettext("as far as %(votes)s vote can say.", "as far as %(votes)s votes can say.", ranking.votes)
        return Sentence(gettext("You and everybody agree,"), evidence % {"votes": ranking.votes})
    places = {"public": place_words.bounds(apart.public.place), "own": place_words.bounds(apart.place)}
    return Sentence(
        gettext("You part over %(name)s:") % {"name": apart.image_model.name},
        gettext("place %(public)s for everybody, %(own)s for you.") % places,
    )


def _gap(row: RankedModel) -> float:
    """Places between the middles of the voter's interval and everybody's."""
    if row.public is None or not row.public.place.is_known:
        return 0.0
    return abs(_middle(row.place.low, row.place.high) - _middle(row.public.place.low, row.public.place.high))


def _middle(low: int | None, high: int | None) -> float:
    return ((low or 0) + (high or 0)) / 2


def _listed(names: Sequence[str]) -> str:
    if len(names) == 1:
        return names[0]
    return gettext("%(names)s and %(last)s") % {"names": ", ".join(names[:-1]), "last": names[-1]}


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
