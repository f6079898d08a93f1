"""Boards of the prompts with one tag: computed on request, and recomputed by a periodic task while they are read.

Reading the votes of a tag and fitting them takes seconds where there are hundreds of thousands. Then only the very
first reader waits, and not for an answer: the page says that the board is being computed, and the task computes it at
once. Everybody after that gets the last good one, which says when it was computed. Where the votes are few, the
reader who comes first makes the board, in less time than a reader notices.

Recent requests are a small table in Valkey. Two readers who write it in the same moment may lose one of their
notes; the next reader of that tag writes it again. Without Valkey boards are made for every reader.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from arena.models import Category
from leaderboard import cache
from leaderboard.board import computed, pair_counts, raw_votes
from leaderboard.board.overall import CACHE_TIME, MIN_VOTES, SHARE_OF_TIME, Rated, named
from leaderboard.board.pair_counts import Pairs
from leaderboard.models import Rating

Key = tuple[int, str]  # of a category, and a tag

QUICK_VOTES = 20_000  # up to so many, a reader makes the board
QUICK = 0.5  # seconds; a board that took longer is recomputed by the task alone
WINDOW = 3600.0  # seconds for which a tag is recomputed after a request
MAX_TAGS = 64  # tags that are cached: a board of 200 models takes half a megabyte
LIFE = 86_400.0  # seconds a board is cached without being recomputed
TIMEOUT = 60.0  # seconds after which a reader computes the board that the task should have computed
TICK = 3.0  # seconds between two runs of the task


@dataclass(frozen=True, slots=True)
class Made:
    """When a board was made, from which votes, and what it took: what the task reads of it."""

    state: pair_counts.State
    at: float  # seconds since the epoch
    took: float


@dataclass(frozen=True, slots=True)
class TagBoard:
    made: Made
    rated: Rated
    pairs: Pairs


@dataclass(slots=True)
class RequestedTags:
    """By tag, when it was asked for first and last, in seconds since the epoch."""

    first: dict[Key, float] = field(default_factory=dict)
    last: dict[Key, float] = field(default_factory=dict)


def board(category: Category, tag: str, votes_about: int = 0) -> TagBoard | None:
    """The category's board from the votes on prompts with this tag alone; `votes_about` is roughly how many there are.

    None while the task computes it for the first time: a moment later it is there. Only votes cast here count: what
    an imported vote was about is known by a key at most. Fewer than `MIN_VOTES` votes, or no two models whose
    difference has a bound, make no standings.
    """
    key = (category.pk, tag)
    since = _note(key)
    cached: TagBoard | None = cache.get("tag", *key)
    if cached is None:
        waits = votes_about > QUICK_VOTES and since is not None and time.time() - since < TIMEOUT
        return None if waits else _make(category, tag)
    if cached.made.took > QUICK or not _is_old(cached.made, category):
        return cached
    return _make(category, tag)


def refresh() -> int:
    """For the periodic task: compute what a reader waits for, then some of what has moved. Returns how many.

    What nobody waits for takes at most a fiftieth of the time, however many tags are asked for.
    """
    asked = _asked()
    if not asked.last:
        return 0
    with cache.lock("tags made", seconds=5 * TIMEOUT) as ours:
        return _refresh(asked) if ours else 0


def _refresh(asked: RequestedTags) -> int:
    now = time.time()
    recent = [key for key, at in asked.last.items() if now - at < WINDOW]
    categories = Category.objects.select_related("board").in_bulk({pk for pk, _ in recent})
    known: dict[Key, Made] = cache.get_many({key: ("tag made", *key) for key in recent})
    waiting = [key for key in recent if key not in known and key[0] in categories]
    for pk, tag in waiting:
        _make(categories[pk], tag)
    if now < (cache.get("tags rest") or 0.0):
        return len(waiting)
    old = [key for key, made in known.items() if key[0] in categories and _is_old(made, categories[key[0]])]
    count, spent = 0, 0.0
    for pk, tag in sorted(old, key=lambda key: known[key].at):
        if spent >= SHARE_OF_TIME * TICK:
            break
        spent += _make(categories[pk], tag).made.took
        count += 1
    if count:
        cache.put(time.time() + spent / SHARE_OF_TIME, "tags rest", seconds=LIFE)
    return len(waiting) + count


def _make(category: Category, tag: str) -> TagBoard:
    state, at, began = _state(category), time.time(), time.monotonic()
    counts, raw = raw_votes.tagged(category, tag)
    standings: tuple[Rating, ...] = ()
    if counts.total >= MIN_VOTES:
        of_tag = pair_counts.State(counts.total, None)
        standings = named(computed.rate(category, of_tag, counts, raw, {}, is_slice=True))
    made = Made(state, at, time.monotonic() - began)
    tag_board = TagBoard(made, Rated(counts.total, standings), counts.pairs())
    cache.put(tag_board, "tag", category.pk, tag, seconds=LIFE)
    cache.put(made, "tag made", category.pk, tag, seconds=LIFE)
    return tag_board


def _is_old(made: Made, category: Category) -> bool:
    """Whether votes came in since, and a minute has passed."""
    return time.time() - made.at >= CACHE_TIME.total_seconds() and made.state != _state(category)


def _state(category: Category) -> pair_counts.State:
    stored = getattr(category, "board", None)
    return pair_counts.State(stored.votes, stored.tallies_changed_at) if stored else pair_counts.state(category)


def _asked() -> RequestedTags:
    return cache.get("tags asked") or RequestedTags()


def _note(key: Key) -> float | None:
    """Write down that this tag was asked for; since when it is, or None if that could not be written down.

    What falls out of the table is forgotten with its board, so no number of tags fills the memory.
    """
    asked, now = _asked(), time.time()
    if now - asked.last.get(key, 0.0) >= WINDOW:
        asked.first[key] = now
    asked.last[key] = now
    newest = sorted(asked.last, key=lambda requested: -asked.last[requested])
    for dropped in newest[MAX_TAGS:]:
        del asked.first[dropped], asked.last[dropped]
        cache.delete_many(("tag", *dropped), ("tag made", *dropped))
    cache.put(asked, "tags asked", seconds=LIFE)
    written: RequestedTags | None = cache.get("tags asked")
    return None if written is None else asked.first[key]
