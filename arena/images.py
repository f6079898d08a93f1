"""Bytes from outside → the images of a battle, so alike in everything but their content that nothing else can be seen.

One pipeline for every image: decoded under limits, turned upright, converted to sRGB, flattened, cut to exactly the
competition's shape, and written by one encoder with one set of settings and no metadata. What a file's size, format,
native dimensions, colour profile or EXIF could tell about its maker is gone. What remains is picture content, and
docs/blindness.md says what counts as that. `PIPELINE` names the settings and the encoder's version: images made by
different ones differ in ways nobody sees, so a periodic task brings old entries up to date.
"""

from __future__ import annotations

import io
import math
import os
import threading
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageOps, features

from providers.errors import BadOutput
from providers.transfer import image_reader
from providers.transfer.image_type import kind_of

MIN_SIDE = 64

LONG_SIDE, THUMBNAIL_SIDE = 1024, 512
# What phones load: shape by shape the same number of pixels, two for each of a square's on a phone's screen that shows
# both (docs/blindness.md, “Sizes and settings”).
SMALL_PIXELS = 768 * 576
CROP_TOLERANCE = 0.03  # a shape off by no more than this is cropped, beyond it the image is padded
PADDING = (128, 128, 128)
# Pillow gives the interpreter away while it works, and `nice` is of a thread: 48 images of a worker together took
# the processors from the site's pages, whatever each one's priority, and were none the sooner for it.
_processors = threading.BoundedSemaphore(os.cpu_count() or 1)
PIPELINE = f"3, libwebp {features.version('webp')}"  # count up with every change of what comes out


class BadImage(ValueError):
    """These bytes are not an image we take; the message says why."""


@dataclass(frozen=True, slots=True)
class Derivatives:
    """The three WebP files of an entry and the size of the largest."""

    image: bytes
    small: bytes
    thumbnail: bytes
    width: int
    height: int


def box(shape: str, long_side: int = LONG_SIDE) -> tuple[int, int]:
    """The exact pixels of a shape such as "4:3", its longer side being `long_side`."""
    across, down = (int(part) for part in shape.split(":"))
    if across >= down:
        return long_side, round(long_side * down / across)
    return round(long_side * across / down), long_side


def small_size(width: int, height: int) -> tuple[int, int]:
    """The pixels of the small file of an image of width × height; a long strip has no more than SMALL_PIXELS anyway."""
    scale = min(1, math.sqrt(SMALL_PIXELS / (width * height)))
    return round(width * scale), round(height * scale)


def normalise(data: bytes, shape: str) -> Derivatives:
    """Make an entry's files from a provider's bytes, of no more images at once than there are processors. Raises
    BadImage."""
    width, height = box(shape)
    with _processors:
        image = _fit(decode(data), width, height)
        return Derivatives(
            image=_webp(image, quality=90),
            small=_webp(image.resize(small_size(width, height), Image.Resampling.LANCZOS), quality=84),
            thumbnail=_webp(_shrink(image, THUMBNAIL_SIDE), quality=80),
            width=width,
            height=height,
        )


def files_of(derivatives: Derivatives, original: bytes) -> dict[str, tuple[str, str, bytes]]:
    """The four files of an entry by their column, as `file_store.save` takes them: (folder, extension, content)."""
    return {
        "image": ("battle", "webp", derivatives.image),
        "small": ("battle", "webp", derivatives.small),
        "thumbnail": ("public", "webp", derivatives.thumbnail),
        "original": ("originals", extension(original), original),
    }


def clean_source(data: bytes) -> bytes:
    """A source image for an edit as JPEG: upright, sRGB, at most 2048 pixels a side, no metadata. Raises BadImage."""
    image = _shrink(decode(data), 2048)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def decode(data: bytes) -> Image.Image:
    """Decode hostile bytes into an upright sRGB image without metadata, transparency on white. Raises BadImage."""
    try:
        image = image_reader.opaque(image_reader.decoded(data))
    except BadOutput as error:
        raise BadImage(str(error).replace("The delivered image is unusable: ", "The image cannot be used: ")) from error
    if min(image.size) < MIN_SIDE:
        raise BadImage(f"The image has only {image.width}×{image.height} pixels; {MIN_SIDE} a side is the least.")
    return image


def _fit(image: Image.Image, width: int, height: int) -> Image.Image:
    """Exactly width × height: cropped when the shape is nearly right, padded when it is not."""
    actual_ratio, target_ratio = image.width / image.height, width / height
    if max(actual_ratio, target_ratio) / min(actual_ratio, target_ratio) - 1 <= CROP_TOLERANCE:
        return ImageOps.fit(image, (width, height), Image.Resampling.LANCZOS)
    return ImageOps.pad(image, (width, height), Image.Resampling.LANCZOS, color=PADDING)


def _shrink(image: Image.Image, long_side: int) -> Image.Image:
    scale = long_side / max(image.size)
    if scale >= 1:
        return image
    return image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.LANCZOS)


def _webp(image: Image.Image, quality: int) -> bytes:
    out = io.BytesIO()
    image.save(out, "WEBP", quality=quality, method=4, exif=b"", xmp=b"", icc_profile=b"")
    return out.getvalue()


Extension = Literal["png", "jpg", "webp", "avif", "gif", "bin"]
_EXTENSIONS: dict[str, Extension] = {"PNG": "png", "JPEG": "jpg", "WEBP": "webp", "AVIF": "avif", "GIF": "gif"}


def extension(data: bytes) -> Extension:
    """The file extension that fits the bytes, by their first few: what they claim to be is not believed."""
    return _EXTENSIONS.get(kind_of(data) or "", "bin")
