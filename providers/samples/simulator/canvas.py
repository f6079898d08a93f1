"""Which size an order asks for, in any of the ways the three wire formats have for it.

Written without the code that makes our requests, so that a mistake there shows as a wrong size here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from math import sqrt
from typing import Any

SHORTEST, LONGEST = 64, 4096  # pixels; what the studio draws, whatever is ordered
PRESETS = {
    "square_hd": (1024, 1024), "square": (512, 512), "portrait_4_3": (768, 1024), "portrait_16_9": (576, 1024),
    "landscape_4_3": (1024, 768), "landscape_16_9": (1024, 576),
}  # fmt: skip

_PIXELS = re.compile(r"(\d{1,5})\s*[x×*]\s*(\d{1,5})")
_RATIO = re.compile(r"(\d{1,3}):(\d{1,3})")
_TIER = re.compile(r"(\d+(?:\.\d+)?)\s*(k|mp)?", re.IGNORECASE)

Size = tuple[int, int]


def canvas(order: Mapping[str, Any], source: Size | None = None) -> Size:
    """The size to draw. `source` is the size of the image to edit, which is the default for edits."""
    for name in ("image_size", "size"):
        if match := _exact(order.get(name)):
            return _clamped(match)
    if match := _exact(order):
        return _clamped(match)
    edge = _edge(order)
    if ratio := _RATIO.fullmatch(str(order.get("aspect_ratio") or order.get("size") or "")):
        a, b = max(1, int(ratio[1])), max(1, int(ratio[2]))
        return _clamped((int(edge * sqrt(a / b) + 0.5), int(edge / sqrt(a / b) + 0.5)))
    if source:
        scale = edge / sqrt(source[0] * source[1])
        return _clamped((int(source[0] * scale + 0.5), int(source[1] * scale + 0.5)))
    return _clamped((edge, edge))


def _exact(value: Any) -> Size | None:
    if isinstance(value, Mapping):
        try:
            return int(value["width"]), int(value["height"])
        except (KeyError, TypeError, ValueError):
            return None
    if isinstance(value, str):
        if value in PRESETS:
            return PRESETS[value]
        if match := _PIXELS.fullmatch(value):
            return int(match[1]), int(match[2])
    return None


def _edge(order: Mapping[str, Any]) -> int:
    """The side of a square with the area asked for: "2K", "1 MP", 0.25, "1MP"; 1K when nothing is said."""
    for name in ("resolution", "output_megapixels", "megapixels", "size", "image_size"):
        if match := _TIER.fullmatch(str(order.get(name) or "").strip()):
            amount, unit = float(match[1]), (match[2] or "mp").lower()
            return int(1024 * (amount if unit == "k" else sqrt(amount)))
    return 1024


def _clamped(size: Size) -> Size:
    scale = min(1.0, LONGEST / max(size))
    width, height = (max(SHORTEST, int(side * scale)) for side in size)
    return width, height
