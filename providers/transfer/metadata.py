"""What an image file says besides its pixels: its chunks, segments and boxes, and what they mean to a reader.

Pure: bytes in, names out. Pages list it for originals; the pipeline and the blindness audit ask it what is in a file.
Structures follow the PNG specification (chunks), ITU-T T.81 (JPEG markers), the WebP container specification (RIFF) and
ISO/IEC 14496-12 (boxes, for AVIF). C2PA places its manifests in PNG `caBX`, JPEG APP11, WebP `C2PA` and a `uuid` box.
Nothing here raises on damaged bytes: what cannot be read is left out.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from PIL import ExifTags, Image

from providers.transfer.image_type import jpeg_end, kind_of

_PIXELS = {"IHDR", "PLTE", "IDAT", "IEND", "tRNS", "VP8", "VP8L", "VP8X", "ALPH", "ftyp", "mdat", "JFIF", "pixels"}
_C2PA_BOX = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")
_TEXT_LIMIT = 65_536  # bytes of one text, unpacked
_MAX_SHOWN = 400  # characters of a text that are shown


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a file: a PNG chunk, a JPEG segment, a WebP chunk or an AVIF box."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Remark:
    """Something a file says besides its pixels: what it is, its bytes, and its words where it has some."""

    name: str
    size: int
    text: str = ""


def blocks(data: bytes) -> list[Block]:
    """The pieces of a file in their order; what follows the image's own end is called "trailing"."""
    reader = _READERS.get(kind_of(data) or "")
    return list(reader(data)) if reader else []


def remarks(data: bytes) -> list[Remark]:
    """What the file says besides its pixels, in its order."""
    return [remark for block in blocks(data) if block.name not in _PIXELS for remark in _read(block)]


def code_points(data: bytes) -> tuple[int, int] | None:
    """(colour primaries, transfer characteristics) by ITU-T H.273, from PNG cICP or AVIF nclx; None without them."""
    for block in blocks(data):
        if block.name == "cICP" and len(block.data) == 4:
            return block.data[0], block.data[1]
        if block.name == "meta":
            at = block.data.find(b"colrnclx")
            if at >= 0 and len(block.data) >= at + 12:
                return int.from_bytes(block.data[at + 8 : at + 10], "big"), int.from_bytes(
                    block.data[at + 10 : at + 12], "big"
                )
        if block.name == "IDAT":  # cICP stands before the pixels
            break
    return None


def transfer(data: bytes) -> int | None:
    """The transfer characteristics that the file declares by code point; None when it does not."""
    codes = code_points(data)
    return codes and codes[1]


# Containers ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _png(data: bytes) -> Iterator[Block]:
    at = 8
    while at + 12 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        name = data[at + 4 : at + 8].decode("latin-1")
        yield Block(name, data[at + 8 : at + 8 + size])
        at += 12 + size
        if name == "IEND":
            break
    if at < len(data):
        yield Block("trailing", data[at:])


