"""Answers kept in Valkey because asking Postgres again would cost more than they are worth.

A key names the version of what the answer was made from – a board's is the moment it was computed – so a new board is
a new key and shows at once; nothing is ever invalidated. Without Valkey everything is computed every time.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Hashable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar, cast

import redis
from django.core.cache import cache

from arena.models import Category

log = logging.getLogger(__name__)

PREFIX = "kept:3:"  # the number counts changes of what is kept: after an update old answers are not understood
MINUTE = 60.0

Answer = TypeVar("Answer")
Name = TypeVar("Name", bound=Hashable)


def kept(*key: object, seconds: float, make: Callable[[], Answer]) -> Answer:
    """The answer under this key, or a new one that is kept for `seconds`. Answers are picklable and never None."""
    found = look(*key)
    return put(make(), *key, seconds=seconds) if found is None else cast(Answer, found)


def look(*key: object) -> Any:
    """What is kept under this key, or None."""
    try:
        return cache.get(_name(key))
    except redis.RedisError as error:
        log.warning("Valkey does not answer (%s): nothing is known.", error)
        return None


def put(answer: Answer, *key: object, seconds: float) -> Answer:
    try:
        cache.set(_name(key), answer, seconds)
    except redis.RedisError as error:
        log.warning("Valkey does not answer (%s): not kept.", error)
    return answer


def look_many(keys: Mapping[Name, tuple[object, ...]]) -> dict[Name, Any]:
    """What is kept under these keys, by their names and in one round trip; what is not is left out."""
    names = {_name(key): name for name, key in keys.items()}
    try:
        return {names[kept]: answer for kept, answer in cache.get_many(names).items()}
    except redis.RedisError as error:
        log.warning("Valkey does not answer (%s): nothing is known.", error)
        return {}


def drop(*keys: tuple[object, ...]) -> None:
    try:
        cache.delete_many([_name(key) for key in keys])
    except redis.RedisError as error:
        log.warning("Valkey does not answer (%s): not dropped.", error)


@contextmanager
def claimed(*key: object, seconds: float) -> Iterator[bool]:
    """Whether this is ours alone for now: until the block ends, or for `seconds` if its process dies. False without
    Valkey."""
    try:
        ours = bool(cache.add(_name(key), 1, seconds))
    except redis.RedisError as error:
        log.warning("Valkey does not answer (%s): nothing is claimed.", error)
        ours = False
    try:
        yield ours
    finally:
        if ours:
            drop(key)


def _name(key: tuple[object, ...]) -> str:
    return PREFIX + hashlib.sha256(repr(key).encode()).hexdigest()[:40]


def version(category: Category) -> tuple[int, str]:
    """Of the category's ratings: read before what is kept under it, so that only what is new can be taken for old."""
    board = getattr(category, "board", None)
    return category.pk, board.computed_at.isoformat() if board and board.computed_at else ""
