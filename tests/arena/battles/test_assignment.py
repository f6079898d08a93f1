"""Serving and voting: one owed battle, one vote, whatever is thrown at it."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.utils import timezone

from arena import battle_ids, battles, integrity, voting
from arena.battles import skips, voter_state
from arena.models import Battle, Tally, Vote, VoterProgress
from arena.voters import progress as voter_progress
from tests import factories as make


@pytest.fixture
def category():
    """Two prompts, three models: six battles."""
    category = make.make_category()
    competition = make.make_competition(category)
    models = [make.make_model() for _ in range(3)]
    for _ in range(2):
        prompt = make.make_prompt(competition)
        for model in models:
            make.make_entry(prompt, model)
    return category


def ahead(battle, count):
    return battles.ahead(voter_state.look_at(battle.voter_id, battle.pk), count)


def show(battle):
    voter = Battle.objects.get(pk=battle.pk).voter_id
    return battles.show(voter_state.look_at(voter, battle.pk))


def together(count, action):
    """Run `action` in `count` threads that start at the same moment; each has its own connection."""
    barrier = threading.Barrier(count)

    def one(number):
        try:
            barrier.wait()
            return action(number)
        finally:
            connection.close()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


@pytest.mark.django_db
def test_reloading_gives_the_same_battle_until_it_is_answered(category):
    voter = make.make_voter()
    first = battles.serve(voter, category)
    assert battles.serve(voter, category) == first
    voting.cast_vote(first, "tie")
    assert battles.serve(voter, category) != first


@pytest.mark.django_db
def test_a_voter_sees_every_pair_once_and_then_none(category):
    voter, pairs = make.make_voter(), set()
    while (battle := battles.serve(voter, category)) is not None:
        pairs.add(frozenset((battle.left_id, battle.right_id)))
        if len(pairs) % 2:
            voting.cast_vote(battle, "left")
        else:
            skips.skip(battle)
    assert len(pairs) == 6
    assert voter_progress.of(voter, category) == voter_progress.Progress(votes=3, seen=6, available=6)


@pytest.mark.django_db
def test_an_expired_battle_comes_back_with_new_addresses_but_the_same_images(category):
    voter = make.make_voter()
    battle = battles.serve(voter, category)
    old = timezone.now() - timedelta(hours=2)
    Battle.objects.update(served_at=old, expires_at=old + timedelta(hours=1))
    with pytest.raises(battles.BattleExpired):
        voting.cast_vote(battle, "left")
    again = battles.serve(voter, category)
    assert (again.pk, again.left_id, again.right_id) == (battle.pk, battle.left_id, battle.right_id)
    assert {again.left_token, again.right_token}.isdisjoint({battle.left_token, battle.right_token})
    voting.cast_vote(again, "left")
    assert Vote.objects.get().decision_time < timedelta(minutes=1)


@pytest.mark.django_db
def test_battles_assigned_ahead_are_not_shown_and_come_in_their_order(category):
    voter = make.make_voter()
    first = battles.serve(voter, category)
    following = ahead(first, 2)
    assert ahead(first, 2) == following
    assert [row.served_at for row in following] == [None, None]
    assert battles.serve(voter, category) == first
    assert voter_progress.of(voter, category).seen == 0
    voting.cast_vote(first, "left")
    assert battles.serve(voter, category).pk == following[0].pk
    assert voter_progress.of(voter, category).seen == 1


@pytest.mark.django_db
def test_the_decision_time_of_a_battle_starts_when_it_is_shown(category):
    voter = make.make_voter()
    first = battles.serve(voter, category)
    (second,) = ahead(first, 1)
    almost = timezone.now() + timedelta(seconds=5)
    Battle.objects.filter(pk=second.pk).update(expires_at=almost)  # it has waited for nearly its whole life
    skips.skip(first)
    show(second)
    show(second)
    assert Battle.objects.get(pk=second.pk).expires_at > almost + timedelta(minutes=30)
    Battle.objects.filter(pk=second.pk).update(served_at=timezone.now() - timedelta(seconds=40))
    voting.cast_vote(second, "left")
    assert timedelta(seconds=30) < Vote.objects.get().decision_time < timedelta(minutes=5)


@pytest.mark.django_db
def test_a_vote_whose_showing_was_never_reported_has_no_decision_time(category):
    voter = make.make_voter()
    (second,) = ahead(battles.serve(voter, category), 1)
    voting.cast_vote(second, "left")
    assert Vote.objects.get().decision_time is None


@pytest.mark.django_db
def test_looking_ahead_is_no_way_to_choose(category):
    voter = make.make_voter()
    first = battles.serve(voter, category)
    (second,) = ahead(first, 1)
    with pytest.raises(battles.NotYet):
        show(second)
    voting.cast_vote(first, "tie")
    show(second)
    with pytest.raises(battles.AlreadyVoted):
        show(first)


@pytest.mark.django_db
def test_a_battle_that_expires_before_it_is_shown_gets_new_addresses(category):
    voter = make.make_voter()
    first = battles.serve(voter, category)
    (second,) = ahead(first, 1)
    Battle.objects.filter(pk=second.pk).update(expires_at=timezone.now())
    skips.skip(first)
    with pytest.raises(battles.BattleExpired):
        show(second)
    third = ahead(first, 1)[0]
    assert third.pk == second.pk
    assert third.served_at is None
    assert {third.left.token, third.right.token}.isdisjoint({second.left.token, second.right.token})


@pytest.mark.django_db
def test_retired_images_and_closed_competitions_are_not_served(category):
    voter = make.make_voter()
    battle = battles.serve(voter, category)
    battle.left.retired_at = timezone.now()
    battle.left.save(update_fields=["retired_at"])
    fresh = battles.serve(voter, category)
    assert battle.left_id not in (fresh.left_id, fresh.right_id)
    category.competitions.update(closes_at=timezone.now())
    assert battles.serve(voter, category) is None


@pytest.mark.django_db
def test_a_vote_moves_exactly_one_tally_and_keeps_the_sides():
    battle = make.make_battle()
    voting.cast_vote(battle, "right")
    tally = Tally.objects.get()
    assert (tally.left_model, tally.right_model) == (battle.left.image_model, battle.right.image_model)
    assert (tally.outcome, tally.n, tally.category) == ("right", 1, battle.prompt.competition.category)
    vote = Vote.objects.get()
    assert (vote.voter, vote.left_model, vote.right_model) == (battle.voter, tally.left_model, tally.right_model)


@pytest.mark.django_db
def test_the_first_answer_stands():
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    voting.cast_vote(battle, "left")
    with pytest.raises(battles.AlreadyVoted, match="A is better"):
        voting.cast_vote(battle, "right")
    with pytest.raises(battles.AlreadyVoted):
        skips.skip(battle)
    assert [vote.outcome for vote in Vote.objects.all()] == ["left"]
    assert Tally.objects.get().n == 1


@pytest.mark.django_db
def test_a_skip_is_stored_and_is_no_vote():
    battle = make.make_battle()
    skips.skip(battle)
    skips.skip(battle)
    with pytest.raises(battles.BattleSkipped):
        voting.cast_vote(battle, "left")
    assert not Vote.objects.exists()
    assert not Tally.objects.exists()


@pytest.mark.django_db
def test_an_outcome_that_does_not_exist_says_which_do():
    with pytest.raises(ValueError, match="left, right, tie, both_bad"):
        voting.cast_vote(make.make_battle(), "skip")


@pytest.mark.django_db(transaction=True)
def test_sixteen_votes_at_once_are_one_vote():
    battle = make.make_battle()
    outcomes = ["left", "right", "tie", "both_bad"] * 4

    def vote(number):
        try:
            voting.cast_vote(battle, outcomes[number])
        except battles.AlreadyVoted:
            return False
        return True

    taken = together(16, vote)
    stored = Vote.objects.get().outcome
    assert [outcomes[number] for number, ok in enumerate(taken) if ok] == [stored] * 4
    assert Tally.objects.get().n == 1


@pytest.mark.django_db(transaction=True)
def test_votes_shows_skips_and_draws_of_one_voter_at_once_wait_for_nobody_in_a_circle(category):
    """Every writer locks the battle first and the voter's progress then; a deadlock would be an OperationalError."""
    voter = make.make_voter()
    for _ in range(3):
        first = battles.serve(voter, category)
        if first is None:
            break
        rows = [first, *ahead(first, 2)]

        def act(number, rows=rows):
            battle = rows[number % len(rows)]
            with suppress(battles.VoteRejected):
                if number % 4 == 0:
                    voting.cast_vote(rows[0], "left")
                elif number % 4 == 1:
                    skips.skip(battle)
                elif number % 4 == 2:
                    show(battle)
                else:
                    battles.serve(voter, category)

        together(12, act)
    assert integrity.progress_differences() == []
    assert integrity.image_differences() == []


