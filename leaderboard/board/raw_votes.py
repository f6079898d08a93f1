"""The counted votes themselves, as arrays: for the clustered intervals, which pair counts cannot give.

Postgres packs columns into strings of big-endian numbers, so millions of votes arrive as a handful of values and no row
ever becomes a Python object. They come in parts of about `PART` votes, one voter's (or prompt's) in the same part: the
process that rates five million holds a few hundred thousand at a time.

From `LARGE` votes on, a sample of the voters is read instead of all, and tallies instead of the votes by prompt: see
`rating.ways`. The sample is by the voter's number, so it stays the same, and it is halved when the votes have doubled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from typing import Any, Literal

import numpy as np
import psycopg
from django.db import connection, transaction
from django.db.models import F

from arena.models import Category, ImportedVote, VoterProgress
from arena.models.votes import SAMPLE
from leaderboard.board import pair_counts, pair_key, prompt_tallies
from leaderboard.rating import elo
from leaderboard.rating.ways import Part, RawVotes

PART = 100_000  # votes
LARGE = 500_000  # votes of a category from which on a sample of its voters is read …
SAMPLED = 250_000  # … with about so many votes, and as many at least as half of this
_SCORES = np.array([elo.SCORES[outcome] for outcome in pair_key.OUTCOMES], np.float32)

_COUNTED = """
WHERE category_id = %(category)s AND excluded_reason = '' AND left_model_id <> right_model_id
    AND (%(since)s::date IS NULL OR cast_at >= %(since)s::date::timestamp AT TIME ZONE 'UTC')
"""
_FROM_HERE = f"FROM arena_vote v {_COUNTED}"
_WITH_PROMPTS = f"FROM arena_vote v JOIN arena_battle b ON b.id = v.battle_id {_COUNTED}"
_FROM_FILES = """
FROM arena_importedvote v JOIN arena_votefile f ON f.id = v.file_id
WHERE category_id = %(category)s AND (%(since)s::date IS NULL OR day >= %(since)s::date)
"""
# The category's prompts alone: their battles are found by index, those of every prompt with the tag would be too many.
_TAGGED = f"""
SELECT string_agg(int8send(v.voter_id), ''::bytea), string_agg(int8send(b.prompt_id), ''::bytea),
       string_agg(int8send({pair_key.SQL}), ''::bytea)
{_WITH_PROMPTS} AND b.prompt_id = ANY (ARRAY(
    SELECT p.id FROM arena_prompt p JOIN arena_competition c ON c.id = p.competition_id
    WHERE c.category_id = %(category)s AND %(tag)s = ANY (p.tags)
))
"""  # noqa: S608 - made of constants

# Voters and prompts of an imported vote are known by a key that belongs to its source; 0 stands for "not known", and
# such votes are dealt out by their lines. A hash of 64 bits makes two of a million keys meet with a chance of one in
# forty million. Of a prompt, equal votes come as one with their number: few prompts have many votes each.
_KEY = "CASE {0} WHEN '' THEN 0 ELSE hashtextextended(source || chr(31) || {0}, 0) END"
_PACKED = """
SELECT string_agg(int8send(cluster), ''::bytea), string_agg(int8send(key), ''::bytea), {n}
FROM (
    SELECT CASE cluster WHEN 0 THEN line ELSE cluster & x'7fffffffffffffff'::bigint END %% %(parts)s AS part,
           cluster, key {count}
    FROM (SELECT {cluster} AS cluster, {line} AS line, {key} AS key {source}) vote
    {group}
) vote
GROUP BY part
"""
# Of the voters that are sampled; the condition that is always true for them is that of the index `vote_sample`.
_SAMPLE = f"""
{_FROM_HERE} AND voter_id %% %(every)s = 0 AND (%(every)s < {SAMPLE} OR voter_id %% {SAMPLE} = 0)
    AND NOT voter_id = ANY (%(busy)s)
