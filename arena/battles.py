"""Serving battles and casting votes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from random import SystemRandom

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone

from . import matchmaking, pairing
from .models import Battle, Category, Competition, Vote, Voter, new_token

_random = SystemRandom()


class VoteRejected(Exception):
    """A vote or skip that was not taken; the message tells the voter what to do."""


class AlreadyVoted(VoteRejected):
    """Another answer stands. It was given before the names were shown, so it cannot be changed after."""


class BattleExpired(VoteRejected):
    pass


class BattleSkipped(VoteRejected):
    pass


class Withdrawn(VoteRejected):
    """One of its images was retired or hidden after the battle was assigned."""


class NotYet(VoteRejected):
    """Another battle is on the voter's screen and waits for its answer."""


def serve(voter: Voter, category: Category) -> Battle | None:
    """The battle this voter has to answer next in the category, shown from now on; None when no pair is left.

    A battle that is still owed comes back, with a new life when it had expired: reloading never draws another pair.
    """
    with _turn_of(voter):
        battle = _owed(voter, category).first() or next(iter(_draw(voter, category, 1)), None)
        if battle is not None and battle.is_expired:
            _renew(battle, shown=True)
        elif battle is not None and battle.served_at is None:
            _start(battle)
        return battle


def ahead(voter: Voter, category: Category, after: Battle, count: int) -> list[Battle]:
    """The next `count` battles after this one, for a browser to load before they are asked for; fewer at the end.

    They are assigned, with addresses of their own, but not shown: nothing counts them, and no clock runs. Whoever
    casts a vote asks for them first, so that no pair can depend on the vote before it.
    """
    with _turn_of(voter):
        waiting = list(_owed(voter, category).filter(served_at=None).exclude(pk=after.pk)[:count])
        for battle in waiting:
            if battle.is_expired:
                _renew(battle, shown=False)
        following = [battle.pk for battle in waiting + _draw(voter, category, count - len(waiting))]
    rows = Battle.objects.select_related("prompt__competition", "left", "right").in_bulk(following)
    return [rows[pk] for pk in following]


def show(battle: Battle) -> None:
    """An assigned battle has come to the voter's screen: its time runs from now on. Again, nothing changes.

    Raises BattleExpired, AlreadyVoted, BattleSkipped, Withdrawn, and NotYet while another shown battle of the category
    is owed: looking ahead must not become choosing.
    """
    with _turn_of(battle.voter):
        # Locked, and its vote read afterwards: a quick answer that is being stored has come before us or comes after.
        current = Battle.objects.select_for_update(no_key=True).get(pk=battle.pk)
        if hasattr(current, "vote") or current.skipped_at is not None or current.is_expired:
            raise closed_reason(current)
        if current.served_at is None:
            category = current.prompt.competition.category
            if not _owed(battle.voter, category).filter(pk=battle.pk).exists():
                raise Withdrawn("This pair has been withdrawn. Take the next one.")
            if _owed(battle.voter, category).exclude(served_at=None).exists():
                raise NotYet("Another pair waits for your answer first.")
            _start(current)
        battle.served_at, battle.expires_at = current.served_at, current.expires_at


@contextmanager
def _turn_of(voter: Voter) -> Iterator[None]:
    """The voter's row is locked, so two tabs that ask at once get the same battles.

    Not its key: a vote on a battle that is drawn beside it refers to the voter, and would wait for us while we wait for
    its battle.
    """
    with transaction.atomic():
        Voter.objects.select_for_update(no_key=True).get(pk=voter.pk)
        yield


def _owed(voter: Voter, category: Category) -> QuerySet[Battle]:
    """In the order in which they are to be answered: what was shown, then what was assigned first."""
    open_now = Competition.objects.open().filter(category=category)
    rows: QuerySet[Battle] = Battle.objects.owed().filter(voter=voter, prompt__competition__in=open_now)
    return rows.order_by(F("served_at").asc(nulls_last=True), "expires_at")


def _draw(voter: Voter, category: Category, count: int) -> list[Battle]:
    """Assign up to `count` pairs that this voter has not met."""
    if count <= 0:
        return []
    met = voter.battles.filter(prompt__competition__category=category).values_list("left", "right")
    seen = {frozenset(pair) for pair in met}
    battles: list[Battle] = []
    while len(battles) < count and (drawn := matchmaking.draw(pairing.pool(category), seen, _random)) is not None:
        seen.add(frozenset((drawn.left, drawn.right)))
        battles.append(
            voter.battles.create(
                prompt_id=drawn.prompt,
                left_id=drawn.left,
                right_id=drawn.right,
                probability=drawn.probability,
                served_at=None,
                expires_at=timezone.now() + _lifetime(),
            )
        )
    return battles


def _start(battle: Battle) -> None:
    battle.served_at = timezone.now()
    battle.expires_at = battle.served_at + _lifetime()
    battle.save(update_fields=["served_at", "expires_at"])


def _renew(battle: Battle, *, shown: bool) -> None:
    """The same pair and sides, but new tokens: the old image addresses stay dead."""
    now = timezone.now()
    battle.served_at, battle.expires_at = now if shown else None, now + _lifetime()
    battle.left_token, battle.right_token = new_token(), new_token()
    battle.save(update_fields=["served_at", "expires_at", "left_token", "right_token"])


def _lifetime() -> timedelta:
    return timedelta(seconds=settings.BATTLE_LIFETIME)


def closed_reason(battle: Battle) -> VoteRejected:
    """Why this battle takes no answer any more."""
    vote: Vote | None = getattr(battle, "vote", None)
    if vote is not None:
        return AlreadyVoted(f"You already answered “{vote.get_outcome_display()}”. The first answer counts.")
    if battle.skipped_at is not None:
        return BattleSkipped("You skipped this pair. Take the next one.")
    return BattleExpired("This pair was open for too long and has expired. Take it again from the arena.")


def skip(battle: Battle) -> None:
    """Put the battle aside: stored, not counted, never shown to this voter again. Raises AlreadyVoted."""
    with transaction.atomic():
        locked = Battle.objects.select_for_update().get(pk=battle.pk)
        if Vote.objects.filter(battle=locked).exists():
            raise AlreadyVoted("You already voted on this pair; a vote cannot be skipped.")
        if locked.skipped_at is None:
            locked.skipped_at = timezone.now()
            locked.save(update_fields=["skipped_at"])
