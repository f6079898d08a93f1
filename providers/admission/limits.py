"""How much is asked of a provider at once and per second, over all workers together.

A request takes a lease before it is sent and gives it back afterwards; the lease of a worker that died ends by itself.
The rate is kept by GCRA (one time stamp: when the next request may go), without bursts. Who is refused is told a time
of their own to come back: the refused stand in a line that moves as fast as the provider's limit, so a long queue
knocks a few times a second and not all at once. A provider that said when it wants to be asked again is not asked
before, by any worker.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from providers.admission import valkey
from providers.errors import NotSent

GRACE = 15.0  # seconds a lease outlives the time limit of its call: recording and cancelling take time too
LONGEST_LINE = 120.0  # seconds; nobody is told to come back later than this
LONGEST_PAUSE = 3600.0

_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local concurrency, interval, lease = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[4])
local function text(number) return string.format('%.0f', number) end

local pause = redis.call('PTTL', KEYS[3])
if pause > 0 then return {'pause', text(pause * 1000)} end

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now))
local full = concurrency > 0 and redis.call('ZCARD', KEYS[1]) >= concurrency
local next_at = math.max(now, tonumber(redis.call('GET', KEYS[2]) or 0))
if full or (interval > 0 and next_at > now) then
    local step = full and math.max(interval, 1000000 / concurrency) or interval
    local line = math.max(now, full and 0 or next_at - step, tonumber(redis.call('GET', KEYS[4]) or 0)) + step
    line = math.min(line, now + tonumber(ARGV[5]))
    redis.call('SET', KEYS[4], text(line), 'PX', text(math.ceil((line - now) / 1000) + 1))
    return {full and 'concurrency' or 'rate', text(line - now)}
end
if interval > 0 then
    redis.call('SET', KEYS[2], text(next_at + interval), 'PX', text(math.ceil(interval / 1000) + 1000))
end
redis.call('ZADD', KEYS[1], text(now + lease), ARGV[3])
redis.call('PEXPIRE', KEYS[1], 86400000)
return {'', '0'}
"""
_GIVE_BACK = "return redis.call('ZREM', KEYS[1], ARGV[1])"
_PAUSE = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end
return 1
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to have one request with the provider for so many seconds, once `verdict` has let it pass."""

    provider: str
    concurrency: int
    rate: float
    id: str = field(default_factory=lambda: secrets.token_hex(8))


def lease(provider: str) -> Lease:
    """What to ask for, by the provider's limits in the settings."""
    limits: dict[str, Any] = settings.PROVIDERS[provider].get("limits", {})
    return Lease(provider, int(limits.get("concurrency") or 0), float(limits.get("rate") or 0))


def question(wanted: Lease, seconds: float) -> valkey.Step:
    return valkey.Step(
        _TAKE,
        [f"{part}:{wanted.provider}" for part in ("leases", "next", "pause", "line")],
        [
            wanted.concurrency,
            round(1_000_000 / wanted.rate) if wanted.rate else 0,
            wanted.id,
            round((seconds + GRACE) * 1_000_000),
            round(LONGEST_LINE * 1_000_000),
        ],
    )


def verdict(answer: Any, wanted: Lease) -> None:
    """Pass, or raise NotSent with the time to wait."""
    reason, wait = (answer[0], int(answer[1]) / 1_000_000) if answer else ("", 0.0)
    provider, variable = wanted.provider, wanted.provider.upper().replace("-", "_")
    match reason:
        case "":
            return
        case "pause":
            message = f"{provider} asked not to be asked for another {wait:.0f} s."
        case "concurrency":
            message = (
                f"{provider} is at work on {wanted.concurrency} requests, as many as {variable}_CONCURRENCY allows."
            )
        case _:
            message = f"{provider} gets {wanted.rate:g} requests a second, as many as {variable}_RATE allows."
    raise NotSent(message, retry_after=wait, own_limit=reason != "pause")


def giving_back(taken: Lease) -> valkey.Step:
    return valkey.Step(_GIVE_BACK, [f"leases:{taken.provider}"], [taken.id])


def pause(provider: str, seconds: float) -> valkey.Step:
    """Lets no worker ask the provider for so long: it said so itself (Retry-After)."""
    return valkey.Step(_PAUSE, [f"pause:{provider}"], [max(1, round(min(seconds, LONGEST_PAUSE) * 1000))])