"""
_BUSY = f"{_FROM_HERE} AND voter_id = ANY (%(busy)s)"
_ALONE = {"n": "NULL::bytea", "count": "", "group": ""}
_TOGETHER = {"n": "string_agg(int8send(n), ''::bytea)", "count": ", count(*) AS n", "group": "GROUP BY 1, 2, 3"}
_HERE = {"line": "0", "key": pair_key.SQL}
_FILES = {"line": "line", "key": pair_key.SQL, "source": _FROM_FILES}
_IMPORTED_BY_VOTER = _PACKED.format(cluster=_KEY.format("voter_key"), **_FILES, **_ALONE)
_IMPORTED_BY_PROMPT = _PACKED.format(cluster=_KEY.format("prompt_key"), **_FILES, **_TOGETHER)
_QUERIES = {
    "voter": (_PACKED.format(cluster="v.voter_id", source=_FROM_HERE, **_HERE, **_ALONE), _IMPORTED_BY_VOTER),
    "prompt": (
        _PACKED.format(cluster="b.prompt_id", source=_WITH_PROMPTS, **_HERE, **_TOGETHER), _IMPORTED_BY_PROMPT,
    ),
    "sample": (_PACKED.format(cluster="v.voter_id", source=_SAMPLE, **_HERE, **_ALONE),),
    "always by voter": (_PACKED.format(cluster="v.voter_id", source=_BUSY, **_HERE, **_ALONE), _IMPORTED_BY_VOTER),
    "always by prompt": (_IMPORTED_BY_PROMPT,),
}  # fmt: skip


def read(category: Category, models: Sequence[int], *, since: date | None = None) -> RawVotes:
    """The category's counted votes between these models, all or since a day (UTC). Left and right index `models`.
    Each side can be read once. Only votes cast here are sampled; imported ones are somebody else's study of a few
    thousand, and always read."""
    all_votes = pair_counts.state(category, since).votes
    votes = all_votes - _imported(category, since)
    scope: dict[str, Any] = {"category": category.pk, "since": since, "parts": 1 + all_votes // PART}
    if votes < LARGE:
        return RawVotes(_parts("voter", models, scope), _parts("prompt", models, scope))
    every = 2 ** math.ceil(math.log2(votes / SAMPLED))
    busy = VoterProgress.objects.filter(category=category, is_busy=True).values_list("voter", flat=True)
    sample = scope | {"every": every, "busy": list(busy), "parts": 1 + SAMPLED // PART}
    tallies = prompt_tallies.read(category, models) if since is None else None
    # Image tallies that do not add up were left by a fault; the next recount puts them right.
    if tallies is not None and not 0.99 < tallies.votes.sum() / 2 / votes < 1.01:
        tallies = None
    return RawVotes(
        by_voter=_parts("always by voter", models, sample | {"parts": scope["parts"]}),
        by_prompt=_parts("prompt" if tallies is None else "always by prompt", models, scope),
        sampled=_parts("sample", models, sample),
        share=1 / every,
        tallies=tallies,
    )


def _imported(category: Category, since: date | None) -> int:
    votes = ImportedVote.objects.filter(file__category=category).exclude(left_model=F("right_model"))
    return (votes if since is None else votes.filter(day__gte=since)).count()


def tagged(category: Category, tag: str) -> tuple[pair_counts.Counts, Callable[[Sequence[int]], RawVotes]]:
    """Of the counted votes cast here about prompts with this tag: pair counts, and the votes themselves when asked for
    their models. One query for both, in one part: a tag has a share of a category's votes, and a reader waits."""
    with connection.cursor() as cursor:
        cursor.execute(_TAGGED, {"category": category.pk, "since": None, "tag": tag})
        voter, prompt, key = (np.frombuffer(column or b"", ">i8").astype(np.int64) for column in cursor.fetchone())

    def raw(models: Sequence[int]) -> RawVotes:
        place = _places(models)
        return RawVotes([_part(place, voter, key, None)], [_part(place, prompt, key, None)])

    return pair_counts.Counts.of(key), raw


Reading = Literal["voter", "prompt", "sample", "always by voter", "always by prompt"]


def _parts(by: Reading, models: Sequence[int], scope: dict[str, Any]) -> Iterator[Part]:
    place = _places(models)
    for query in _QUERIES[by]:
        for row in _stream(query, scope):
            cluster, key, n = (np.frombuffer(column or b"", ">i8").astype(np.int64) for column in row)
            yield _part(place, cluster, key, n if row[2] is not None else None)


def _places(models: Sequence[int]) -> Any:
    """By the id of a model its index, -1 for others."""
    place = np.full(max(models, default=0) + 1, -1, np.int32)
    place[list(models)] = np.arange(len(models))
    return place


def _stream(query: str, scope: dict[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Rows one by one, in binary: Django's cursor would hold them all, and at twice their length."""
    with transaction.atomic(), psycopg.ServerCursor(connection.connection, "votes") as cursor:
        connection.connection.execute("SELECT set_config('work_mem', '64MB', true)")  # grouped in memory, unsorted
        cursor.execute(query, scope, binary=True)
        while row := cursor.fetchone():
            yield row


def _part(place: Any, cluster: Any, key: Any, n: Any) -> Part:
    left, right, outcome = pair_key.unpacked(key)
    inside = np.maximum(left, right) < place.size  # a vote on a new model may have come after the cells were read
    left, right = (place[np.where(inside, side, 0)] for side in (left, right))
    inside &= (left >= 0) & (right >= 0)
    alone = np.where(cluster == 0, 1 if n is None else n, 1)  # equal votes of nobody are no cluster
    if not inside.all() or (alone > 1).any():
        at = np.repeat(np.flatnonzero(inside), alone[inside])
        cluster, left, right, outcome = cluster[at], left[at], right[at], outcome[at]
        n = None if n is None else np.where(cluster == 0, 1.0, n[at])
    codes, known = _codes(cluster)
    return Part(codes, left, right, _SCORES[outcome], known, n)


def _codes(keys: Any) -> tuple[Any, int]:
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
