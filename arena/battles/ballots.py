"""A pair for a browser that has no voter's cookie yet: shown without a row in the database.

Most who open a page with a pair never vote, and many are no people. So the pair is drawn as for a new voter and travels
in a cookie, encrypted, because entries have plain numbers that public pages put beside names. The browser that sends it
back – with a vote, a skip, a report, a look at the battle's own page – becomes a voter, and the ballot that voter's
battle. The cookie binds: one browser gets the same ballot until it is used or too old, and nobody can cast another's.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import struct
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random, SystemRandom

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext

from arena import battle_ids, battles, matchmaking
from arena.battles import fetches, newcomers, rows
from arena.battles.competition_choice import ALL, CompetitionChoice
from arena.integrity import networks
from arena.integrity.networks import Network
from arena.models import Battle, Category

COOKIE = "ballot-"  # and the category's id, then the competition's if one was chosen
_PACKED = struct.Struct(">16sIQQQdd16s16s")
_random = SystemRandom()


class BadBallot(Exception):
    """A ballot that cannot be used; the message says what to do instead."""

    status = 410


class TooManyVoters(BadBallot):
    """The browser's network has had too many new voters within an hour."""

    status = 429


@dataclass(frozen=True, slots=True)
class Ballot:
    """A pair that is on a stranger's screen, with the id and the image tokens that its battle will have."""

    battle: uuid.UUID
    category: int
    prompt: int
    left: int
    right: int
    probability: float
    drawn_at: float  # seconds since 1970
    left_token: str
    right_token: str

    @property
    def as_battle(self) -> Battle:
        """The battle it will be, not stored."""
        served_at = datetime.fromtimestamp(self.drawn_at, UTC)
        return Battle(
            id=self.battle,
            prompt_id=self.prompt,
            left_id=self.left,
            right_id=self.right,
            left_token=self.left_token,
            right_token=self.right_token,
            probability=self.probability,
            served_at=served_at,
            expires_at=served_at + battles.lifetime(),
        )


def of_browser(
    request: HttpRequest, category: Category, choice: CompetitionChoice = ALL
) -> tuple[Ballot, rows.BattleRow] | None:
    """The browser's ballot of this category or competition, drawn if it has none, with what its page shows; None when
    there is nothing to vote on. `remember` must put it on the response."""
    known = _from_cookie(request, f"{COOKIE}{category.pk}{choice.cookie_suffix}")
    if known is not None and (row := rows.row_of_unsaved(known.as_battle)) is not None:
        return known, row
    drawn = draw(category, networks.of(request), choice)
    if drawn is not None and (row := rows.row_of_unsaved(drawn.as_battle)) is not None:
        return drawn, row
    return None


def draw(category: Category, network: Network = networks.UNKNOWN, choice: CompetitionChoice = ALL) -> Ballot | None:
    """A pair as a new voter would get it; None when there is nothing to vote on.

    One network gets a limited number of different pairs within an hour: later looks draw among the same ones. So nobody
    is sent away, and nobody can look until a certain model comes.
    """
    random = _random_of(network, category, choice) if network.address and settings.NETWORK_BALLOTS else _random
    drawn = matchmaking.draw(choice.pool(category.pk), matchmaking.NOTHING_MET, random)
    if drawn is None:
        return None
    now, battle = timezone.now().timestamp(), battle_ids.new_id()
    return Ballot(
        battle=battle,
        category=category.pk,
        prompt=drawn.prompt,
        left=drawn.left,
        right=drawn.right,
        probability=drawn.probability,
        drawn_at=now,
        left_token=battle_ids.new_token(battle),
        right_token=battle_ids.new_token(battle),
    )


