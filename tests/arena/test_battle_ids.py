"""Ids of battles and tokens of their images: by month, and no easier to guess for that."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta, timezone
from functools import reduce
from operator import and_, or_
from uuid import UUID, uuid4

import pytest

from arena import battle_ids, battles
from arena.battles import assignment, ballots, voter_state
from arena.models import Battle
from tests import factories as make

DECEMBER = datetime(2026, 12, 31, 23, 59, tzinfo=UTC)
LONG_AGO = datetime(2026, 6, 1, tzinfo=UTC)
RANDOM = ("dc180e74-0201-4830-b3fb-f47fe8fcb3f4", "00000000-2612-4000-8000-000000000001")


def test_ids_begin_with_their_month_and_sort_by_it():
    december = battle_ids.new_id(DECEMBER)
    january = battle_ids.new_id(DECEMBER + timedelta(minutes=1))
    assert str(december).startswith("00000000-2612-8")
    assert [battle_ids.month_of(pk) for pk in (december, january)] == ["2612", "2701"]
    assert december < january
    assert battle_ids.month_of(battle_ids.new_id()) == f"{datetime.now(UTC):%y%m}"


def test_the_month_is_that_of_greenwich_wherever_the_machine_stands():
    there = datetime(2027, 1, 1, 5, tzinfo=timezone(timedelta(hours=9)))
    assert battle_ids.month_of(battle_ids.new_id(there)) == "2612"


def test_ids_are_valid_uuids_of_version_8():
    pk = battle_ids.new_id()
    assert (pk.variant, pk.version) == ("specified in RFC 4122", 8)


def varying_bits(values: list[int]) -> int:
    """How many bits are not the same in all values."""
    return (reduce(or_, values) ^ reduce(and_, values)).bit_count()


def test_nobody_can_guess_an_id_or_a_token():
    """Of 200 values every random bit is once 0 and once 1, but for one run in 10⁵⁸."""
    pk = battle_ids.new_id()
    tokens = [battle_ids.new_token(pk) for _ in range(200)]
    assert varying_bits([battle_ids.new_id(DECEMBER).int for _ in range(200)]) == 74
    assert varying_bits([int.from_bytes(base64.urlsafe_b64decode(f"{token}==")) for token in tokens]) == 104
    assert {len(token) for token in tokens} == {22}


def test_a_token_says_between_which_ids_its_battle_is():
    december, january = battle_ids.new_id(DECEMBER), battle_ids.new_id(DECEMBER + timedelta(days=1))
    first, last = battle_ids.ids_of(battle_ids.new_token(december))
    assert first < december < last < january
    for odd in ("", "26", "²⁶¹²", "abcd", "99-9" * 4):
        assert battle_ids.ids_of(odd)[1] < battle_ids.new_id(datetime(2001, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize("pk", list(map(UUID, RANDOM)), ids=str)
def test_random_ids_of_old_battles_are_without_a_month(pk):
    assert battle_ids.month_of(pk) == battle_ids.WITHOUT_MONTH
    assert battle_ids.new_token(pk).startswith(battle_ids.WITHOUT_MONTH)


@pytest.mark.django_db
def test_served_battles_and_those_ahead_begin_with_their_month():
    prompt = make.make_prompt()
    for _ in range(3):
        make.make_entry(prompt)
    battle = battles.serve(make.make_voter(), prompt.competition.category)
    assignment.ahead(voter_state.look_at(battle.voter_id, battle.pk), 2)
    assert Battle.objects.count() == 3
    assert all(begins_with_its_month(one) for one in Battle.objects.all())
    made_by_a_test = make.make_battle()
    assert begins_with_its_month(made_by_a_test)


@pytest.mark.django_db
@pytest.mark.parametrize("pk", [battle_ids.new_id(LONG_AGO), uuid4()], ids=["with a month", "stored before"])
def test_an_expired_battle_gets_new_tokens_of_its_own_month(pk):
    battle = make.make_battle(id=pk)
    Battle.objects.update(served_at=LONG_AGO, expires_at=LONG_AGO + timedelta(hours=1))
    battles.serve(battle.voter, battle.prompt.competition.category)
    again = Battle.objects.get()
    assert again.left_token != battle.left_token
    assert again.left_token[:4] == again.right_token[:4] == battle_ids.month_of(pk)


@pytest.mark.django_db
def test_a_ballot_keeps_its_id_and_tokens_in_its_cookie():
    prompt = make.make_prompt()
    for _ in range(2):
        make.make_entry(prompt)
    ballot = ballots.draw(prompt.competition.category)
    assert begins_with_its_month(ballot.as_battle)
    assert ballots.unseal(ballots.seal(ballot)) == ballot


def begins_with_its_month(battle):
    month = f"{datetime.now(UTC):%y%m}"
    return battle_ids.month_of(battle.pk) == month == battle.left_token[:4] == battle.right_token[:4]
