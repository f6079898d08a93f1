"""How many requests a provider gets at once and per second, over all workers together: spaced, not rejected.

A request takes a lease before it is sent and returns it afterwards; the lease of a worker that died expires. The rate
is GCRA with a burst: after a quiet time `burst` requests may go at once, then one every 1/rate seconds. Requests that
find no place wait in one queue per provider, first come, first served, whichever worker they are in; each asks again
when its turn may have come, and one that is not heard of for `QUEUE_TIMEOUT` has lost its place. How long a request
may wait is the caller's to say (`admit.py`); one that gives up gets a time to retry of its own, so that many which
give up do not come back at once.

A provider that answered 429 with a time is not called before, by any worker: as a whole, or only the model that was
called, as its limits are (`pause` in the settings). Requests for a paused model do not hold up those behind them.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings

from providers.admission import valkey
from providers.errors import NotSent
from providers.models import Offering

GRACE = 15.0  # seconds a lease outlives the time limit of its call: recording and cancelling take time too
MAX_RETRY_AFTER = 120.0  # seconds
DEFAULT_PAUSE, MAX_PAUSE = 1.0, 3600.0  # seconds; the first for a provider that names no time
QUEUE_TIMEOUT = 3.0  # seconds
POLL_INTERVAL, MAX_POLL_INTERVAL = 0.05, 0.5  # seconds between two looks at the queue, growing with the place in it

# KEYS: leases, next, queue, seen, pause. Times are in microseconds.
# ARGV: concurrency, interval, burst, id, lease, ticket, queue timeout. Returns {reason, seconds to wait, ticket}.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local concurrency, interval, burst, id = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), ARGV[4]
local function text(number) return string.format('%.0f', number) end
local ticket = ARGV[6] == '' and text(now) or ARGV[6]

local pause = redis.call('PTTL', KEYS[5])
if pause > 0 then
    redis.call('ZREM', KEYS[3], id)
    redis.call('ZREM', KEYS[4], id)
    return {'pause', text(pause * 1000), ticket}
end

redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now))
for _, gone in ipairs(redis.call('ZRANGEBYSCORE', KEYS[4], '-inf', text(now - ARGV[7]))) do
    redis.call('ZREM', KEYS[3], gone)
    redis.call('ZREM', KEYS[4], gone)
end
local next_at = math.max(now, tonumber(redis.call('GET', KEYS[2]) or 0))
local ahead = redis.call('ZCOUNT', KEYS[3], '-inf', '(' .. ticket)
local free = concurrency > 0 and concurrency - redis.call('ZCARD', KEYS[1]) or ahead + 1
local wait = interval > 0 and next_at - now + (ahead + 1 - burst) * interval or 0
if free > ahead and wait <= 0 then
    redis.call('ZREM', KEYS[3], id)
    redis.call('ZREM', KEYS[4], id)
    if interval > 0 then
        local lasts = math.ceil((next_at - now + interval) / 1000) + 1
        redis.call('SET', KEYS[2], text(next_at + interval), 'PX', text(lasts))
    end
    redis.call('ZADD', KEYS[1], text(now + ARGV[5]), id)
    redis.call('PEXPIRE', KEYS[1], 86400000)
    return {'', '0', ticket}
end
redis.call('ZADD', KEYS[3], 'NX', ticket, id)
redis.call('ZADD', KEYS[4], text(now), id)
redis.call('PEXPIRE', KEYS[3], 86400000)
redis.call('PEXPIRE', KEYS[4], 86400000)
if free > ahead then return {'rate', text(wait), ticket} end
return {'concurrency', text(ahead - free), ticket}
"""
# KEYS: queue, seen, retries. ARGV: id, interval of retries, longest. Returns the time after which to retry.
_LEAVE_QUEUE = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local function text(number) return string.format('%.0f', number) end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
local at = math.max(now, tonumber(redis.call('GET', KEYS[3]) or 0)) + ARGV[2]
at = math.min(at, now + ARGV[3])
redis.call('SET', KEYS[3], text(at), 'PX', text(math.ceil((at - now) / 1000) + 1))
return text(at - now)
"""
_GIVE_BACK = "return redis.call('ZREM', KEYS[1], ARGV[1])"
_PAUSE = """
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], '1', 'PX', ARGV[1]) end
return 1
"""


@dataclass(slots=True)
class Lease:
    """The right to have one request with the provider, once `verdict` has let it pass; before, a place in the queue."""

    provider: str
    scope: str  # what a pause applies to: the provider, or one of its models
    concurrency: int  # requests at once; 0: no limit
    rate: float  # requests a second; 0: no limit
    burst: int  # requests that may go at once after a quiet time
    id: str = field(default_factory=lambda: secrets.token_hex(8))
    ticket: str = ""  # when it joined the queue, by Valkey's clock

    def key(self, part: str) -> str:
        return f"{part}:{self.provider}"

    @property
    def interval(self) -> float:
        """Seconds between two requests."""
        return 1 / self.rate if self.rate else 0.0


def lease(offering: Offering) -> Lease:
    """What to take for a request to this offering, by its provider's limits in the settings."""
    limits: dict[str, Any] = settings.PROVIDERS[offering.provider].get("limits", {})
    by_model = limits.get("pause") == "model"
    rate = float(limits.get("rate") or 0)
    return Lease(
        offering.provider,
        scope=f"{offering.provider}:{offering.image_model_id}" if by_model else offering.provider,
        concurrency=int(limits.get("concurrency") or 0),
        rate=rate,
        burst=int(limits.get("burst") or max(1, round(rate))),
    )