def _jpeg(data: bytes) -> Iterator[Block]:
    at = 2
    while at + 4 <= len(data) and data[at] == 0xFF:
        marker = data[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker == 0xDA:  # the scan: pixels until the end
            break
        size = int.from_bytes(data[at + 2 : at + 4], "big")
        yield Block(_segment(marker, data[at + 4 : at + 2 + size]), data[at + 4 : at + 2 + size])
        at += 2 + max(2, size)
    end = jpeg_end(data)
    if end is not None and end < len(data):
        yield Block("trailing", data[end:])


def _segment(marker: int, data: bytes) -> str:
    for start, name in (
        (b"JFIF\0", "JFIF"),
        (b"Exif\0", "EXIF"),
        (b"http://ns.adobe.com/xap/1.0/\0", "XMP"),
        (b"ICC_PROFILE\0", "ICC profile"),
        (b"MPF\0", "MPF"),
        (b"Photoshop 3.0\0", "IPTC"),
        (b"Adobe", "Adobe"),
        (b"JP", "C2PA"),
    ):
        if 0xE0 <= marker <= 0xEF and data.startswith(start):
            return name
    if marker == 0xFE:
        return "comment"
    return f"APP{marker - 0xE0}" if 0xE0 <= marker <= 0xEF else "pixels"


def _webp(data: bytes) -> Iterator[Block]:
    at, end = 12, 8 + int.from_bytes(data[4:8], "little")
    while at + 8 <= min(end, len(data)):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        yield Block(data[at : at + 4].decode("latin-1").strip(), data[at + 8 : at + 8 + size])
        at += 8 + size + size % 2
    if len(data) > end:
        yield Block("trailing", data[end:])


def _boxes(data: bytes) -> Iterator[Block]:
    at = 0
    while at + 8 <= len(data):
        size = int.from_bytes(data[at : at + 4], "big")
        head = 16 if size == 1 else 8
        if size == 1:
            size = int.from_bytes(data[at + 8 : at + 16], "big")
        end = len(data) if size == 0 else at + size
        if end < at + head:
            break
        yield Block(data[at + 4 : at + 8].decode("latin-1"), data[at + head : end])
        at = end


_READERS = {"PNG": _png, "JPEG": _jpeg, "WEBP": _webp, "AVIF": _boxes}

# Meaning ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _read(block: Block) -> list[Remark]:
    name, data, size = block.name, block.data, len(block.data)
    if name in ("tEXt", "zTXt", "iTXt"):
        keyword, text = _png_text(name, data)
        return [Remark("XMP" if keyword == "XML:com.adobe.xmp" else f"PNG text “{keyword}”", size, _clean(text))]
    if name in ("eXIf", "EXIF"):
        return [Remark("EXIF", size), *_exif(data)]
    if name in ("caBX", "C2PA") or (name == "uuid" and data.startswith(_C2PA_BOX)):
        return [Remark("C2PA: signed provenance", size)]
    if name == "XMP":
        return [Remark("XMP", size, _clean(data.partition(b"\0")[2] or data))]
    if name in ("iCCP", "ICCP", "ICC profile"):
        return [Remark("ICC colour profile", size, _clean(data.partition(b"\0")[0]) if name == "iCCP" else "")]
    if name == "comment":
        return [Remark("Comment", size, _clean(data))]
    if name == "trailing":
        return [Remark("Bytes after the end of the image", size)]
    if name == "meta":
        return list(_avif_items(data))
    return [Remark(f"“{_clean(name.encode('latin-1'))}” block", size)]


def _png_text(kind: str, data: bytes) -> tuple[str, bytes]:
    key, _, rest = data.partition(b"\0")
    if kind == "zTXt":
        rest = _unpacked(rest[1:])
    elif kind == "iTXt":
        packed, rest = rest[:1] == b"\1", rest[2:].partition(b"\0")[2].partition(b"\0")[2]
        rest = _unpacked(rest) if packed else rest
    return _clean(key), rest


def _unpacked(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, _TEXT_LIMIT)
    except zlib.error:
        return b""


def _exif(data: bytes) -> Iterator[Remark]:
    """The tags that hold words: software, artist, model, description …"""
    exif = Image.Exif()
    try:
        exif.load(data if data.startswith(b"Exif\0\0") else b"Exif\0\0" + data)
        values = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    except Exception:  # Pillow raises whatever it likes on damaged EXIF
        return
    for tag, value in values.items():
        if isinstance(value, str | bytes):
            raw = value.encode() if isinstance(value, str) else value
            if text := _clean(raw):
                yield Remark(f"EXIF {ExifTags.TAGS.get(tag, hex(tag))}", len(raw), text)


def _avif_items(meta: bytes) -> Iterator[Remark]:
    """Items besides the picture that the meta box lists, and its colour profile."""
    at = meta.find(b"infe")
    while at >= 4:
        size = struct.unpack(">I", meta[at - 4 : at])[0]
        kind = meta[at + 12 : at + 16]
        if kind == b"Exif":
            yield Remark("EXIF", size)
        elif kind == b"mime":
            yield Remark("XMP", size)
        at = meta.find(b"infe", at + 4)
    if b"colrprof" in meta or b"colrrICC" in meta:
        yield Remark("ICC colour profile", 0)


def _clean(data: bytes) -> str:
    """Readable text: no control characters, and not too much of it."""
    text = data[: 4 * _MAX_SHOWN].decode("utf-8", "replace")
    text = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return text if len(text) <= _MAX_SHOWN else text[: _MAX_SHOWN - 1] + "…"
