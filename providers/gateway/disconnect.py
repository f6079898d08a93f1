"""Whether whoever asked is still there."""

from __future__ import annotations

import threading
from collections.abc import Callable


class Client:
    """The other end of one request. Only a server that notices a closed connection calls `leave` (asynchronous.py).

    `gone` is what routing watches: when it is set, waiting and polling end and the job is cancelled at the provider.
    """

    def __init__(self) -> None:
        self.gone = threading.Event()
        self._has_left = False
        self._when_gone: Callable[[], None] = self.gone.set
        self._lock = threading.Lock()

    def when_gone(self, action: Callable[[], None]) -> None:
        """What to do instead of giving up at once."""
        with self._lock:
            self._when_gone = action
            late = self._has_left
        if late:
            action()

    def leave(self) -> None:
        with self._lock:
            if self._has_left:
                return
            self._has_left = True
            action = self._when_gone
        action()