def question(lease: Lease, seconds: float) -> valkey.Step:
    """Take the lease for a request of at most `seconds`, or a place in the queue. For `verdict`."""
    return valkey.Step(
        _TAKE,
        [*(lease.key(part) for part in ("leases", "next", "queue", "seen")), f"pause:{lease.scope}"],
        [
            lease.concurrency,
            round(lease.interval * 1_000_000),
            lease.burst,
            lease.id,
            round((seconds + GRACE) * 1_000_000),
            lease.ticket,
            round(QUEUE_TIMEOUT * 1_000_000),
        ],
    )


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is "" when the lease was taken, else why not: "pause", "rate" or "concurrency". `wait` is in seconds:
    until the pause is over, or until it is worth to ask again. `excess` counts the requests, this one included, that
    have no place before one of those at work ends."""

    reason: str = ""
    wait: float = 0.0
    excess: int = 0


def verdict(answer: Any, lease: Lease) -> Verdict:
    """Reads the answer to `question`. Without Valkey (None) every request passes."""
    if not answer:
        return Verdict()
    reason, number, lease.ticket = answer
    if reason == "concurrency":
        excess = 1 + int(number)
        return Verdict(reason, min(MAX_POLL_INTERVAL, POLL_INTERVAL * excess), excess)
    return Verdict(reason, int(number) / 1_000_000)


def throttled(lease: Lease, verdict: Verdict) -> NotSent:
    """Leaves the queue; the error of a request that waits no longer, with a time to retry."""
    variable = lease.provider.upper().replace("-", "_")
    if verdict.reason == "pause":
        message = f"{lease.provider} asked for no more requests for another {verdict.wait:.0f} s."
        return NotSent(message, retry_after=verdict.wait)
    retry_after = leave_queue(lease)
    if verdict.reason == "concurrency":
        message = (
            f"{lease.provider} is working on {lease.concurrency} requests, as many as {variable}_CONCURRENCY allows."
        )
    else:
        message = f"{lease.provider} gets {lease.rate:g} requests a second, as many as {variable}_RATE allows."
    return NotSent(message, retry_after=retry_after or verdict.wait, own_limit=True)


def leave_queue(lease: Lease) -> float:
    """Give up the place in the queue. Returns the seconds after which to retry."""
    interval = lease.interval or 1 / (lease.concurrency or 1)
    answer = valkey.run(
        _LEAVE_QUEUE,
        [lease.key(part) for part in ("queue", "seen", "retries")],
        [lease.id, round(interval * 1_000_000), round(MAX_RETRY_AFTER * 1_000_000)],
    )
    return int(answer or 0) / 1_000_000


def giving_back(lease: Lease) -> valkey.Step:
    """The step that ends a lease; harmless when it has expired or ended before."""
    return valkey.Step(_GIVE_BACK, [lease.key("leases")], [lease.id])


def pause(lease: Lease, seconds: float) -> valkey.Step:
    """No worker calls the provider, or its model, for so long: it said so itself (Retry-After)."""
    return valkey.Step(_PAUSE, [f"pause:{lease.scope}"], [max(1, round(min(seconds, MAX_PAUSE) * 1000))])
