"""Server-sent events out of the bytes of an answer, as they come."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


class Events:
    """Feed it what is received. Half-made images are passed on at once, all other events are collected in `others`."""

    def __init__(self, on_partial: Callable[[dict[str, Any]], None]) -> None:
        self.on_partial = on_partial
        self.others: list[dict[str, Any]] = []
        self._buffer = bytearray()

    def feed(self, data: bytes) -> None:
        """The next bytes of the stream, cut anywhere."""
        start = max(0, len(self._buffer) - 3)  # an end may be cut in two
        self._buffer += data.replace(b"\r", b"")
        while (end := self._buffer.find(b"\n\n", start)) >= 0:
            self._take(bytes(self._buffer[:end]))
            del self._buffer[: end + 2]
            start = 0

    def _take(self, block: bytes) -> None:
        lines = [line[5:].removeprefix(b" ") for line in block.split(b"\n") if line.startswith(b"data:")]
        try:
            event = json.loads(b"\n".join(lines)) if lines else None
        except (ValueError, RecursionError):
            return
        if not isinstance(event, dict):
            return
        if str(event.get("type")).endswith(".partial_image"):
            self.on_partial(event)
        else:
            self.others.append(event)
