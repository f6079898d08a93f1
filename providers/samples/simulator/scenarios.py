"""What a prompt asks to go wrong, and how long the work takes: both follow from the prompt alone."""

from __future__ import annotations

import hashlib
import math
import re
import threading
from collections import Counter
from dataclasses import dataclass, field

_SCENARIO = re.compile(r"\[sim:([a-z0-9-]+)(?:=([^\]]*))?\]")
_STATUS = re.compile(r"(gateway-)?([1-5]\d\d)(-after)?")


@dataclass(frozen=True, slots=True)
class Fault:
    """A refusal at the door. `gateway`: by the machinery before the provider, in no format at all."""

    status: int
    retry_after: str = ""
    gateway: bool = False


@dataclass(frozen=True, slots=True)
class Scenario:
    """The faults named in one prompt."""

    asked: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, prompt: str) -> Scenario:
        return cls({name: argument or "" for name, argument in _SCENARIO.findall(prompt)})

    def __contains__(self, name: str) -> bool:
        return name in self.asked

    def text(self, name: str, default: str = "") -> str:
        return self.asked.get(name) or default

    def number(self, name: str, default: float = 0.0) -> float:
        try:
            return float(self.asked.get(name) or default)
        except ValueError:
            return default

    @property
    def result(self) -> str:
        """What is wrong with the image's address: the part after "result-", or ""."""
        return next((name.removeprefix("result-") for name in self.asked if name.startswith("result-")), "")


def without_scenario(prompt: str) -> str:
    """The prompt to draw: asking for a fault must not change the picture."""
    return _SCENARIO.sub("", prompt).strip()


class Once:
    """Counts how often something happened, for faults that go away after the first N times."""

    def __init__(self) -> None:
        self._seen: Counter[str] = Counter()
        self._lock = threading.Lock()

    def still(self, key: str, times: int) -> bool:
        """True the first `times` times it is asked about `key`."""
        with self._lock:
            if len(self._seen) > 10_000:
                self._seen.clear()
            self._seen[key] += 1
            return self._seen[key] <= times


def fault_of(scenario: Scenario, key: str, once: Once) -> Fault | None:
    """The error at the start that the scenario asks for. `key` identifies the order for 429-once."""
    if "user-timeout" in scenario:
        return Fault(504)
    if "429-once" in scenario and once.still(f"429 {key}", 1):
        return Fault(429, retry_after=scenario.text("429-once"))
    for name, argument in scenario.asked.items():
        if match := _STATUS.fullmatch(name):
            if not match[3]:
                return Fault(int(match[2]), retry_after=argument, gateway=bool(match[1]))
            if not once.still(f"{name} {key}", int(scenario.number(name))):
                return Fault(int(match[2]), gateway=bool(match[1]))
    return None


def share(*parts: object) -> float:
    """A number in [0, 1) that follows from its parts."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode()).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def usual_seconds(model: str) -> float:
    """How long a model takes for an image of one megapixel: between 0.3 s and 3 s, always the same for one model."""
    return 0.3 * math.pow(10, share("speed", model))


def work_seconds(model: str, prompt: str, megapixels: float) -> float:
    """How long this picture takes: around the model's usual time, longer when large, and now and then much longer."""
    luck = share("luck", model, prompt)
    tail = 1 + 1.5 * max(0.0, luck - 0.94) / 0.06
    return usual_seconds(model) * (0.8 + 0.4 * luck) * tail * math.sqrt(max(0.5, megapixels))
