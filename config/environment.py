"""Environment variables as settings read them: typed, and rejected with a sentence when they are wrong.

A variable that is empty counts as not set, whatever reads the file it stands in. Quotes around a whole value are
removed, because a shell and systemd remove them and `docker --env-file` does not: one file serves all three.
"""

from __future__ import annotations

import os
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ImproperlyConfigured

_TRUE, _FALSE = ("1", "true", "yes", "on"), ("0", "false", "no", "off")


def env(name: str, default: str = "") -> str:
    """The variable's text, `default` when it is empty or not set."""
    value = os.environ.get(name, "").strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        value = value[1:-1].strip()
    return value or default


def env_bool(name: str, default: bool = False) -> bool:
    value = env(name).lower()
    if value and value not in _TRUE + _FALSE:
        raise ImproperlyConfigured(f"{name}={value!r} is not a yes or no. Use 1 or 0.")
    return value in _TRUE if value else default


def env_int(name: str, default: int) -> int:
    """A whole number of at least 0."""
    try:
        value = int(env(name) or default)
    except ValueError as error:
        raise ImproperlyConfigured(f"{name}={env(name)!r} is not a whole number.") from error
    if value < 0:
        raise ImproperlyConfigured(f"{name}={value} is negative.")
    return value


def env_decimal(name: str) -> Decimal | None:
    """An amount of at least 0, None when it is not set."""
    try:
        value = Decimal(env(name)) if env(name) else None
    except InvalidOperation as error:
        raise ImproperlyConfigured(f"{name}={env(name)!r} is not a number.") from error
    if value is not None and not (value.is_finite() and value >= 0):
        raise ImproperlyConfigured(f"{name}={env(name)!r} is not an amount.")
    return value


def env_list(name: str, default: str = "") -> list[str]:
    """The parts between commas, without the empty ones."""
    return [part.strip() for part in env(name, default).split(",") if part.strip()]
