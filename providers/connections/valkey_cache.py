"""Django's cache in Valkey, with one client for all commands of a thread instead of one for each.

A new client copies all that redis-py knows of commands and their replies, which took half of a look into the cache.
"""

from __future__ import annotations

from typing import Any

import redis
from django.core.cache.backends.redis import RedisCache, RedisCacheClient
from django.utils.functional import cached_property


class _Client(RedisCacheClient):
    @cached_property
    def _only_client(self) -> redis.Redis:
        client: redis.Redis = super().get_client()
        return client

    def get_client(self, key: object = None, *, write: bool = False) -> redis.Redis:
        return self._only_client  # there is one server, so nothing depends on key or write


class ValkeyCache(RedisCache):
    def __init__(self, server: str, params: dict[str, Any]) -> None:
        super().__init__(server, params)
        self._class = _Client
