"""Answers that are cached because computing them again costs more than they are worth: the lowest module of all apps.

`ProcessCache` holds objects in this process, for seconds and up to a number of entries. The functions below it share
values between processes through Valkey. A shared key carries the fingerprint of the release, so that two releases that
run side by side never read each other's pickles, and a value that cannot be read is a miss: it is logged and computed
again. Without Valkey everything is computed every time.
"""

from __future__ import annotations

import functools
import hashlib
import logging
import threading
import weakref
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from time import monotonic
from typing import Any, Generic, TypeVar, cast

import redis
from cachetools import TLRUCache
from django.conf import settings
from django.core.cache import cache

log = logging.getLogger(__name__)

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

CODE = ("arena", "config", "leaderboard", "providers", "static", "templates", "requirements.txt")
SUFFIXES = {".css", ".html", ".js", ".json", ".md", ".po", ".py", ".svg", ".toml", ".txt"}

_process_caches: weakref.WeakSet[ProcessCache[Any, Any]] = weakref.WeakSet()


class ProcessCache(Generic[Key, Value]):
    """Values of this process by key, each for `seconds`; the least recently used goes when `max_entries` are there.

    Thread-safe. Two threads that miss at once both compute: a value is cheap enough to compute twice, a lock held
    while computing is not. None is no value.
    """

    def __init__(self, *, seconds: float, max_entries: int) -> None:
        self.seconds = seconds  # of values that come in from now on
        self._lock = threading.Lock()
        self._values: TLRUCache[Key, Value] = TLRUCache(max_entries, lambda _, __, now: now + self.seconds, monotonic)
        _process_caches.add(self)

    def get(self, key: Key) -> Value | None:
        with self._lock:
            return self._values.get(key)

    def put(self, key: Key, value: Value) -> Value:
        with self._lock:
            self._values[key] = value
        return value

    def get_or_compute(self, key: Key, compute: Callable[[], Value]) -> Value:
        """The cached value, or what `compute` returns, cached. What it raises is raised and nothing is cached."""
        value = self.get(key)
        return self.put(key, compute()) if value is None else value

    def get_or_compute_many(
        self, keys: Iterable[Key], compute: Callable[[list[Key]], Mapping[Key, Value]]
    ) -> dict[Key, Value]:
        """The values of all keys; `compute` is called once with the missing ones and returns a value for each."""
        with self._lock:
            cached = {key: self._values.get(key) for key in keys}
        values = {key: value for key, value in cached.items() if value is not None}
        if missing := [key for key in cached if key not in values]:
            computed = compute(missing)
            values |= {key: self.put(key, computed[key]) for key in missing}
        return values

    def delete(self, key: Key) -> None:
        with self._lock:
            self._values.pop(key, None)

    def clear(self) -> None:
        with self._lock:
            self._values.clear()


def clear_process_caches() -> None:
    """Empty every `ProcessCache` there is."""
    for process_cache in list(_process_caches):
        process_cache.clear()


@functools.cache
def release() -> str:
    """Fingerprint of this release: 16 hex digits of a SHA-256 over its code, templates, static files and locked
    libraries. Nodes that run the same files agree on it."""
    digest = hashlib.sha256()
    for path in sorted(_files(Path(settings.BASE_DIR))):
        digest.update(f"{path.relative_to(settings.BASE_DIR)}\0".encode())
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()[:16]


def _files(base: Path) -> Iterator[Path]:
    for name in CODE:
        root = base / name
        candidates = [root] if root.is_file() else root.rglob("*")
        yield from (path for path in candidates if path.suffix in SUFFIXES and path.is_file())


def shared_key(key: tuple[object, ...]) -> str:
    """The name in Valkey of a value of this release; `key` is anything with a stable repr."""
    return f"{release()}:{hashlib.sha256(repr(key).encode()).hexdigest()[:40]}"


def get(*key: object) -> Any:
    """The shared value under this key; None if there is none, or none that this release can read."""
    return get_many({None: key}).get(None)


def get_many(keys: Mapping[Key, tuple[object, ...]]) -> dict[Key, Any]:
    """The shared values under these keys, by their names and in one round trip; misses are left out."""
    names = {shared_key(key): name for name, key in keys.items()}
    try:
        values = cache.get_many(names)
    except redis.RedisError as error:
        log.warning("Valkey does not answer (%s): cache miss.", error)
        return {}
    except Exception as error:  # unpickling can raise anything
        if len(keys) == 1:
            log.warning("Cached value under %r cannot be read (%r): cache miss.", next(iter(keys.values())), error)
            return {}
        one_by_one = (get_many({name: key}) for name, key in keys.items())
        return {name: value for values in one_by_one for name, value in values.items()}
    readable = {}
    for shared_name, value in values.items():
        name = names[shared_name]
        if isinstance(value, tuple) and len(value) == 2 and value[0] == _MARK:
            readable[name] = value[1]
        else:
            log.warning("Cached value under %r is none of ours: cache miss.", keys[name])
    return readable


_MARK = "image-arena"  # stands before every value: what else is found under a key is a miss


def put(value: Value, *key: object, seconds: float) -> Value:
    """Share a picklable value, not None, for `seconds`, and return it."""
    try:
        cache.set(shared_key(key), (_MARK, value), seconds)
    except redis.RedisError as error:
        log.warning("Valkey does not answer (%s): not cached.", error)
    return value


def get_or_compute(*key: object, seconds: float, compute: Callable[[], Value]) -> Value:
    """The shared value under this key, or what `compute` returns, shared for `seconds`."""
    value = get(*key)
    return put(compute(), *key, seconds=seconds) if value is None else cast(Value, value)


def delete_many(*keys: tuple[object, ...]) -> None:
    """Without Valkey nothing is deleted, which is logged: the values expire by themselves."""
    try:
        cache.delete_many([shared_key(key) for key in keys])
    except redis.RedisError as error:
        log.warning("Valkey does not answer (%s): not deleted.", error)


@contextmanager
def lock(*key: object, seconds: float) -> Iterator[bool]:
    """Whether this caller alone holds the key: until the block ends, or for `seconds` if its process dies. False
    without Valkey; nobody ever waits."""
    try:
        acquired = bool(cache.add(shared_key(key), 1, seconds))
    except redis.RedisError as error:
        log.warning("Valkey does not answer (%s): not locked.", error)
        acquired = False
    try:
        yield acquired
    finally:
        if acquired:
            delete_many(key)
