"""Server-sent events out of the bytes of an answer, as they come."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any


class Events:
    """Feed it what is received. Half-made images are handed on at once, all other events are kept."""

    def __init__(self, on_partial: Callable[[dict[str, Any]], None]) -> None:
        self.on_partial = on_partial
        self.kept: list[dict[str, Any]] = []
        self._rest = bytearray()

    def feed(self, data: bytes) -> None:
        start = max(0, len(self._rest) - 3)  # an end may be cut in two
        self._rest += data.replace(b"\r", b"")
        while (end := self._rest.find(b"\n\n", start)) >= 0:
            self._take(bytes(self._rest[:end]))
            del self._rest[: end + 2]
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
            self.kept.append(event)
