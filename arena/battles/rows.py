"""What a battle's page shows, as one statement reads it.

Rows are named tuples: a vote makes and copies a dozen, and frozen dataclasses take five times as long for that.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection

from arena.models import Battle


class Maker(NamedTuple):
    """Which model made an image, and where: for after the vote."""

    thumbnail: str
    model: int
    slug: str
    name: str
    origin: str
    provider: str | None


class Side(NamedTuple):
    """One image of a battle. Pairs that nobody has answered are read without their `maker`."""

    token: str
    entry: int
    width: int
    height: int
    maker: Maker | None = None


class BattleRow(NamedTuple):
    """A battle with all that its page shows, as one statement reads it."""

    pk: uuid.UUID
    voter: int
    prompt: int
    served_at: datetime | None
    expires_at: datetime
    skipped_at: datetime | None
    is_expired: bool
    is_live: bool  # both images, the prompt and its competition are still in play
    text: str
    source_image: str
    question: str
    criterion: str
    shape: str
    competition: int
    category: int
    category_slug: str
    category_name: str
    is_private: bool
    outcome: str | None
    cast_at: datetime | None
    excluded_reason: str | None
    is_reported: bool
    left: Side
    right: Side

    @property
    def makers(self) -> tuple[Maker, Maker]:
        """Of the left and the right image, of a row that was read with them."""
        assert self.left.maker is not None
        assert self.right.maker is not None
        return self.left.maker, self.right.maker

    @property
    def is_answered(self) -> bool:
        return self.outcome is not None or self.skipped_at is not None

    @property
    def is_open(self) -> bool:
        return not self.is_answered and not self.is_expired

    @property
    def url(self) -> str:
        return f"/battles/{self.pk}/"

    @property
    def battle(self) -> Battle:
        """The same as a model instance, without a query."""
        return Battle(
            id=self.pk,
            voter_id=self.voter,
            prompt_id=self.prompt,
            left_id=self.left.entry,
            right_id=self.right.entry,
            left_token=self.left.token,
            right_token=self.right.token,
            served_at=self.served_at,
            expires_at=self.expires_at,
            skipped_at=self.skipped_at,
        )


def _one(table: str, alias: str, pk: str) -> str:
    """A join of the row with this id. LIMIT 1 says what the primary key says already: the planner, which takes an array
    of what waits for ten battles, hashed whole tables for it, in a quarter of the statement's time."""
    row = f"SELECT * FROM {table} WHERE id = {pk} LIMIT 1"  # noqa: S608 – our own names, no value of a request
    return f"LEFT JOIN LATERAL ({row}) {alias} ON true"


def _maker(alias: str, entry: str) -> str:
    """A join of the model that made an entry, and of the provider where it was called."""
    return f"""LEFT JOIN LATERAL (
    SELECT model.id, model.slug, model.name, model.origin, offering.provider FROM providers_imagemodel model
    LEFT JOIN providers_call call ON call.id = {entry}.call_id
    LEFT JOIN providers_offering offering ON offering.id = call.offering_id
    WHERE model.id = {entry}.image_model_id LIMIT 1
) {alias} ON true"""  # noqa: S608 – as above


# `COLUMNS` and `JOINS` read a battle without its makers, whose joins are a third of it; `MAKERS` and `MAKER_JOINS`
# come after them where they may be shown.
LIVE = """l.retired_at IS NULL AND l.hidden_at IS NULL AND r.retired_at IS NULL AND r.hidden_at IS NULL
    AND p.retired_at IS NULL AND p.completed_at IS NULL AND c.is_published
    AND coalesce(c.opens_at <= statement_timestamp(), true)
    AND coalesce(c.closes_at > statement_timestamp(), true)"""
COLUMNS = f"""b.id, b.voter_id, b.prompt_id, b.served_at, b.expires_at, b.skipped_at,
    b.expires_at <= statement_timestamp(),
    {LIVE},
    p.text, p.source_image, c.question, c.criterion, c.shape, c.id, g.id, g.slug, g.name, g.is_private,
    v.outcome, v.cast_at, v.excluded_reason,
    EXISTS (SELECT FROM arena_report report WHERE report.battle_id = b.id),
    b.left_token, l.id, l.width, l.height, b.right_token, r.id, r.width, r.height"""
MAKERS = """l.thumbnail, lm.id, lm.slug, lm.name, lm.origin, lm.provider,
    r.thumbnail, rm.id, rm.slug, rm.name, rm.origin, rm.provider"""
JOINS = f"""
{_one("arena_prompt", "p", "b.prompt_id")}
LEFT JOIN arena_competition c ON c.id = p.competition_id
LEFT JOIN arena_category g ON g.id = c.category_id
LEFT JOIN LATERAL (
    SELECT outcome, cast_at, excluded_reason FROM arena_vote WHERE battle_id = b.id LIMIT 1
) v ON true
{_one("arena_entry", "l", "b.left_id")}
{_one("arena_entry", "r", "b.right_id")}
"""  # noqa: S608 – our own names, no value of a request
MAKER_JOINS = f"""
{_maker("lm", "l")}
{_maker("rm", "r")}
"""
_FACTS, _SIDE, _MAKER = 22, 4, 6  # columns of the battle itself, of a side and of its maker
_SIDES_END = _FACTS + 2 * _SIDE


def battle_row(columns: Sequence[Any], *, with_makers: bool = False) -> BattleRow:
    """From the values of `COLUMNS`, and of `MAKERS` after them."""
    left, right = columns[_FACTS : _FACTS + _SIDE], columns[_FACTS + _SIDE : _SIDES_END]
    if with_makers:
        left = (*left, Maker(*columns[_SIDES_END : _SIDES_END + _MAKER]))
        right = (*right, Maker(*columns[_SIDES_END + _MAKER :]))
    return BattleRow(*(*columns[:_FACTS], Side(*left), Side(*right)))


_UNSAVED = """
SELECT {columns} FROM (SELECT %(battle)s::uuid, 0::bigint, %(prompt)s::bigint, %(left)s::bigint, %(right)s::bigint,
    %(left_token)s::text, %(right_token)s::text, %(served_at)s::timestamptz, %(expires_at)s::timestamptz,
    NULL::timestamptz) AS b (id, voter_id, prompt_id, left_id, right_id, left_token, right_token, served_at, expires_at,
    skipped_at)
{joins}
"""
_UNSAVED_BLIND = _UNSAVED.format(columns=COLUMNS, joins=JOINS)
_UNSAVED_WITH_MAKERS = _UNSAVED.format(columns=f"{COLUMNS}, {MAKERS}", joins=JOINS + MAKER_JOINS)


def row_of_unsaved(battle: Battle, *, with_makers: bool = False) -> BattleRow | None:
    """What the page of a battle that is not stored shows; None when its images are not voted on any more."""
    with connection.cursor() as cursor:
        cursor.execute(
            _UNSAVED_WITH_MAKERS if with_makers else _UNSAVED_BLIND,
            {
                "battle": battle.pk,
                "prompt": battle.prompt_id,
                "left": battle.left_id,
                "right": battle.right_id,
                "left_token": battle.left_token,
                "right_token": battle.right_token,
                "served_at": battle.served_at,
                "expires_at": battle.expires_at,
            },
        )
        row = battle_row(cursor.fetchone(), with_makers=with_makers)
    return row if row.is_live and row.text is not None else None
