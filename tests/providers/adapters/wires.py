"""The wire formats of the simulator, by what they can do."""

from __future__ import annotations

WIRES = ("fal", "fal-run", "replicate", "openai", "bfl", "gemini")


QUEUES = ("fal", "replicate")  # the wire formats in which a job can be asked about and cancelled


POLLED = (*QUEUES, "bfl")  # … and those in which it can be asked about


WITH_ADDRESSES = tuple(wire for wire in WIRES if wire != "gemini")  # … and in which images come as addresses