def _random_of(network: Network, category: Category, choice: CompetitionChoice) -> Random:
    hour = int(timezone.now().timestamp() // 3600)
    slot = _random.randrange(settings.NETWORK_BALLOTS)
    text = f"{network.address} {hour} {category.pk}{choice.cookie_suffix} {slot}"
    return Random(salted_hmac("arena.ballots.slot", text, algorithm="sha256").digest())  # noqa: S311 - keyed


def seal(ballot: Ballot) -> str:
    """The ballot as an encrypted, signed text for a form field, which `unseal` reads back."""
    tokens = (base64.urlsafe_b64decode(f"{token}==") for token in (ballot.left_token, ballot.right_token))
    packed = _PACKED.pack(
        ballot.battle.bytes, ballot.category, ballot.prompt, ballot.left, ballot.right, ballot.probability,
        ballot.drawn_at, *tokens,
    )  # fmt: skip
    return _box().encrypt(packed).decode()


def unseal(text: str) -> Ballot:
    """Raises BadBallot for what we did not write, and for what is older than a battle may be."""
    try:
        battle, *numbers, left, right = _PACKED.unpack(_box().decrypt(text.encode(), ttl=settings.BATTLE_LIFETIME))
    except (InvalidToken, struct.error):
        raise BadBallot(gettext("This pair is too old or was changed on its way. Take a new one.")) from None
    return Ballot(*(uuid.UUID(bytes=battle), *numbers, _token(left), _token(right)))


def remember(response: HttpResponseBase, request: HttpRequest, ballot: Ballot, choice: CompetitionChoice = ALL) -> None:
    """Give the browser its ballot of the `choice`, unless it has it already."""
    name = f"{COOKIE}{ballot.category}{choice.cookie_suffix}"
    known = _from_cookie(request, name)
    if known is None or known.battle != ballot.battle:
        response.set_cookie(
            name,
            seal(ballot),
            max_age=settings.BATTLE_LIFETIME,
            httponly=True,
            samesite="Lax",
            secure=settings.SESSION_COOKIE_SECURE,
        )


def forget(response: HttpResponseBase, request: HttpRequest, ballot: Ballot) -> None:
    """Take the category's ballots away: this one is a battle now, and the voter gets no other by them."""
    name = f"{COOKIE}{ballot.category}"
    for known in request.COOKIES:
        if known == name or known.startswith(f"{name}-"):
            response.delete_cookie(known, samesite="Lax")


def find(request: HttpRequest, battle: uuid.UUID) -> Ballot | None:
    """The browser's ballot with this battle's id."""
    return next((ballot for ballot in _all(request) if ballot.battle == battle), None)


def entry_of_token(request: HttpRequest, token: str) -> int | None:
    """The entry that a ballot of this browser shows under an image token."""
    for ballot in _all(request):
        for known, entry in ((ballot.left_token, ballot.left), (ballot.right_token, ballot.right)):
            if secrets.compare_digest(known, token):
                return entry
    return None


def adopt(request: HttpRequest, ballot: Ballot) -> int:
    """Make a ballot of this browser (`find`) the battle of a new voter, whose id is returned; again, the same voter.

    Raises BadBallot when its images are not voted on any more, TooManyVoters.
    """
    battle = ballot.as_battle
    battle.left_fetched_at, battle.right_fetched_at = fetches.of_ballot(battle)
    adopted = newcomers.create_with_voter(battle, ballot.category, networks.of(request))
    if adopted.is_full:
        raise TooManyVoters(
            gettext(
                "Many new voters have come from your network within an hour, and no more are taken for now. Come back "
                "in an hour; this does not concern those who have voted before."
            )
        )
    if adopted.voter is None:
        raise BadBallot(gettext("This pair is not voted on any more. Take a new one."))
    return adopted.voter


def _all(request: HttpRequest) -> Iterator[Ballot]:
    for name in [name for name in request.COOKIES if name.startswith(COOKIE)][:20]:
        ballot = _from_cookie(request, name)
        if ballot is not None:
            yield ballot


def _from_cookie(request: HttpRequest, name: str) -> Ballot | None:
    try:
        return unseal(request.COOKIES[name])
    except (KeyError, BadBallot):
        return None


def _token(random_bytes: bytes) -> str:
    return base64.urlsafe_b64encode(random_bytes).rstrip(b"=").decode()


def _box() -> MultiFernet:
    """Keys of its own from the site's secret and, while that is being changed, its old ones."""
    secret_keys = (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)
    digests = (hashlib.sha256(f"arena.ballots.ballot:{key}".encode()).digest() for key in secret_keys)
    return MultiFernet([Fernet(base64.urlsafe_b64encode(digest)) for digest in digests])
