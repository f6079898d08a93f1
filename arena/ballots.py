"""A pair for somebody who has not voted yet: on the start page, without a row in the database.

Most who open the start page never vote, and many are no people. So the pair is drawn as for a new voter and travels,
encrypted, in the page's own form and image addresses; with the vote it becomes a battle of a new voter. Encrypted and
not only signed, because entries have plain numbers that public pages put beside names.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import uuid
from dataclasses import dataclass
from datetime import timedelta
from random import SystemRandom

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from . import matchmaking, pairing, voting
from .models import Battle, Category, Competition, Entry, Voter

_BALLOT = struct.Struct(">16sQQQd")  # battle, prompt, left, right, probability
_IMAGE = struct.Struct(">Q")  # entry; every token has the same length and, by its random start, no two are alike
_random = SystemRandom()


class BadBallot(Exception):
    """A ballot that cannot be used; the message says what to do instead."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """A pair that nobody has been asked about yet, with the id its battle will have."""

    battle: uuid.UUID
    prompt: int
    left: int
    right: int
    probability: float


def draw(category: Category) -> Ballot | None:
    """A pair as a new voter would get it; None when there is nothing to vote on."""
    drawn = matchmaking.draw(pairing.pool(category), set(), _random)
    if drawn is None:
        return None
    return Ballot(uuid.uuid4(), drawn.prompt, drawn.left, drawn.right, drawn.probability)


def seal(ballot: Ballot) -> str:
    packed = _BALLOT.pack(ballot.battle.bytes, ballot.prompt, ballot.left, ballot.right, ballot.probability)
    return _box("ballot").encrypt(packed).decode()


def unseal(text: str) -> Ballot:
    """Raises BadBallot for what we did not write, and for what is older than a battle may be."""
    try:
        packed = _box("ballot").decrypt(text.encode(), ttl=settings.BATTLE_LIFETIME)
        battle, *rest = _BALLOT.unpack(packed)
    except (InvalidToken, struct.error):
        raise BadBallot("This pair is too old or was changed on its way. Take a new one.") from None
    return Ballot(uuid.UUID(bytes=battle), *rest)


def seal_image(entry: int) -> str:
    return _box("image").encrypt(_IMAGE.pack(entry)).decode()


def unseal_image(text: str) -> int | None:
    """The entry's id; None for what we did not write or is too old."""
    try:
        (entry,) = _IMAGE.unpack(_box("image").decrypt(text.encode(), ttl=settings.BATTLE_LIFETIME))
    except (InvalidToken, struct.error):
        return None
    return int(entry)


def cast(ballot: Ballot, voter: Voter, outcome: str) -> Battle:
    """Make the ballot the voter's battle and record the answer. The same once more changes nothing.

    Raises BadBallot when the pair is not competing any more, or the voter, or somebody else, had it already; and
    whatever `voting.cast_vote` raises.
    """
    known = Battle.objects.filter(pk=ballot.battle).first()
    if known is None:
        competing = Entry.objects.current().filter(
            pk__in=(ballot.left, ballot.right), prompt__competition__in=Competition.objects.open()
        )
        if competing.count() < 2:
            raise BadBallot("This pair is not voted on any more. Take a new one.")
        try:
            with transaction.atomic():
                known = _serve(ballot, voter)
        except IntegrityError:
            raise BadBallot("You have met this pair before. Take a new one.") from None
    if known.voter_id != voter.pk:
        raise BadBallot("Somebody else has voted on this very ballot. Take a new one.")
    voting.cast_vote(known, outcome)
    return known


def _serve(ballot: Ballot, voter: Voter) -> Battle:
    now = timezone.now()
    return Battle.objects.create(
        pk=ballot.battle,
        voter=voter,
        prompt_id=ballot.prompt,
        left_id=ballot.left,
        right_id=ballot.right,
        probability=ballot.probability,
        served_at=now,
        expires_at=now + timedelta(seconds=settings.BATTLE_LIFETIME),
    )


def _box(purpose: str) -> MultiFernet:
    """Keys of their own for each purpose, from the site's secret and, while that is being changed, its old ones."""
    secrets = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    digests = (hashlib.sha256(f"arena.ballots.{purpose}:{secret}".encode()).digest() for secret in secrets)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