@pytest.mark.django_db(transaction=True)
def test_a_vote_and_a_skip_at_once_cannot_both_win():
    for _ in range(10):
        battle = make.make_battle()

        def answer(number, battle=battle):
            try:
                if number % 2:
                    skips.skip(battle)
                else:
                    voting.cast_vote(battle, "left")
            except battles.VoteRejected:
                return False
            return True

        together(4, answer)
        battle.refresh_from_db()
        assert Vote.objects.filter(battle=battle).exists() == (battle.skipped_at is None)


@pytest.mark.django_db(transaction=True)
def test_votes_on_one_cell_from_many_sides_lose_no_count():
    one, other = make.make_entry(), None
    other = make.make_entry(one.prompt)
    rows = [make.make_battle(left=one, right=other) for _ in range(24)]
    together(8, lambda number: [voting.cast_vote(row, "left") for row in rows[number::8]])
    assert Tally.objects.get().n == 24


@pytest.mark.django_db(transaction=True)
def test_two_tabs_that_ask_at_once_get_the_same_battle(category):
    voter = make.make_voter()
    served = together(6, lambda _: battles.serve(voter, category))
    assert len({battle.pk for battle in served}) == 1
    assert Battle.objects.count() == 1
    following = together(6, lambda _: [battle.pk for battle in ahead(served[0], 2)])
    assert all(battle == following[0] for battle in following)
    assert Battle.objects.count() == 3


