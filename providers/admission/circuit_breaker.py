"""An offering that fails again and again is not called for a while, by any worker; then one of them tries it.

closed      calls pass; a success resets the count of failures
open        after FAILURES in a row that were the provider's fault: no calls for 30 s, then 60 s, 120 s … 10 min
half-open   the time is over: one call passes, as a probe. If it is answered: closed; if it fails: open, for longer

Some inputs make a provider fail, and callers choose their inputs. So each party – an API key, the playground's visitors
– has a circuit of its own beside the one of all, which counts no more than PARTY_FAILURES of one party in a row: its
failures stop its own calls, and those of everybody only together with other parties'. Calls without a party are ours
(the arena's curated prompts) and count in full.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from providers.admission import valkey
from providers.errors import NotSent, ProviderError

FAILURES = 5
PARTY_FAILURES = 2  # of one party in a row, as far as they count for all: it takes three of them to stop everybody
MIN_COOLDOWN, MAX_COOLDOWN = 30.0, 600.0  # seconds
PROBE_INTERVAL = 5.0  # seconds after which to retry while another worker's probe is under way

# KEYS of all scripts but the third: circuit and probe of all, then those of the party, if there is one.
_ALLOW = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local half_open = {}
for i = 1, #KEYS, 2 do
  local open_until = tonumber(redis.call('HGET', KEYS[i], 'open_until') or 0)
  if open_until > now then return string.format('%.0f', open_until - now) end
  if open_until ~= 0 then table.insert(half_open, KEYS[i + 1]) end
end
for i, probe in ipairs(half_open) do
  if not redis.call('SET', probe, '1', 'NX', 'PX', ARGV[1]) then
    for j = 1, i - 1 do redis.call('DEL', half_open[j]) end
    return ARGV[2]
  end
end
return 0
"""
_FAILED = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local limit, first, longest = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local party, party_limit = ARGV[4], tonumber(ARGV[5])
for i = 1, #KEYS, 2 do
  local open_until = tonumber(redis.call('HGET', KEYS[i], 'open_until') or 0)
  if open_until <= now then -- else a call from before: known already
    local counts = 1
    if i == 1 and party ~= '' and redis.call('HINCRBY', KEYS[i], 'of ' .. party, 1) > party_limit then counts = 0 end
    local failures = redis.call('HINCRBY', KEYS[i], 'failures', counts)
    redis.call('PEXPIRE', KEYS[i], longest * 2)
    if counts == 1 and (open_until ~= 0 or failures >= limit) then
      local cooldown = math.min(longest, first * 2 ^ (redis.call('HINCRBY', KEYS[i], 'openings', 1) - 1))
      redis.call('HSET', KEYS[i], 'open_until', string.format('%.0f', now + cooldown), 'failures', 0)
    end
    redis.call('DEL', KEYS[i + 1])
  end
end
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
_ANSWERED = "return redis.call('DEL', unpack(KEYS))"
_UNDECIDED = "for i = 2, #KEYS, 2 do redis.call('DEL', KEYS[i]) end return 0"


def question(offering: int, seconds: float, party: str = "") -> valkey.Step:
    """May this offering be called? After a yes, `report` or `undecided` follows: a probe blocks for `seconds` else."""
    return valkey.Step(_ALLOW, _keys(offering, party), [round(seconds * 1000), round(PROBE_INTERVAL * 1000)])


def verdict(answer: Any, name: str) -> None:
    """Pass, or raise NotSent."""
    wait = int(answer or 0) / 1000
    if wait:
        raise NotSent(f"{name} failed {FAILURES} times in a row; it is tried again in {wait:.0f} s.", retry_after=wait)


def report(offering: int, error: ProviderError | None, party: str = "") -> valkey.Step:
    """How a call went. A content-policy refusal is an answer; throttling and errors of our account decide nothing."""
    match error:
        case None:
            script = _ANSWERED
        case ProviderError(fault="provider"):
            script = _FAILED
        case ProviderError(outcome="content_policy"):
            script = _ANSWERED
        case _:
            return undecided(offering, party)
    times = [round(MIN_COOLDOWN * 1000), round(MAX_COOLDOWN * 1000)]
    return valkey.Step(script, _keys(offering, party), [FAILURES, *times, party, PARTY_FAILURES])


def undecided(offering: int, party: str = "") -> valkey.Step:
    """The call was not sent, or says nothing about the offering: another one may probe."""
    return valkey.Step(_UNDECIDED, _keys(offering, party))


def cooling_down(offerings: Iterable[int]) -> dict[int, float]:
    """Seconds for which these offerings are called by nobody, by id; those with a closed circuit are absent."""
    pks = list(offerings)
    waits = (valkey.run(_COOLING_DOWN, [_keys(pk)[0] for pk in pks], []) or []) if pks else []
    return {pk: int(wait) / 1000 for pk, wait in zip(pks, waits, strict=False) if int(wait)}


def _keys(offering: int, party: str = "") -> list[str]:
    keys = [f"circuit:{offering}", f"probe:{offering}"]
    return keys + [f"{key}:{party}" for key in keys] if party else keys
