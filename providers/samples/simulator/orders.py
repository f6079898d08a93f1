"""What one request asks for, whatever its wire format."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from .canvas import Size


@dataclass(frozen=True, slots=True)
class Order:
    provider: str
    endpoint: str
    prompt: str
    size: Size
    arguments: Mapping[str, Any] = field(default_factory=dict)
    n: int = 1
    seed: int | None = None
    format: str = "png"
    source: bytes = b""
    edits: bool = False

    @property
    def key(self) -> str:
        return f"{self.provider} {self.endpoint} {self.prompt}"

    def remembered(self) -> Order:
        """Without its source images: thousands of jobs are remembered, and images are large."""
        short = {name: value for name, value in self.arguments.items() if len(repr(value)) < 4000}
        return replace(self, arguments=short, source=b"", edits=bool(self.source))
