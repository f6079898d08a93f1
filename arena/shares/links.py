"""Sharing an answered pair or a finished round, and the answers of those who open the link."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.core import signing
from django.db.models import F
from django.http import HttpRequest, HttpResponseBase

from arena.battles import rows
from arena.battles.rows import BattleRow
from arena.models import Battle, Entry, Outcome, Share, SharedAnswer

COOKIE = "share-"  # and the share's token
_SALT = "arena.shares"
_SECONDS = 30 * 24 * 3600


def share(voter: int, answered: Sequence[UUID]) -> Share:
    """The voter's link to these battles of theirs; the same link when they share them again."""
    return Share.objects.get_or_create(voter_id=voter, battles=list(answered))[0]


def battle_of(link: Share, number: int) -> Battle | None:
    """The battle of this number, from 1, with its vote; None when there is none."""
    if not 0 < number <= len(link.battles):
        return None
    shared = Battle.objects.select_related("vote", "left", "right", "prompt__competition__category")
    return shared.filter(pk=link.battles[number - 1]).first()


def shown_entries(link: Share) -> list[Entry]:
    """On its card: both images of a pair, the preferred ones of a round; without those that were taken away."""
    numbers = range(1, len(link.battles) + 1)
    pairs = [battle for number in numbers if (battle := battle_of(link, number)) is not None]
    return [
        entry
        for battle in pairs
        for entry in (
            (battle.left, battle.right)
            if len(pairs) == 1
            else (battle.right if battle.vote.outcome == Outcome.RIGHT else battle.left,)
        )
        if entry.hidden_at is None and entry.retired_at is None
    ]


def row_of(battle: Battle) -> BattleRow | None:
    """What its page shows; None when its images are not voted on any more."""
    return rows.row_of_unsaved(battle, with_makers=True)


def answers(request: HttpRequest, link: Share) -> list[str]:
    """This browser's answers to the share's pairs, in their order."""
    cookie = request.COOKIES.get(f"{COOKIE}{link.token}", "")
    try:
        given = signing.loads(cookie, salt=_SALT + link.token, max_age=_SECONDS)
    except signing.BadSignature:
        return []
    known = isinstance(given, list) and all(outcome in Outcome.values for outcome in given)
    return given[: len(link.battles)] if known else []


def answer(link: Share, battle: Battle, outcome: str) -> None:
    """Count a visitor's answer. Raises ValueError for an outcome that does not exist."""
    if outcome not in Outcome.values:
        raise ValueError(f"“{outcome}” is not an outcome. Choose one of: {', '.join(Outcome.values)}.")
    counted, is_new = SharedAnswer.objects.get_or_create(share=link, battle=battle, outcome=outcome, defaults={"n": 1})
    if not is_new:
        SharedAnswer.objects.filter(pk=counted.pk).update(n=F("n") + 1)


def remember(response: HttpResponseBase, request: HttpRequest, link: Share, given: list[str]) -> None:
    """Give the browser its answers: with them the names stay shown."""
    response.set_cookie(
        f"{COOKIE}{link.token}",
        signing.dumps(given, salt=_SALT + link.token),
        max_age=_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure(),
    )
