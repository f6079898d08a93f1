"""A provider's answer, and what every wire reads of it: times, tokens, when to come again."""

from __future__ import annotations

import json
import math
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

import httpx

MAX_TOKENS = 10**9  # of one answer; a larger number is not one of tokens
_NAME = re.compile(r"[A-Za-z_]{1,40}")
_RESETS_IN = re.compile(r"(?:resets?|retry|again) (?:in|after) ~?(\d+(?:\.\d+)?) ?(ms|s|m)?", re.IGNORECASE)


@dataclass(frozen=True)
class Reply:
    """A complete answer, whatever its status. `ttfb` is the time from sending to its headers, in seconds."""

    status: int
    headers: httpx.Headers
    body: bytes
    ttfb: float

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @cached_property
    def json(self) -> Any:
        """The body as JSON; None when it is none (an HTML page of some gateway, an empty body).

        Parsed once: images are in it, and every reader of a field asks for it again.
        """
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    def object(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one when it is anything else."""
        value = self.json
        return value if isinstance(value, dict) else {}

    def text(self, limit: int = 2_000) -> str:
        """The beginning of the body, at most `limit` characters: for `ProviderError.detail`, never for a message."""
        return " ".join(self.body[: limit * 4].decode("utf-8", "replace").split())[:limit]


def _number(value: Any) -> float | None:
    """A finite number ≥ 0, from JSON or from a header; None for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None


def duration_of(seconds: Any) -> timedelta | None:
    """A time a provider reports about itself; None when it reports none, or nonsense."""
    number = _number(seconds)
    return None if number is None or number > 86_400 else timedelta(seconds=number)


def _is_count(value: Any) -> bool:
    """A number that can be one of tokens."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_TOKENS


def token_counts(usage: Any, depth: int = 0) -> dict[str, Any] | None:
    """The numbers of a usage object, nested as they came. It is stored and handed on: texts and oddities are left out,
    and names that are more than words."""
    if not isinstance(usage, dict) or depth > 3:
        return None
    counts: dict[str, Any] = {}
    for name, value in list(usage.items())[:40]:
        if not _NAME.fullmatch(name):
            continue
        nested = token_counts(value, depth + 1)
        if nested:
            counts[name] = nested
        elif _is_count(value):
            counts[name] = value
        elif isinstance(value, list) and (by_modality := _by_modality(value)):
            counts[name] = by_modality
    return counts or None


def _by_modality(rows: list[Any]) -> dict[str, Any]:
    """Google: [{"modality": "IMAGE", "tokenCount": 1290}]"""
    counts = [(row.get("modality"), row.get("tokenCount")) for row in rows[:10] if isinstance(row, dict)]
    return {name: n for name, n in counts if isinstance(name, str) and _NAME.fullmatch(name) and _is_count(n)}


def retry_after(reply: Reply) -> float | None:
    """Seconds to wait, from the headers, or from the text (Replicate: "Your rate limit resets in ~30s.")."""
    if (milliseconds := _number(reply.headers.get("retry-after-ms"))) is not None:
        return milliseconds / 1000
    value = reply.headers.get("retry-after", "")
    if (seconds := _number(value)) is not None:
        return seconds
    if value:
        try:
            until = parsedate_to_datetime(value).astimezone(UTC)
        except (ValueError, OverflowError):
            return None
        return max(0.0, (until - datetime.now(UTC)).total_seconds())
    if match := _RESETS_IN.search(reply.text(2000)):
        return float(match[1]) * {"ms": 0.001, "m": 60.0}.get((match[2] or "s").lower(), 1.0)
    return None
