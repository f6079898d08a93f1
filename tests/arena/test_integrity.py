"""Which votes count: the cap, exclusion and its way back, and tallies that agree at every step."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest
from django.db.models import Count, Sum
from django.db.models.functions import TruncDate
from django.utils import timezone

from arena import integrity, vote_cap, voting
from arena.integrity import caps, rules
from arena.models import ImageTally, Tally, Vote, VoterProgress
from arena.voting import recount
from leaderboard.board import pair_counts
from tests import factories as make
from tests.arena.battles.test_assignment import together


def votes(count, voter=None, left=None, right=None):
    """`count` votes on one pair of images, by one voter each or all by `voter`; their ids."""
    left = left or make.make_entry()
    right = right or make.make_entry(left.prompt)
    ids = []
    for number in range(count):
        one, other = (left, right) if number % 2 else (right, left)
        if voter is not None and number:
            one, other = make.make_entry(left.prompt, None), make.make_entry(left.prompt, None)
        battle = make.make_battle(voter=voter, left=one, right=other)
        voting.cast_vote(battle, ("left", "right", "tie", "both_bad")[number % 4])
        ids.append(battle.pk)
    return ids


def counted():
    return Tally.objects.aggregate(n=Sum("n"))["n"] or 0


@pytest.mark.django_db
def test_a_vote_beyond_the_cap_is_stored_but_does_not_count(monkeypatch):
    monkeypatch.setattr(vote_cap, "FLOOR", 3)
    voter = make.make_voter()
    ids = votes(5, voter)
    beyond = Vote.objects.filter(excluded_rule=rules.CAP.name)
    assert {vote.pk for vote in beyond} == set(ids[3:])
    assert {vote.excluded_reason for vote in beyond} == {caps.reason(3)}
    assert counted() == 3
    assert pair_counts.check() == 0


@pytest.mark.django_db
def test_the_cap_is_per_voter_and_category_and_old_votes_leave_its_window(monkeypatch):
    monkeypatch.setattr(vote_cap, "FLOOR", 2)
    voter, other = make.make_voter(), make.make_voter()
    votes(2, voter)
    votes(2, other)
    editing = make.make_entry(make.make_prompt(make.make_competition(make.make_category("other-category"))))
    votes(1, voter, left=editing)
    assert not Vote.objects.exclude(excluded_reason="").exists()
    votes(1, voter)
    assert Vote.objects.exclude(excluded_reason="").count() == 1
    Vote.objects.filter(voter=voter).update(
        cast_at=Vote.objects.latest("cast_at").cast_at - timedelta(days=caps.DAYS, hours=1)
    )
    votes(1, voter)
    assert Vote.objects.exclude(excluded_reason="").count() == 1


@pytest.mark.django_db
def test_exclusion_moves_the_tallies_and_inclusion_brings_them_back_exactly():
    ids = votes(6)
    before = set(Tally.objects.values_list("category", "day", "left_model", "right_model", "outcome", "n"))
    assert integrity.exclude(ids[:4], "clicked left all night", "side-1") == 4
    assert integrity.exclude(ids[:4], "again", "other-1") == 0
    assert set(Vote.objects.filter(pk__in=ids[:4]).values_list("excluded_rule", flat=True)) == {"side-1"}
    assert counted() == 2
    assert pair_counts.check() == 0
    assert integrity.include(ids, rule="other-1") == 0
    assert integrity.include(ids, rule="side-1") == 4
    assert integrity.include(ids) == 0
    assert set(Tally.objects.values_list("category", "day", "left_model", "right_model", "outcome", "n")) == before
    assert pair_counts.check() == 0


@pytest.mark.django_db
def test_exclusion_and_inclusion_move_the_image_tallies_too():
    ids = votes(6)
    before = list(ImageTally.objects.values_list("low_wins", "high_wins", "ties", "both_bad"))
    assert integrity.image_differences() == []
    integrity.exclude(ids[:4], "clicked left all night", "side-1")
    assert sum(ImageTally.objects.values_list("low_wins", "high_wins", "ties", "both_bad").get()) == 2
    assert integrity.image_differences() == []
    integrity.include(ids)
    assert list(ImageTally.objects.values_list("low_wins", "high_wins", "ties", "both_bad")) == before


@pytest.mark.django_db
def test_a_recount_finds_what_is_wrong_and_puts_it_right():
    voter = make.make_voter()
    votes(4, voter)
    assert recount.check() == 0
    right = set(ImageTally.objects.values_list("low", "low_wins", "high_wins", "ties", "both_bad"))
    wrong = ImageTally.objects.first()
    ImageTally.objects.filter(pk=wrong.pk).update(ties=9)
    ImageTally.objects.exclude(pk=wrong.pk).first().delete()
    VoterProgress.objects.filter(voter=voter).update(votes=1, met=bytes(8))
    assert recount.check() == 3
    assert set(ImageTally.objects.values_list("low", "low_wins", "high_wins", "ties", "both_bad")) == right
    assert VoterProgress.objects.get(voter=voter).votes == 4
    assert recount.check() == 0


@pytest.mark.django_db
def test_an_exclusion_without_reason_or_rule_is_refused():
    for reason, rule in (("", "side-1"), ("because", "")):
        with pytest.raises(ValueError, match="names its reason"):
            integrity.exclude([], reason, rule)


@pytest.mark.django_db
def test_one_model_against_itself_is_in_no_tally_and_excluding_it_moves_none():
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    Vote.objects.update(right_model=battle.left.image_model)
    Tally.objects.all().delete()
    assert integrity.exclude([battle.pk], "same model", "same-1") == 1
    assert integrity.include([battle.pk]) == 1
    assert pair_counts.check() == 0


@pytest.mark.django_db
def test_any_sequence_of_exclusions_and_inclusions_leaves_tallies_that_agree():
    random, ids = Random(4), votes(8)
    for _ in range(60):
        some = random.sample(ids, random.randint(0, 8))
        rule = random.choice(["a-1", "b-1"])
        if random.random() < 0.5:
            integrity.exclude(some, "a test", rule)
        else:
            integrity.include(some, random.choice([rule, ""]))
        assert pair_counts.check() == 0
        assert Vote.objects.counted().count() == counted()


@pytest.mark.django_db(transaction=True)
def test_votes_and_exclusions_at_once_lose_no_count():
    left = make.make_entry()
    right = make.make_entry(left.prompt)
    old = votes(12, left=left, right=right)
    fresh = [make.make_battle(left=left, right=right) for _ in range(12)]

    def act(number):
        for turn in range(3):
            if number % 3 == 0:
                voting.cast_vote(fresh[number + turn], "left")
            elif number % 3 == 1:
                integrity.exclude(old[number::2], "a test", "a-1")
            else:
                integrity.include(old[: number + 2])

    together(9, act)
    assert pair_counts.check() == 0
    assert counted() == Vote.objects.counted().count()


def move_back(some, days: int) -> None:
    """As if these votes had been cast so long ago, on a day that is not the first of its month."""
    old = (timezone.now() - timedelta(days=days)).replace(day=17)
    Vote.objects.filter(pk__in=some).update(cast_at=old)
    key = ("category_id", "left_model_id", "right_model_id", "outcome", "day")
    rows = Vote.objects.annotate(day=TruncDate("cast_at")).values(*key).annotate(n=Count("*")).order_by()
    Tally.objects.all().delete()
    Tally.objects.bulk_create(Tally(**row) for row in rows)


@pytest.mark.django_db
def test_old_days_become_months_whose_votes_can_still_be_excluded_and_come_back():
    ids = votes(8)
    move_back(ids[:6], days=400)
    category = Vote.objects.get(pk=ids[0]).category
    before, state = pair_counts.counts(category).rows(), pair_counts.state(category)
    today = timezone.now().date()
    integrity.roll_up(today)
    integrity.roll_up(today)
    assert set(Tally.objects.filter(day__lt=integrity.first_daily(today)).values_list("day__day", flat=True)) == {1}
    assert (pair_counts.counts(category).rows(), pair_counts.state(category)) == (before, state)
    assert pair_counts.check() == 0
    since = today - timedelta(days=89)
    assert sum(n for *_, n in pair_counts.cells(category, since)) == 2
    random = Random(5)
    for turn in range(40):
        some = random.sample(ids, random.randint(0, 8))
        if random.random() < 0.5:
            integrity.exclude(some, "a test", "a-1")
        else:
            integrity.include(some)
        if turn % 7 == 0:
            integrity.roll_up(today)
        assert pair_counts.check() == 0
        assert Vote.objects.counted().count() == counted()


@pytest.mark.django_db(transaction=True)
def test_rolling_up_beside_votes_exclusions_and_readers_loses_no_count():
    left = make.make_entry()
    right = make.make_entry(left.prompt)
    old = votes(12, left=left, right=right)
    move_back(old, days=400)
    fresh = [make.make_battle(left=left, right=right) for _ in range(12)]
    category, read = left.prompt.competition.category, []

    def act(number):
        for turn in range(3):
            if number % 4 == 0:
                voting.cast_vote(fresh[number + turn], "left")
            elif number % 4 == 1:
                integrity.exclude(old[number::2], "a test", "a-1")
            elif number % 4 == 2:
                integrity.include(old[: number + 2])
            else:
                integrity.roll_up(timezone.now().date())
                read.append(pair_counts.counts(category).total)

    together(9, act)
    integrity.roll_up(timezone.now().date())
    assert pair_counts.check() == 0
    assert counted() == Vote.objects.counted().count()
    assert min(read) > 0  # one of the twelve is never excluded: nobody ever saw a board without its old votes
