"""Bytes from outside → the images of a battle, so alike in everything but their content that nothing else can be seen.

One pipeline for every image: decoded under limits, turned upright, converted to sRGB, flattened, cut to exactly the
competition's shape, and written by one encoder with one set of settings and no metadata. What a file's size, format,
native dimensions, colour profile or EXIF could tell about its maker is gone. What remains is picture content, and
docs/blindness.md says what counts as that. `PIPELINE` names the settings and the encoder's version: images made by
different ones differ in ways nobody sees, so `remake_images` brings old entries up to date.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError, features

from . import metadata

MAX_BYTES = 25 * 1024 * 1024
MAX_PIXELS = 40_000_000
MAX_SIDE, MIN_SIDE = 8192, 64
FORMATS = ("PNG", "JPEG", "WEBP", "AVIF")

LONG_SIDE, SMALL_SIDE, THUMBNAIL_SIDE = 1024, 768, 512
CROP_TOLERANCE = 0.03  # a shape off by no more than this is cropped, beyond it the image is padded
PADDING = (128, 128, 128)
PIPELINE = f"1, libwebp {features.version('webp')}"  # count up with every change of what comes out

# Pillow raises at twice this value by itself, whatever the caller forgot.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS


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


def normalise(data: bytes, shape: str) -> Derivatives:
    """Make an entry's files from a provider's bytes. Raises BadImage."""
    width, height = box(shape)
    image = _fit(decode(data), width, height)
    return Derivatives(
        image=_webp(image, quality=90),
        small=_webp(_shrink(image, SMALL_SIDE), quality=88),
        thumbnail=_webp(_shrink(image, THUMBNAIL_SIDE), quality=80),
        width=width,
        height=height,
    )


def clean_source(data: bytes) -> bytes:
    """A source image for an edit as JPEG: upright, sRGB, at most 2048 pixels a side, no metadata. Raises BadImage."""
    image = _shrink(decode(data), 2048)
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def decode(data: bytes) -> Image.Image:
    """Decode hostile bytes into an upright sRGB image without metadata. Raises BadImage."""
    if not data:
        raise BadImage("The file is empty.")
    if len(data) > MAX_BYTES:
        raise BadImage(f"The file has {len(data) / 1e6:.0f} MB; {MAX_BYTES / 1e6:.0f} MB is the limit.")
    if metadata.transfer(data) in (metadata.PQ, metadata.HLG):
        raise BadImage("The image is in HDR, which would be shown washed out; ask for one in standard range.")
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as probe:
            _check(probe)
            probe.verify()  # catches broken checksums, and leaves the file unusable: hence the second open
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            image.load()
            return _plain(_upright(image))
    except BadImage:
        raise
    except UnidentifiedImageError as error:
        raise BadImage("This is not a PNG, JPEG, WebP or AVIF image.") from error
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError, MemoryError) as error:
        raise BadImage(f"The image cannot be decoded: {error}") from error


def _check(image: Image.Image) -> None:
    width, height = image.size
    if width > MAX_SIDE or height > MAX_SIDE or width * height > MAX_PIXELS:
        raise BadImage(f"The image has {width}×{height} pixels; {MAX_SIDE} a side and 40 million in all is the limit.")
    if width < MIN_SIDE or height < MIN_SIDE:
        raise BadImage(f"The image has only {width}×{height} pixels; {MIN_SIDE} a side is the least.")
    if getattr(image, "n_frames", 1) != 1 and image.format != "MPO":  # JPEG with a preview behind it: not animated
        raise BadImage("The image is animated; only still images compete.")


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # whatever Pillow raises on damaged EXIF: it is no reason to lose the image
        return image


def _plain(image: Image.Image) -> Image.Image:
    """sRGB by the embedded profile, transparency on white, and rebuilt from pixels so that no metadata can follow."""
    profile = image.info.get("icc_profile")
    colour, alpha = _split(image)
    rgb = _srgb(colour, profile)
    if alpha is not None:
        white = Image.new("RGB", rgb.size, "white")
        white.paste(rgb, mask=alpha)
        rgb = white
    return Image.frombytes("RGB", rgb.size, rgb.tobytes())


def _split(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """The colours, in a mode that profiles apply to, and the transparency."""
    if image.mode.startswith("I"):  # 16-bit greyscale would be clipped to white by convert()
        return image.point(lambda value: value / 256).convert("L"), None
    if image.mode == "1":
        image = image.convert("L")
    if image.mode in ("P", "PA", "RGBa", "La") or "transparency" in image.info:
        image = image.convert("RGBA")
    if image.mode == "LA":
        return image.getchannel("L"), image.getchannel("A")
    if image.mode == "RGBA":
        return image.convert("RGB"), image.getchannel("A")
    return image, None


def _srgb(colour: Image.Image, profile: bytes | None) -> Image.Image:
    if profile:
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            if source.profile.xcolor_space.strip() == "RGB":
                colour = colour.convert("RGB")  # a grey image may carry its maker's RGB profile
            converted = ImageCms.profileToProfile(colour, source, ImageCms.createProfile("sRGB"), outputMode="RGB")
            return converted or colour.convert("RGB")
        except (ImageCms.PyCMSError, OSError):
            pass  # a broken profile is no reason to lose the image: its numbers are taken as sRGB
    return colour.convert("RGB")


def _fit(image: Image.Image, width: int, height: int) -> Image.Image:
    """Exactly width × height: cropped when the shape is nearly right, padded when it is not."""
    got, wanted = image.width / image.height, width / height
    if max(got, wanted) / min(got, wanted) - 1 <= CROP_TOLERANCE:
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


def extension(data: bytes) -> Literal["png", "jpg", "webp", "avif", "bin"]:
    """The file extension that fits the bytes, by their first few: what they claim to be is not believed."""
    if data.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if data.startswith(b"\xff\xd8\xff"):
        return "jpg"
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "webp"
    if data[4:8] == b"ftyp" and data[8:12] in (b"avif", b"avis"):
        return "avif"
    return "bin"
