"""An offering that fails again and again is not called for a while, by any worker; then one of them tries it.

closed      calls pass; a success resets the count of failures
open        after FAILURES in a row that were the provider's fault: no calls for 30 s, then 60 s, 120 s … 10 min
half-open   the time is over: one call passes, as a probe. If it is answered: closed; if it fails: open, for longer
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from providers.admission import valkey
from providers.errors import NotSent, ProviderError

FAILURES = 5
MIN_COOLDOWN, MAX_COOLDOWN = 30.0, 600.0  # seconds
PROBE_INTERVAL = 5.0  # seconds after which to retry while another worker's probe is under way

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
local cooldown = math.min(longest, first * 2 ^ (redis.call('HINCRBY', KEYS[1], 'openings', 1) - 1))
redis.call('HSET', KEYS[1], 'open_until', string.format('%.0f', now + cooldown), 'failures', 0)
redis.call('DEL', KEYS[2])
return 1
"""
_COOLING_DOWN = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local waits = {}
for i, key in ipairs(KEYS) do
  waits[i] = string.format('%.0f', math.max(0, tonumber(redis.call('HGET', key, 'open_until') or 0) - now))
end
return waits
"""
_ANSWERED = "return redis.call('DEL', KEYS[1], KEYS[2])"
_UNDECIDED = "return redis.call('DEL', KEYS[2])"


def question(offering: int, seconds: float) -> valkey.Step:
    """May this offering be called? After a yes, `report` or `undecided` follows: a probe blocks for `seconds` else."""
    return valkey.Step(_ALLOW, _keys(offering), [round(seconds * 1000), round(PROBE_INTERVAL * 1000)])


def verdict(answer: Any, name: str) -> None:
    """Pass, or raise NotSent."""
    wait = int(answer or 0) / 1000
    if wait:
        raise NotSent(f"{name} failed {FAILURES} times in a row; it is tried again in {wait:.0f} s.", retry_after=wait)


def report(offering: int, error: ProviderError | None) -> valkey.Step:
    """How a call went. A content-policy refusal is an answer; throttling and errors of our account decide nothing."""
    match error:
        case None:
            script = _ANSWERED
        case ProviderError(fault="provider"):
            script = _FAILED
        case ProviderError(outcome="content_policy"):
            script = _ANSWERED
        case _:
            return undecided(offering)
    return valkey.Step(script, _keys(offering), [FAILURES, round(MIN_COOLDOWN * 1000), round(MAX_COOLDOWN * 1000)])


def undecided(offering: int) -> valkey.Step:
    """The call was not sent, or says nothing about the offering: another one may probe."""
    return valkey.Step(_UNDECIDED, _keys(offering))


def cooling_down(offerings: Iterable[int]) -> dict[int, float]:
    """Seconds for which these offerings are not called, by id; those with a closed circuit are absent."""
    pks = list(offerings)
    waits = (valkey.run(_COOLING_DOWN, [_keys(pk)[0] for pk in pks], []) or []) if pks else []
    return {pk: int(wait) / 1000 for pk, wait in zip(pks, waits, strict=False) if int(wait)}


def _keys(offering: int) -> list[str]:
    return [f"circuit:{offering}", f"probe:{offering}"]