@pytest.mark.django_db
def test_battles_assigned_together_keep_their_order_however_postgres_reads_them(category, monkeypatch):
    """They share their times, so neither the order on disk nor that of their ids may decide what comes next."""
    voter = make.make_voter()
    first = battles.serve(voter, category)
    ids = iter(sorted((battle_ids.new_id() for _ in range(4)), reverse=True))
    monkeypatch.setattr(battle_ids, "new_id", lambda: next(ids))
    following = [row.pk for row in ahead(first, 4)]
    for off in ((), ("seqscan",), ("seqscan", "bitmapscan"), ("indexscan", "bitmapscan")):
        with transaction.atomic(), connection.cursor() as cursor:
            for scan in off:
                cursor.execute(f"SET LOCAL enable_{scan} = off")
            assert [row.pk for row in voter_state.look_at(voter.pk, first.pk).waiting] == following
            assert [row.pk for row in voter_state.look_for(voter.pk, category.pk).waiting] == [first.pk, *following]
            assert voter_state.rebuild_progress(voter.pk, category.pk).waiting == [first.pk, *following]


@pytest.mark.django_db
def test_a_made_battles_progress_is_what_a_recount_finds():
    """Tests' own battles of new voters are stored without the recount."""
    battle = make.make_battle()
    fields = [field.name for field in VoterProgress._meta.fields if field.name not in ("pk", "turn")]
    made = VoterProgress.objects.values(*fields).get(voter=battle.voter)
    voter_state.rebuild_progress(battle.voter_id, battle.prompt.competition.category_id)
    assert made == VoterProgress.objects.values(*fields).get(voter=battle.voter)
    assert made["waiting"] == [battle.pk]
