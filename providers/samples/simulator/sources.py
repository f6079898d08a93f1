"""Source images of edits, as requests bring them: data: URIs, or addresses of files this server keeps."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Any

from PIL import Image

from .canvas import Size
from .gallery import Gallery

FIELDS = (
    "image_urls", "image_url", "images", "image", "input_images", "input_image", "image_input", "image_prompt",
)  # fmt: skip


class Unreadable(Exception):
    """A source image that cannot be had. `field` is the argument that names it."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


def source_of(order: Mapping[str, Any], gallery: Gallery) -> tuple[bytes, Size | None]:
    """The first source image and its size; (b"", None) when the order has none."""
    for field in FIELDS:
        value = order.get(field)
        first = value[0] if isinstance(value, Sequence) and not isinstance(value, str) and value else value
        if isinstance(first, Mapping):  # {"image_url": "…"}
            first = first.get("image_url")
        if isinstance(first, str) and first:
            data = _read(first, gallery, field)
            return data, size_of(data, field)
    return b"", None


def size_of_source(uri: Any, gallery: Gallery, field: str) -> Size:
    return size_of(_read(str(uri), gallery, field), field)


def size_of(data: bytes, field: str = "image") -> Size:
    try:
        with Image.open(BytesIO(data)) as image:
            return image.size
    except (OSError, ValueError) as error:
        raise Unreadable(field) from error


def _read(uri: str, gallery: Gallery, field: str) -> bytes:
    head, comma, payload = uri.partition(",")
    if head.startswith("data:") and comma:
        try:
            return base64.b64decode(payload, validate=True)
        except binascii.Error as error:
            raise Unreadable(field) from error
    # Only our own files: a simulator that fetched foreign addresses would have to be as careful as the real thing.
    if picture := gallery.find(uri.partition("?")[0].rpartition("/")[2]):
        return picture.read()
    raise Unreadable(field)
