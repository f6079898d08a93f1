"""Skipping a battle, and how often a voter may."""

from __future__ import annotations

import math

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone
from django.utils.translation import gettext, ngettext

from arena.battles.assignment import AlreadyVoted, VoteRejected
from arena.battles.rows import BattleRow
from arena.models import Battle, Vote, VoterProgress


class TooManySkips(VoteRejected):
    """Choosing pairs by skipping the others is limited."""


# The limits are in the write itself, so that many skips at once do not pass them. After a pause a row of skips starts
# again; over all, at most one skip for two votes comes on top of the first few.
_FORGET_WAITING = """
UPDATE arena_voterprogress SET turn = turn + 1, seen = seen + 1, waiting = array_remove(waiting, %(battle)s),
    skips = skips + %(counts)s,
    skips_in_row = CASE WHEN answered_at > now() - make_interval(secs => %(pause)s) THEN skips_in_row ELSE 0 END
        + %(counts)s,
    answered_at = now()
WHERE voter_id = %(voter)s AND category_id = (
    SELECT c.category_id FROM arena_prompt p JOIN arena_competition c ON c.id = p.competition_id
    WHERE p.id = %(prompt)s
) AND (%(limit)s = 0 OR %(counts)s = 0 OR (
    skips < %(limit)s + votes / 2
    AND (skips_in_row < %(limit)s OR answered_at <= now() - make_interval(secs => %(pause)s))
))
"""
SKIP_PAUSE = 3600  # seconds


def skip(battle: Battle | BattleRow, *, by_choice: bool = True) -> None:
    """Put the battle aside: stored, not counted, never shown to this voter again. A skip that is not by choice – a
    report's – is not limited. Raises AlreadyVoted, TooManySkips."""
    with transaction.atomic():
        locked = Battle.objects.select_for_update().get(pk=battle.pk)
        if Vote.objects.filter(battle=locked).exists():
            raise AlreadyVoted(gettext("You already voted on this pair; a vote cannot be skipped."))
        if locked.skipped_at is not None:
            return
        now = timezone.now()
        locked.skipped_at = max(now, locked.served_at or now)
        locked.save(update_fields=["skipped_at"])
        with connection.cursor() as cursor:
            cursor.execute(
                _FORGET_WAITING,
                {
                    "battle": locked.pk,
                    "voter": locked.voter_id,
                    "prompt": locked.prompt_id,
                    "counts": int(by_choice),
                    "limit": settings.SKIPS_IN_ROW,
                    "pause": float(SKIP_PAUSE),
                },
            )
            if not cursor.rowcount and by_choice:
                category = locked.prompt.competition.category_id
                if progress := locked.voter.progress.filter(category=category).first():
                    raise TooManySkips(_no_more_skips(progress))


def _no_more_skips(progress: VoterProgress) -> str:
    """Which of the two limits is reached, and what helps."""
    if progress.skips >= settings.SKIPS_IN_ROW + progress.votes // 2 or progress.answered_at is None:
        return gettext(
            "You skipped many pairs and answered few. Every two answers earn another skip: begin with this one."
        )
    minutes = max(1, math.ceil((progress.answered_at.timestamp() + SKIP_PAUSE - timezone.now().timestamp()) / 60))
    return ngettext(
        "You skipped %(skips)s pairs in a row. Answer the one that is waiting, or come back in a minute for a new one.",
        "You skipped %(skips)s pairs in a row. Answer the one that is waiting, or come back in %(minutes)s minutes for "
        "a new one.",
        minutes,
    ) % {"skips": settings.SKIPS_IN_ROW, "minutes": minutes}
