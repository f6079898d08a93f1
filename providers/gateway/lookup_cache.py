"""Keys and models that were just looked up, so that a burst of images does not look them up again for each.

What is kept may have changed meanwhile – a key revoked, a model retired – so nothing is made by it alone: the statement
that writes the request down confirms key and model (`repeats.claim`), and where it finds them changed, both are
forgotten and looked up again. So a change counts at once, and costs a second look only when there was one.
"""

from __future__ import annotations

from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

from providers.models import ApiKey
from providers.routing.generate import Target

SECONDS = 5.0
MOST = 1000  # names and keys; beyond, everything is forgotten

Found = TypeVar("Found")


class Changed(Exception):
    """The key or the model is not what it was when it was kept."""


class _Kept(Generic[Found]):
    def __init__(self) -> None:
        self._found: dict[str, tuple[float, Found]] = {}

    def of(self, name: str, look_up: Callable[[str], Found]) -> Found:
        """What was found lately, or is found now. What is not found raises, and is not kept."""
        until, found = self._found.get(name, (0.0, None))
        if found is None or until <= monotonic():
            found = look_up(name)
            if len(self._found) >= MOST:
                self._found.clear()
            self._found[name] = monotonic() + SECONDS, found
        return found

    def forget(self, name: str) -> None:
        self._found.pop(name, None)


api_keys: _Kept[ApiKey] = _Kept()  # by digest
targets: _Kept[Target] = _Kept()  # by the name that a request wrote
