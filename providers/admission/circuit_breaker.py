"""An offering that fails again and again is left alone for a while, by all workers; then one of them tries it.

closed      calls pass; a success forgets the failures before it
open        after FAILURES in a row that were the provider's fault: nobody calls for 30 s, then 60 s, 120 s … 10 min
half-open   the time is over: one call passes, as a probe. It brings an answer – closed; it fails – open, for longer
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from providers.admission import valkey
from providers.errors import NotSent, ProviderError

FAILURES = 5
FIRST_REST, LONGEST_REST = 30.0, 600.0  # seconds
NEXT_LOOK = 5.0  # seconds after which to look again while somebody else's probe is out

_ALLOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local open_until = tonumber(redis.call('HGET', KEYS[1], 'open_until') or 0)
if open_until == 0 then return 0 end
if open_until > now then return string.format('%.0f', open_until - now) end
if redis.call('SET', KEYS[2], '1', 'NX', 'PX', ARGV[1]) then return 0 end
return ARGV[2]
"""
_FAILED = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local open_until = tonumber(redis.call('HGET', KEYS[1], 'open_until') or 0)
if open_until > now then return 0 end -- a call from before: known already
local failures = redis.call('HINCRBY', KEYS[1], 'failures', 1)
local first, longest = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('PEXPIRE', KEYS[1], longest * 2)
if open_until == 0 and failures < tonumber(ARGV[1]) then return 0 end
local rest = math.min(longest, first * 2 ^ (redis.call('HINCRBY', KEYS[1], 'openings', 1) - 1))
redis.call('HSET', KEYS[1], 'open_until', string.format('%.0f', now + rest), 'failures', 0)
redis.call('DEL', KEYS[2])
return 1
"""
_RESTING = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local found = {}
for i, key in ipairs(KEYS) do
  found[i] = string.format('%.0f', math.max(0, tonumber(redis.call('HGET', key, 'open_until') or 0) - now))
end
return found
"""
_ANSWERED = "return redis.call('DEL', KEYS[1], KEYS[2])"
_UNDECIDED = "return redis.call('DEL', KEYS[2])"


def question(offering: int, seconds: float) -> valkey.Step:
    """May this offering be asked? Whoever gets a yes reports how it went: a probe holds the way for `seconds` else."""
    return valkey.Step(_ALLOW, _keys(offering), [round(seconds * 1000), round(NEXT_LOOK * 1000)])


def verdict(answer: Any, name: str) -> None:
    """Pass, or raise NotSent."""
    wait = int(answer or 0) / 1000
    if wait:
        raise NotSent(f"{name} failed {FAILURES} times in a row; it is tried again in {wait:.0f} s.", retry_after=wait)


def report(offering: int, error: ProviderError | None) -> valkey.Step:
    """How a call went. A refusal is an answer too; throttling and our own account's troubles decide nothing."""
    match error:
        case None:
            script = _ANSWERED
        case ProviderError(fault="provider"):
            script = _FAILED
        case ProviderError(outcome="content_policy"):
            script = _ANSWERED
        case _:
            script = _UNDECIDED
    return valkey.Step(script, _keys(offering), [FAILURES, round(FIRST_REST * 1000), round(LONGEST_REST * 1000)])


def resting(offerings: Iterable[int]) -> dict[int, float]:
    """Seconds for which these offerings are still left alone; those that are asked are absent. Changes nothing."""
    wanted = list(offerings)
    waits = (valkey.run(_RESTING, [_keys(each)[0] for each in wanted], []) or []) if wanted else []
    return {offering: int(wait) / 1000 for offering, wait in zip(wanted, waits, strict=False) if int(wait)}


def _keys(offering: int) -> list[str]:
    return [f"circuit:{offering}", f"probe:{offering}"]
