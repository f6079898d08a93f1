"""How many requests may begin now: what has been taken is given back, whatever became of the request."""

from __future__ import annotations

from providers.gateway import slots
from providers.gateway.slots import RequestSlot


def take_all() -> list[RequestSlot]:
    """Every slot that is free now; each has to be released."""
    return list(iter(slots.take, None))


def count() -> int:
    taken = take_all()
    for slot in taken:
        slot.release()
    return len(taken)
