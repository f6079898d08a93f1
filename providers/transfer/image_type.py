"""What bytes really are: an image of which type and size. Names, headers and models' promises are not asked.

Only headers are parsed here, and only by the one decoder whose magic bytes are there. Pixels are decoded later, when
the image is made ours.
"""

from __future__ import annotations

import base64
import binascii
from io import BytesIO

from PIL import Image

from providers.errors import BadOutput
from providers.request import GeneratedImage

MAX_BYTES = 25 * 1024 * 1024
MAX_PIXELS = 40_000_000
CONTENT_TYPES = {
    "PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "AVIF": "image/avif", "GIF": "image/gif",
}  # fmt: skip


def kind_of(data: bytes) -> str | None:
    """PNG, JPEG, WEBP, AVIF or GIF by its magic bytes; None for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return "AVIF"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    return None


def is_whole(kind: str, data: bytes) -> bool:
    """False when the file ends before its own format says it does: a download was cut where HTTP could not tell.

    Cheap rather than complete (a GIF cut right behind a semicolon passes); decoding finds the rest.
    """
    if kind == "PNG":
        return b"IEND\xaeB`\x82" in data[-4096:]
    if kind == "JPEG":
        return b"\xff\xd9" in data[-4096:]
    if kind == "WEBP":
        return len(data) >= 8 + int.from_bytes(data[4:8], "little")
    if kind == "GIF":
        return data.rstrip(b"\0").endswith(b";")
    return _boxes_fit(data)


def _boxes_fit(data: bytes) -> bool:
    """AVIF is a chain of boxes, each with its size; size 0 means "to the end of the file"."""
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        if size == 0:
            return True
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        if size < 8:
            return False
        at += size
    return at == len(data)


_FROM_URL_SAFE = str.maketrans("-_", "+/")


def is_canonical_base64(text: str) -> bool:
    """True for base64 as encoders of today write it: padded, of one line, in the standard alphabet."""
    try:
        base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return False
    return True


def decode_base64(text: str) -> bytes:
    """The bytes of base64 text, also of one wrapped into lines, without padding or in the alphabet for URLs."""
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        pass
    try:
        packed = "".join(text.split()).translate(_FROM_URL_SAFE).rstrip("=")
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True)
    except (binascii.Error, ValueError) as error:
        raise _unusable("it is not valid base64", str(error)) from error


def measured(data: bytes) -> GeneratedImage:
    """The image as delivered, with its true type and size. BadOutput when there is no single whole image in `data`."""
    if not data:
        raise _unusable("it is empty")
    if len(data) > MAX_BYTES:
        raise _unusable(f"it is larger than {MAX_BYTES >> 20} MB")
    kind = kind_of(data)
    if kind is None:
        raise _unusable("it is no PNG, JPEG, WebP, AVIF or GIF", f"it begins {data[:24]!r}")
    if not is_whole(kind, data):
        raise _unusable(f"the {kind} file is cut off")
    try:
        with Image.open(BytesIO(data), formats=[kind]) as image:
            width, height = image.size
            animated = getattr(image, "is_animated", False)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise _unusable(f"it has more than {MAX_PIXELS // 10**6} megapixels", str(error)) from error
    except Exception as error:  # decoders raise whatever they like on bytes made to confuse them
        raise _unusable(f"the {kind} file is damaged", str(error)) from error
    if width * height > MAX_PIXELS:
        raise _unusable(f"{width}×{height} is more than {MAX_PIXELS // 10**6} megapixels")
    if animated:
        raise _unusable("it is animated")
    return GeneratedImage(data, CONTENT_TYPES[kind], width, height)


def _unusable(reason: str, detail: str = "") -> BadOutput:
    """`reason` is public: our own words, nothing of the file."""
    return BadOutput(f"The delivered image is unusable: {reason}.", detail=detail, possibly_charged=True)
