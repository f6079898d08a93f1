"""Which process works on a request, and whether it is still alive.

A process that is killed leaves its requests running. Its name in Valkey expires within `TTL` seconds, so a client's
retry need not wait for a dead one, and what the request reserved is free again in a minute. While Valkey cannot be
reached, nobody is taken for dead.
"""

from __future__ import annotations

import os
import threading
import time
import uuid

from providers.admission import valkey

TTL = 20  # seconds after its last sign of life in which a process counts as alive
INTERVAL = 5.0  # seconds between two signs of life

# Since when signs of life are stored: after a restart of Valkey everybody is silent for a moment.
_SINCE = "gateway:processes since"
_RECORD = """
redis.call('SET', KEYS[1], '1', 'EX', ARGV[1])
redis.call('SET', KEYS[2], redis.call('TIME')[1], 'NX')
return 1
"""
_DEAD = """
local since = redis.call('GET', KEYS[2])
if not since or redis.call('TIME')[1] - since < tonumber(ARGV[1]) then return 0 end
return 1 - redis.call('EXISTS', KEYS[1])
"""

_starting = threading.Lock()
_name, _pid = "", 0


def name() -> str:
    """Of this process; from the first call on it gives signs of life."""
    global _name, _pid
    if _pid != os.getpid():  # a fork is another process
        with _starting:
            if _pid != os.getpid():
                _name = uuid.uuid4().hex
                _record(_name)
                threading.Thread(target=_record_for_ever, args=(_name,), daemon=True, name="signs of life").start()
                _pid = os.getpid()
    return _name


def is_dead(process: str) -> bool:
    """True when this process has given no sign of life for TTL seconds; of "" nothing is known."""
    return bool(process) and valkey.run(_DEAD, [_key(process), _SINCE], [TTL]) == 1


def _record_for_ever(process: str) -> None:
    while True:
        time.sleep(INTERVAL)
        _record(process)


def _record(process: str) -> None:
    valkey.run(_RECORD, [_key(process), _SINCE], [TTL])


def _key(process: str) -> str:
    return f"gateway:process:{process}"
