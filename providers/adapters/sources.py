"""The source images of an edit on their way out: inside the JSON while they are small, uploaded first when not.

An upload creates no job and costs nothing, so it may be retried whatever goes wrong.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from providers.errors import InvalidRequest
from providers.request import ProviderCall, SourceImage

MAX_INLINE = 8 * 1024 * 1024  # providers refuse large bodies late and badly
MAX_UPLOAD = 64 * 1024 * 1024  # all images of one call; above 90 MB fal wants them in parts


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def data_uri(image: SourceImage) -> str:
    return f"data:{image.content_type};base64,{base64_of(image.data)}"


def file_name_of(image: SourceImage, number: int = 1) -> str:
    """A neutral name, which says only the type."""
    return f"image-{number}.{image.content_type.partition('/')[2] or 'png'}"


def check_size(call: ProviderCall, most: int) -> int:
    """The bytes of all source images; refused before anything is sent when they are too many."""
    size = sum(len(image.data) for image in (*call.images, *([call.mask] if call.mask else [])))
    if size > most:
        raise InvalidRequest(f"The source images are {size >> 20} MB; send at most {most >> 20} MB.")
    return size


def with_inline_images(call: ProviderCall) -> dict[str, Any]:
    """The call's arguments with its source images as data URIs where the endpoint wants them."""
    check_size(call, MAX_INLINE)
    return _with(call, data_uri)


def with_images(call: ProviderCall, upload: Callable[[SourceImage], str], *, inline: int) -> dict[str, Any]:
    """The same, but images of more than `inline` bytes together are uploaded and their URLs sent."""
    return _with(call, upload if check_size(call, MAX_UPLOAD) > inline else data_uri)


def _with(call: ProviderCall, uri_of: Callable[[SourceImage], str]) -> dict[str, Any]:
    if not call.images:
        return dict(call.arguments)
    uris = [uri_of(image) for image in call.images]
    mask = {call.mask_field: uri_of(call.mask)} if call.mask is not None and call.mask_field else {}
    return {**call.arguments, call.image_field or "image_urls": uris if call.image_is_list else uris[0], **mask}
