"""The sentences over a voter's own ranking, and the images they liked best."""

from __future__ import annotations

import math

import pytest
from django.utils import timezone

from arena import voting
from arena.models import Category, Entry, Vote, Voter
from leaderboard.models import Rating
from leaderboard.rating.place import Place
from leaderboard.voter import taste
from leaderboard.voter.rankings import RankedModel, Ranking
from leaderboard.voter.taste import Agreement
from providers.cache import clear_process_caches
from providers.models import ImageModel
from tests import factories as make

NOBODY = Agreement(0, 0, 0.0, 0.0)


def ranked(name: str, low: int, high: int, public: tuple[int, int] | None = None, won: int = 0) -> RankedModel:
    """A model with its bounds among eight: the voter's own ones, and everybody's."""
    rating = None if public is None else Rating(rank_low=public[0], rank_high=public[1], placed=8)
    return RankedModel(ImageModel(name=name), 1000, 900, 1100, rating, Place(low, high, 8), won, tied=1, lost=2)


def said(places: list[RankedModel], agreed: Agreement = NOBODY) -> list[str]:
    ranking = Ranking(Category(), 30, places)
    return [f"{sentence.claim} {sentence.evidence}" for sentence in taste.sentences(ranking, agreed)]


@pytest.mark.parametrize(
    ("rivals", "rest"),
    [
        (0, "No other can catch it."),
        (1, "Rival 1 could still catch it."),
        (3, "Rival 1, Rival 2 and Rival 3 could still catch it."),
        (4, "4 others could catch it."),
    ],
)
def test_who_comes_first_is_said_with_those_who_could(rivals, rest):
    others = [ranked(f"Rival {number}", 1, 8) for number in range(1, rivals + 1)]
    first = said([ranked("Heron", 1, 2, won=9), *others, ranked("Far behind", 2, 8)])[0]
    assert first == f"Heron comes first for you: you chose it 9 of 12 times. {rest}"


@pytest.mark.parametrize(
    ("with_most", "usual", "words"),
    [  # of 20 pairs, with a variance of 4: two standard errors of 2 are 3.92
        (15, 11.0, "more often than people do with each other"),
        (15, 11.2, "about as often as people do with each other"),
        (15, 18.8, "about as often as people do with each other"),
        (15, 19.0, "less often than people do with each other"),
    ],
)
def test_agreement_with_most_is_held_against_what_chance_explains(with_most, usual, words):
    sentence = said([ranked("Heron", 1, 2)], Agreement(20, with_most, usual, 4.0))[1]
    assert sentence == f"You vote with most people on 15 of 20 pairs, {words}."
    assert said([ranked("Heron", 1, 2)])[1].startswith("Nobody to compare with yet:")


def test_the_model_over_which_the_voter_parts_is_that_with_the_widest_gap_of_at_least_two_places():
    near, known = ranked("Near", 1, 2, public=(1, 5)), ranked("Nowhere else", 7, 8)
    assert (
        said([near, known], Agreement(20, 15, 15.0, 4.0))[2] == "You and everybody agree, as far as 30 votes can say."
    )
    assert len(said([near, known])) == 2  # with nobody to compare with, nobody agrees
    apart = ranked("Apart", 1, 2, public=(2, 5))  # the middles, 1½ and 3½, lie two places apart
    expected = "You part over Apart: place 2–5 for everybody, 1–2 for you."
    assert said([near, apart, known])[2] == expected
    assert said([ranked("Far", 8, 8, public=(1, 2)), near, apart])[2].startswith("You part over Far:")
    assert said([]) == []


def vote(voter: Voter, left: Entry, right: Entry, outcome: str) -> Vote:
    battle = make.make_battle(voter, left, right)
    voting.cast_vote(battle, outcome)
    return Vote.objects.get(battle=battle)


@pytest.mark.django_db
def test_agreement_counts_pairs_on_which_most_others_are_known_without_the_voters_own_vote():
    voter, votes = make.make_voter(), []
    for others, own in (
        (("left",) * 4 + ("right",), "left"),  # with four of five
        (("right",) * 4 + ("left",), "left"),  # against them
        (("left",) * 4, "left"),  # with the own vote five, but four others are too few
        (("left", "right") * 3, "left"),  # three against three: nobody is most
        (("left",) * 5, "tie"),  # no preference
    ):
        one = make.make_entry()
        other = make.make_entry(one.prompt)
        for outcome in others:
            voting.cast_vote(make.make_battle(left=one, right=other), outcome)
        turned = {"left": "right", "right": "left"}.get(own, own)
        votes.append(vote(voter, other, one, turned))  # who saw them the other way round
    agreed = taste.agreement(votes)
    assert (agreed.pairs, agreed.with_most) == (2, 1)
    assert math.isclose(agreed.usual, 0.8 + 0.8)
    assert math.isclose(agreed.variance, 2 * 0.8 * 0.2)


def rated(category: Category, image_model: ImageModel, elo: float) -> None:
    numbers = {"lower": elo - 20, "upper": elo + 20, "rank": 1, "rank_low": 1, "rank_high": 1, "placed": 2}
    Rating.objects.create(category=category, image_model=image_model, elo=elo, votes=400, status="usable", **numbers)


@pytest.mark.django_db
def test_the_images_that_were_liked_against_the_odds_come_first_one_of_each_prompt():
    strong, weak, voter = make.make_model(), make.make_model(), make.make_voter()
    competition = make.make_competition()
    rated(competition.category, strong, 1300)
    rated(competition.category, weak, 1000)
    pairs = []
    for _ in range(7):
        prompt = make.make_prompt(competition)
        pairs.append((make.make_entry(prompt, strong), make.make_entry(prompt, weak)))
    answers = ("left", "left", "right", "tie", "right", "both_bad", "left")
    votes = [vote(voter, *images, outcome) for images, outcome in zip(pairs, answers, strict=True)]
    clear_process_caches()

    def liked() -> list[Entry]:
        fresh = Vote.objects.select_related("battle__left", "battle__right", "battle__prompt")
        return list(taste.liked(competition.category, [fresh.get(pk=row.pk) for row in votes]))

    expected = [pairs[2][1], pairs[4][1], pairs[0][0], pairs[1][0], pairs[6][0]]
    assert liked() == expected[:4]
    Entry.objects.filter(pk=expected[0].pk).update(retired_at=timezone.now())
    assert liked() == expected[1:]
    Entry.objects.filter(pk=expected[1].pk).update(hidden_at=timezone.now())
    assert liked() == expected[2:]
