"""What bytes really are: an image of which type and size. Names, headers and models' promises are not looked at.

Only headers are parsed here, and only by the one decoder whose magic bytes are there. Pixels are decoded by
image_reader.py.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
from dataclasses import replace
from io import BytesIO

from PIL import Image

from providers.errors import BadOutput
from providers.request import GeneratedImage

MAX_BYTES = 64 * 1024 * 1024  # a grainy 4096² photo as PNG has 29 MB, and was paid for
MAX_PIXELS = 40_000_000
MAX_SIDE = 16_384
CONTENT_TYPES = {
    "PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "AVIF": "image/avif", "GIF": "image/gif",
}  # fmt: skip
_ORIENTATION = 0x0112  # EXIF
_EXIF_IN_TEXT = (b"Raw profile type exif", b"XML:com.adobe.xmp")  # keywords of a PNG's text chunks
_AVIF = frozenset({b"avif", b"avis"})
_HEIC = frozenset({b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"})
_OTHERS = (  # what people have instead, to say so
    (b"II*\0", "TIFF"), (b"MM\0*", "TIFF"), (b"BM", "BMP"), (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\0\x0cJXL ", "JPEG XL"), (b"%PDF", "PDF"), (b"<svg", "SVG"), (b"<?xml", "SVG or other XML"),
    (b"<!", "HTML"), (b"<html", "HTML"), (b"{", "JSON"),
)  # fmt: skip

# Pillow raises at twice this value by itself, whatever a caller forgot.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


def kind_of(data: bytes) -> str | None:
    """PNG, JPEG, WEBP, AVIF or GIF by its magic bytes; None for anything else."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "PNG"
    if data.startswith(b"\xff\xd8\xff"):
        return "JPEG"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "WEBP"
    if _brands(data) & _AVIF:
        return "AVIF"
    if data[:6] in (b"GIF87a", b"GIF89a"):
        return "GIF"
    return None


def _brands(data: bytes) -> frozenset[bytes]:
    """The major and compatible brands of an ISO base media file (ISO/IEC 14496-12 §4.3)."""
    if data[4:8] != b"ftyp":
        return frozenset()
    end = min(int.from_bytes(data[:4], "big"), 256)
    return frozenset({data[8:12], *(data[at : at + 4] for at in range(16, end, 4))})


def _name_of_other(data: bytes) -> str:
    if _brands(data) & _HEIC:
        return "HEIC"
    start = data[:64].lstrip().lower()
    return next((name for magic, name in _OTHERS if start.startswith(magic.lower())), "")


_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")


def jpeg_end(data: bytes) -> int | None:
    """The place behind a JPEG's end marker (ITU-T T.81 §B.1); None when the file ends before it.

    Phones put more behind it: a second picture (MPO) or a film (motion photos). Thumbnails inside segments have end
    markers of their own, so the segments are walked and only the pixels are searched.
    """
    at = 2
    while match := _MARKER.search(data, at):
        marker, at = data[match.start() + 1], match.end()
        if marker == 0xD9:
            return at
        if marker != 0x01 and at + 2 <= len(data):
            at += max(2, int.from_bytes(data[at : at + 2], "big"))
    return None


def is_whole(kind: str, data: bytes) -> bool:
    """False when the file ends before its own format says it does: a download was cut where HTTP could not tell.

    Cheap rather than complete (a GIF cut right behind a semicolon passes); decoding finds the rest.
    """
    if kind == "PNG":
        return b"IEND\xaeB`\x82" in data[-4096:]
    if kind == "JPEG":
        return jpeg_end(data) is not None
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


def decode_base64(text: str) -> bytes:
    """The bytes of base64 text, also of one wrapped into lines, without padding or in the alphabet for URLs."""
    return _decoded(text)[0]


def measured_base64(text: str) -> GeneratedImage:
    """`measured` of base64 text, which stays as it is where it can be sent on. Decoded once: it may be megabytes."""
    data, is_canonical = _decoded(text)
    return replace(measured(data), encoded=text if is_canonical else "")


def _decoded(text: str) -> tuple[bytes, bool]:
    """(the bytes, whether encoders of today write it so: padded, of one line, in the standard alphabet)."""
    try:
        return base64.b64decode(text, validate=True), True
    except (binascii.Error, ValueError):
        pass
    try:
        packed = "".join(text.split()).translate(_FROM_URL_SAFE).rstrip("=")
        return base64.b64decode(packed + "=" * (-len(packed) % 4), validate=True), False
    except (binascii.Error, ValueError) as error:
        raise unusable("it is not valid base64", str(error)) from error


def measured(data: bytes) -> GeneratedImage:
    """The image as delivered, with its true type and its size when upright.

    Raises BadOutput when there is no single whole image in `data`.
    """
    if not data:
        raise unusable("it is empty")
    if len(data) > MAX_BYTES:
        raise unusable(f"it is larger than {MAX_BYTES >> 20} MB")
    kind = kind_of(data)
    if kind is None:
        other = _name_of_other(data)
        reason = f"it is {other}; JPEG or PNG is needed" if other else "it is no PNG, JPEG, WebP, AVIF or GIF"
        raise unusable(reason, f"it begins {data[:24]!r}")
    if not is_whole(kind, data):
        raise unusable(f"the {kind} file is cut off")
    try:
        with Image.open(BytesIO(data), formats=[kind]) as image:
            width, height = image.size
            # A JPEG with a preview or a film behind it (MPO) is a still picture.
            animated = getattr(image, "is_animated", False) and image.format != "MPO"
            if _orientation(image, data) >= 5:
                width, height = height, width
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise unusable(f"it has more than {MAX_PIXELS // 10**6} megapixels", str(error)) from error
    except Exception as error:  # decoders raise whatever they like on bytes made to confuse them
        raise unusable(f"the {kind} file is damaged or of a rare kind that cannot be decoded", str(error)) from error
    check_dimensions(width, height)
    if animated:
        raise unusable("it is animated")
    return GeneratedImage(data, CONTENT_TYPES[kind], width, height)


def _orientation(image: Image.Image, data: bytes) -> int:
    """1 to 8, as EXIF counts. For a PNG Pillow decodes the pixels to look for EXIF behind them: not without a sign."""
    if image.format == "PNG" and not _png_has_exif(data):
        return 1
    try:
        value = image.getexif().get(_ORIENTATION, 1)
    except Exception:  # damaged EXIF
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _png_has_exif(data: bytes) -> bool:
    """Whether a PNG has a chunk in which Pillow looks for EXIF (W3C PNG §5.3: length, name, content, checksum)."""
    at = 8
    while at + 8 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        if name == b"eXIf" or (name.endswith(b"Xt") and data.startswith(_EXIF_IN_TEXT, at + 8)):
            return True
        at += length + 12
    return False


def check_dimensions(width: int, height: int) -> None:
    """Raises BadOutput for more pixels than are decoded here."""
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        limits = f"{MAX_PIXELS // 10**6} megapixels and {MAX_SIDE} a side"
        raise unusable(f"{width}×{height} pixels are more than {limits}")


def unusable(reason: str, detail: str = "") -> BadOutput:
    """`reason` is public: our own words, nothing of the file."""
    return BadOutput(f"The delivered image is unusable: {reason}.", detail=detail, possibly_charged=True)
