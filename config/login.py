"""The admin's login, slowed down for those who guess.

Five wrong passwords within a quarter of an hour close the form for the rest of it: for the client's network, and – from
wherever they come – for the user name. A right password before that resets both.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import logging
from collections.abc import Callable
from typing import Any

import redis
from django.contrib.admin import AdminSite
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from providers.cache import ProcessCache
from providers.web import client_address

log = logging.getLogger(__name__)

LIMIT = 5  # wrong passwords of one network
LIMIT_OF_NAME = 20  # of one user name, so that a stranger cannot lock its owner out with five
WINDOW = 900  # seconds

_own: ProcessCache[str, int] = ProcessCache(seconds=WINDOW, max_entries=10_000)  # counts while Valkey is away

Login = Callable[..., HttpResponse]


def throttled(login: Login) -> Login:
    """The login view; 429 while its client or its user name has failed too often."""

    @functools.wraps(login)
    def view(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method != "POST":
            return login(request, *args, **kwargs)
        limits = {_key("network", client_address.network_of(request)): LIMIT}
        limits[_key("name", request.POST.get("username", "").lower())] = LIMIT_OF_NAME
        failures = _failures(list(limits))
        if any(failures.get(key, 0) >= limit for key, limit in limits.items()):
            return _rejected(request)
        response = login(request, *args, **kwargs)
        if response.status_code == 302:
            _forget(list(limits))
        else:
            _count(request, limits)
        return response

    return view


def one_time_site() -> type[AdminSite]:
    """The class of an admin that wants a one-time password, too."""
    from django_otp.admin import OTPAdminSite

    site: type[AdminSite] = OTPAdminSite
    return site


def _failures(keys: list[str]) -> dict[str, int]:
    """Wrong passwords by key; while Valkey is away, those that this process has seen meanwhile."""
    try:
        return dict(cache.get_many(keys))
    except redis.RedisError as error:
        log.warning("Valkey does not answer (%s): each process counts wrong passwords for itself.", error)
        return {key: _own.get(key) or 0 for key in keys}


def _count(request: HttpRequest, limits: dict[str, int]) -> None:
    for key, limit in limits.items():
        try:
            cache.add(key, 0, WINDOW)
            failures = cache.incr(key)
        except (redis.RedisError, ValueError):  # ValueError: it expired since
            failures = _own.put(key, (_own.get(key) or 0) + 1)
        if failures == limit:
            log.warning(
                "Admin login: %s wrong passwords from %s within %s minutes; it is closed to them until then.",
                limit, client_address.network_of(request), WINDOW // 60,
            )  # fmt: skip


def _forget(keys: list[str]) -> None:
    for key in keys:
        _own.delete(key)
    with contextlib.suppress(redis.RedisError):
        cache.delete_many(keys)


def _rejected(request: HttpRequest) -> HttpResponse:
    response = render(request, "429.html", {"minutes": WINDOW // 60}, status=429)
    response["Retry-After"] = str(WINDOW)
    return response


def _key(kind: str, text: str) -> str:
    return f"login:{kind}:{hashlib.sha256(text.encode()).hexdigest()}"
