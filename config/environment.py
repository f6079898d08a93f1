"""Environment variables as settings read them: typed, and rejected with a sentence when they are wrong.

A variable that is empty counts as not set, whatever reads the file it stands in. Quotes around a whole value are
removed, because a shell and systemd remove them and `docker --env-file` does not: one file serves all three.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from ipaddress import ip_network
from urllib.parse import SplitResult, urlsplit

from django.core.exceptions import ImproperlyConfigured

MOST = 2**31 - 1
_LOCAL = frozenset({"unix", "postgresql", "postgres", "pgsql"})  # schemes of URLs that need no host
_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def env(name: str, default: str = "") -> str:
    """The variable's text, `default` when it is empty or not set."""
    value = os.environ.get(name, "").strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip()
    return value or default


def env_bool(name: str, default: bool = False) -> bool:
    """1, yes, true, on or their opposites, in any case. Raises ImproperlyConfigured for other text."""
    value = env(name).lower()
    if value and value not in _TRUE + _FALSE:
        raise ImproperlyConfigured(f"{name}={value!r} is not a yes or no. Use 1 or 0.")
    return value in _TRUE if value else default


def env_int(name: str, default: int, *, least: int = 0) -> int:
    """A whole number of at least `least`, and no more than a column or a timeout can hold."""
    try:
        value = int(env(name) or default)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={env(name)!r} is not a whole number.") from error
    if not least <= value <= MOST:
        raise ImproperlyConfigured(f"{name}={value} is not from {least} to {MOST}.")
    return value


def env_decimal(name: str, *, most: int = 1_000_000) -> Decimal | None:
    """An amount from 0 to `most`, None when it is not set."""
    try:
        value = Decimal(env(name)) if env(name) else None
    except InvalidOperation as error:
        raise ImproperlyConfigured(f"{name}={env(name)!r} is not a number.") from error
    if value is not None and not (value.is_finite() and 0 <= value <= most):
        raise ImproperlyConfigured(f"{name}={env(name)!r} is not an amount from 0 to {most}.")
    return value


def parsed(url: str) -> SplitResult:
    """The parts of a URL; none where its host or its port cannot be read."""
    try:
        parts = urlsplit(url)
        return parts if parts.port != 0 else urlsplit("")
    except ValueError:
        return urlsplit("")


def env_url(name: str, default: str = "", *, schemes: Sequence[str] = ("https", "http")) -> str:
    """A URL of one of these schemes with a host, without a slash at its end; "" when there is none.

    What is wrong with it is said without its text: URLs of webhooks and services have secrets in them.
    """
    url = env(name, default).rstrip("/")
    parts = parsed(url)
    is_whole = parts.scheme in schemes and bool(parts.hostname or parts.scheme in _LOCAL)
    if url and not is_whole:
        starts = " or ".join(f"{scheme}://" for scheme in schemes)
        raise ImproperlyConfigured(f"{name} is not a URL that begins with {starts} and has a host.")
    return url


def env_choice(name: str, default: str, choices: Sequence[str]) -> str:
    """One of `choices`. Raises ImproperlyConfigured for anything else."""
    value = env(name, default)
    if value not in choices:
        raise ImproperlyConfigured(f"{name}={value!r} is none of {', '.join(choices)}.")
    return value


def env_networks(name: str, default: str) -> list[str]:
    """IP networks like 10.0.0.0/8, between commas."""
    for network in env_list(name, default):
        try:
            ip_network(network, strict=False)
        except ValueError as error:
            raise ImproperlyConfigured(f"{name}: {network!r} is not a network like 10.0.0.0/8.") from error
    return env_list(name, default)


def env_list(name: str, default: str = "") -> list[str]:
    """The parts between commas, without the empty ones."""
    return [part.strip() for part in env(name, default).split(",") if part.strip()]
