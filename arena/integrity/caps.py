"""How many of one voter's votes count in a category: the cap that keeps a few busy people from ruling a board.

The first c votes of any `DAYS` days count; c follows the board (`vote_cap.cap`) and stands in `VoteCap`. The vote's own
statement reads it there: a vote beyond it is stored, but excluded by the rule `rules.CAP`, so it is in no tally and
every later count agrees without knowing of caps. `follow` computes c again as votes come, and judges the votes that a
new c decides differently: as the board grows, those left out come in; where c falls – few voters were joined by many –
the last ones of the busiest go out. So do votes that something else let in beyond c: a process of an earlier release,
which knew another cap, or several votes of one moment. Older votes than `DAYS` stay as they are, and so do votes of
imported files, which are somebody else's study and have no cap.

Votes in flight at the same moment do not see each other, so a voter who holds n open battles can pass the cap by n − 1
until then; the site gives out one to answer and two to load ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from arena import vote_cap
from arena.models import Category, Vote, VoteCap, VoterProgress

from . import exclusion, rules

DAYS = 90
LARGE = 10_000  # votes from which a board's c is counted once in …
LARGE_SECONDS = 3600  # … so many seconds: there it moves slowly, and counting takes long

# Votes that are valid before any cap, by voter: those of an excluded voter are not.
_VALID = """
SELECT v.voter_id AS voter, count(*) AS n, count(*) FILTER (WHERE v.excluded_rule = '') AS counted FROM arena_vote v
WHERE v.category_id = %(category)s AND v.cast_at > %(since)s AND v.excluded_rule = ANY(%(rules)s)
    AND NOT EXISTS (SELECT FROM arena_voterprogress s
        WHERE s.voter_id = v.voter_id AND s.category_id = v.category_id AND s.excluded_rule <> '')
GROUP BY 1"""
_COUNT = f"SELECT coalesce(sum(n), 0)::int, count(*), coalesce(max(counted), 0) FROM ({_VALID}) valid"  # noqa: S608 - our own names
_BUSY = f"SELECT voter FROM ({_VALID}) valid WHERE n > %(least)s ORDER BY 1"  # noqa: S608 - our own names
_OVER = f"SELECT voter FROM ({_VALID}) valid WHERE counted > %(least)s ORDER BY 1"  # noqa: S608 - our own names


def of(category: int) -> int:
    """How many votes of one voter count in the category now."""
    known = VoteCap.objects.filter(category=category).values_list("cap", flat=True).first()
    return vote_cap.FLOOR if known is None else known


def public() -> list[VoteCap]:
    """The caps of public categories that were voted on."""
    rows = VoteCap.objects.filter(category__is_private=False, votes__gt=0).select_related("category")
    return list(rows.order_by("category__position", "category__name"))


def reason(cap: int | str) -> str:
    """Why a vote beyond the cap does not count, as its voter reads it."""
    return rules.CAP.reason.format(cap=cap, days=DAYS)


def follow() -> list[VoteCap]:
    """Bring every category's cap up to its votes, and the votes up to its cap; returns the caps that were looked at."""
    return [recount(category) for category in Category.everything.values_list("pk", flat=True) if _is_due(category)]


def _is_due(category: int) -> bool:
    known = VoteCap.objects.filter(category=category).first()
    if known is None:
        return Vote.objects.filter(category=category).exists()
    if known.applied != known.cap:
        return True
    if known.votes >= LARGE and known.counted_at > timezone.now() - timedelta(seconds=LARGE_SECONDS):
        return False
    return Vote.objects.filter(category=category, cast_at__gt=known.counted_at).exists()


def recount(category: int) -> VoteCap:
    """Compute the category's cap from its votes, then judge the votes of every voter for whom it makes a difference.

    New votes are judged by the new cap at once; a worker that dies in between leaves `applied` behind, and the next
    run follows it up.
    """
    now = timezone.now()
    since = now - timedelta(days=DAYS)
    valid: dict[str, Any] = {"category": category, "since": since, "rules": ["", *rules.CAPS]}
    with connection.cursor() as cursor:
        cursor.execute(_COUNT, valid)
        votes, voters, most = cursor.fetchone()
    cap = vote_cap.cap(votes, voters)
    row, _ = VoteCap.objects.update_or_create(
        category_id=category, defaults={"cap": cap, "votes": votes, "voters": voters, "counted_at": now}
    )
    if row.applied == cap and most <= cap:
        return row
    is_new = row.applied != cap
    with connection.cursor() as cursor:
        least = min(cap, row.applied or vote_cap.FLOOR) if is_new else cap
        cursor.execute(_BUSY if is_new else _OVER, valid | {"least": least})
        voters_moved = [voter for (voter,) in cursor.fetchall()]
    for voter in voters_moved:
        _judge(voter, category, cap, since)
    VoteCap.objects.filter(category=category).update(applied=cap)
    row.applied = cap
    return row


def _judge(voter: int, category: int, cap: int, since: datetime) -> None:
    """Let the voter's first votes of any `DAYS` days count, and no others, among those cast after `since`."""
    with transaction.atomic():
        exclusion.take_turn()
        if VoterProgress.objects.filter(voter=voter, category=category).exclude(excluded_rule="").exists():
            return
        votes = Vote.objects.filter(voter=voter, category=category, cast_at__gt=since - timedelta(days=DAYS))
        rows = list(
            votes.filter(excluded_rule__in=("", *rules.CAPS))
            .order_by("cast_at", "pk")
            .values_list("pk", "cast_at", "excluded_rule")
        )
        counted = {pk for pk, _, rule in rows if not rule}
        open_ = {pk for pk, at, _ in rows if at > since}
        inside = within(((pk, at, pk in open_) for pk, at, _ in rows if pk in open_ or pk in counted), cap)
        exclusion.include(inside - counted)
        exclusion.exclude((counted & open_) - inside, reason(cap), rules.CAP.name)


def within(votes: Iterable[tuple[UUID, datetime, bool]], cap: int) -> set[UUID]:
    """Which of one voter's votes are within the cap: each with its time, in order, and whether it is to be decided. The
    others count already, and are not among those returned."""
    recent: deque[datetime] = deque()
    inside = set()
    for pk, at, is_open in votes:
        while recent and recent[0] <= at - timedelta(days=DAYS):
            recent.popleft()
        if is_open and len(recent) >= cap:
            continue
        recent.append(at)
        if is_open:
            inside.add(pk)
    return inside
