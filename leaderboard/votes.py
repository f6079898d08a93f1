"""The counted votes themselves, as arrays: for the clustered intervals, which pair counts cannot give.

Postgres packs each column into one string of big-endian numbers, so millions of votes arrive as a handful of values and
no row ever becomes a Python object.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from typing import Any

import numpy as np
from django.db import connection

from arena.models import Category

from . import elo, tallies
from .boards import RawVotes
from .likelihood import Codes, Ints


def _packed(*columns: str) -> str:
    return "SELECT " + ", ".join(f"string_agg(int8send({column}), ''::bytea)" for column in columns)


_SCORE = "CASE outcome WHEN 'left' THEN 2 WHEN 'right' THEN 0 ELSE 1 END"
_FROM_HERE = """
FROM arena_vote v JOIN arena_battle b ON b.id = v.battle_id
WHERE category_id = %(category)s AND excluded_reason = '' AND left_model_id <> right_model_id
    AND (%(since)s::date IS NULL OR cast_at >= %(since)s::date::timestamp AT TIME ZONE 'UTC')
    AND (%(tag)s::text IS NULL OR b.prompt_id IN (SELECT id FROM arena_prompt WHERE %(tag)s::text = ANY (tags)))
"""
_CAST_HERE = _packed("v.voter_id", "b.prompt_id", "left_model_id", "right_model_id", _SCORE) + _FROM_HERE
_OUTCOME = "CASE outcome {} END".format(
    " ".join(f"WHEN '{outcome}' THEN {code}" for code, outcome in enumerate(tallies.OUTCOMES))
)
_TAGGED = _packed("v.voter_id", "b.prompt_id", "left_model_id", "right_model_id", _OUTCOME) + _FROM_HERE
_DOUBLED = np.array([int(2 * elo.SCORES[outcome]) for outcome in tallies.OUTCOMES])

# Voters and prompts of an imported vote are known by a key that belongs to its source; 0 stands for "not told". A hash
# of 64 bits makes two of a million keys meet with a chance of one in forty million.
_KEY = "CASE {0} WHEN '' THEN 0 ELSE hashtextextended(source || chr(31) || {0}, 0) END"
_VOTER, _PROMPT = _KEY.format("voter_key"), _KEY.format("prompt_key")
_IMPORTED = (
    _packed(_VOTER, _PROMPT, "left_model_id", "right_model_id", _SCORE)
    + """
FROM arena_importedvote v JOIN arena_votefile f ON f.id = v.file_id
WHERE category_id = %(category)s AND (%(since)s::date IS NULL OR day >= %(since)s::date)
"""
)


def read(category: Category, models: Sequence[int], *, since: date | None = None) -> RawVotes:
    """The category's counted votes between these models, all or since a day (UTC). Left and right index `models`."""
    scope = {"category": category.pk, "since": since, "tag": None}
    here, imported = _columns(_CAST_HERE, scope), _columns(_IMPORTED, scope)
    return _raw([np.concatenate(pair) for pair in zip(here, imported, strict=True)], models)


def tagged(category: Category, tag: str) -> tuple[tallies.Counts, Callable[[Sequence[int]], RawVotes]]:
    """Of the counted votes cast here about prompts with this tag: pair counts, and the votes themselves when asked
    for their models. Read once for both."""
    *columns, outcome = _columns(_TAGGED, {"category": category.pk, "since": None, "tag": tag})
    _, _, left, right = columns
    counts = tallies.Counts.of(left, right, outcome)
    return counts, lambda models: _raw([*columns, _DOUBLED[outcome]], models)


def _raw(columns: Sequence[Ints], models: Sequence[int]) -> RawVotes:
    """From voters, prompts, models on either side and doubled scores."""
    voter, prompt, left, right, score = columns
    place = np.full(max([*models, left.max(initial=0), right.max(initial=0)], default=0) + 1, -1, np.int32)
    place[list(models)] = np.arange(len(models))
    left, right = place[left], place[right]
    known = (left >= 0) & (right >= 0)  # a vote on a new model may have come after the cells were read
    if not known.all():
        voter, prompt, left, right, score = (column[known] for column in (voter, prompt, left, right, score))
    voter_code, voters = _codes(voter)
    prompt_code, prompts = _codes(prompt)
    return RawVotes(voter_code, prompt_code, left, right, score / np.float32(2), voters, prompts)


def _columns(query: str, scope: dict[str, Any]) -> list[Ints]:
    with connection.cursor() as cursor:
        cursor.execute(query, scope)
        return [np.frombuffer(packed or b"", ">i8").astype(np.int64) for packed in cursor.fetchone()]


def _codes(keys: Ints) -> tuple[Codes, int]:
    """Codes from 0 for the keys that are known, then one of its own for each that is not; and how many are known."""
    unknown = keys == 0
    names, codes = np.unique(keys, return_inverse=True)
    codes = codes.astype(np.int32)
    if not unknown.any():
        return codes, names.size
    zero = int(np.searchsorted(names, 0))
    codes[codes > zero] -= 1
    codes[unknown] = names.size - 1 + np.arange(np.count_nonzero(unknown), dtype=np.int32)
    return codes, names.size - 1
