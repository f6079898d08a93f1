"""Where in an answer an image can be: as a URL or base64, under the names that providers and their imitators use.

Pure: JSON in, strings out. An answer that was paid for is not thrown away because its image stands in another place
than the documentation says; what the strings really are is decided from the bytes (transfer/image_type.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# In the order of preference: bytes that are there before a URL that may have expired.
_NAMES = (
    "b64_json", "b64", "base64", "image_base64", "inlineData", "inline_data", "bytesBase64Encoded", "data",
    "url", "image_url", "imageUrl", "uri", "fileUri", "sample", "image", "source", "file",
)  # fmt: skip
_MAX_DEPTH = 12
# PNG, JPEG, WebP and GIF in base64, and a data: URL of an image. AVIF begins with a size and is not recognised so.
_ENCODED = re.compile(r"\s*(?:data:image/|iVBORw0KGgo|/9j/|UklGR|R0lGOD)")


def strings_of(item: Any, depth: int = 0) -> Iterator[str]:
    """The strings of one item of a result that may be its image, the likeliest first: base64, data: or https: URLs."""
    if isinstance(item, str) and item.strip():
        yield item
    elif isinstance(item, dict) and depth < 3:
        for name in _NAMES:
            yield from strings_of(item.get(name), depth + 1)


def strays(body: Any, depth: int = 0) -> Iterator[str]:
    """The strings anywhere in an answer that are an image in base64, for answers without one in the usual places."""
    if depth > _MAX_DEPTH:
        return
    if isinstance(body, str):
        if len(body) > 64 and _ENCODED.match(body):
            yield body
    elif isinstance(body, dict | list):
        for value in body.values() if isinstance(body, dict) else body:
            yield from strays(value, depth + 1)
