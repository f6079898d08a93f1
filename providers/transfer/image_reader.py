"""The one reader of images: what the gateway's callers upload, what providers deliver, what the arena shows.

Bytes from outside become an upright sRGB image without metadata. One opinion on what is a picture: PNG, JPEG (phones'
MPO and motion photos too), WebP, AVIF and GIF, of one frame, in standard dynamic range, within `image_type`'s limits.
"""

from __future__ import annotations

from io import BytesIO

from PIL import Image, ImageOps, UnidentifiedImageError

from providers.errors import BadOutput
from providers.request import SourceImage
from providers.transfer import colour, metadata
from providers.transfer.image_type import CONTENT_TYPES, check_dimensions, jpeg_end, kind_of, measured, unusable

QUALITY = 95  # of JPEG sources: the provider's own encoder comes after it

_DEPTH_OF_PNG = 24  # where its bits per channel stand: in the header, which comes first (W3C PNG §11.2.1)

# What a file may hold besides pixels without giving anything away.
_HARMLESS = frozenset(
    {
        "IHDR", "PLTE", "IDAT", "IEND", "tRNS", "sRGB", "pHYs", "sBIT", "bKGD",
        "VP8", "VP8L", "VP8X", "ALPH", "JFIF", "Adobe", "pixels",
    }
)  # fmt: skip


def decoded(data: bytes) -> Image.Image:
    """The image upright and in sRGB, as RGB or – with transparency – RGBA, without metadata.

    Raises BadOutput, whose message is public and ends in the reason.
    """
    measured(data)  # type, limits, whole, one frame
    if colour.is_hdr(data):
        raise unusable("it is in HDR, which would be shown washed out; standard dynamic range is needed")
    kind = kind_of(data) or ""
    try:
        with Image.open(BytesIO(data), formats=[kind]) as probe:
            probe.verify()  # finds broken checksums, and leaves the file unusable: hence the second open
        with Image.open(BytesIO(data), formats=[kind]) as image:
            check_dimensions(*image.size)
            profile = colour.profile_of(data, image)
            image.load()
            return _plain(_upright(image), profile)
    except BadOutput:
        raise
    except UnidentifiedImageError as error:
        raise unusable(f"the {kind} file is damaged or of a rare kind that cannot be decoded") from error
    except Exception as error:  # decoders raise whatever they like on bytes made to confuse them
        raise unusable(f"the {kind} file is damaged", str(error)) from error


def opaque(image: Image.Image) -> Image.Image:
    """A decoded image with its transparency on white."""
    if image.mode != "RGBA":
        return image
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def source_of(data: bytes) -> SourceImage:
    """A caller's image as it may be sent to a provider: upright, sRGB, without metadata. Raises BadOutput.

    A file that has nothing to take out is sent as it is. Else a JPEG stays a JPEG, everything else becomes PNG.
    """
    image = measured(data)
    if is_clean(data):
        return SourceImage(data, image.content_type)
    picture = decoded(data)
    out = BytesIO()
    if image.content_type == CONTENT_TYPES["JPEG"]:
        opaque(picture).save(out, "JPEG", quality=QUALITY, subsampling=0)
        return SourceImage(out.getvalue(), CONTENT_TYPES["JPEG"])
    picture.save(out, "PNG", compress_level=3)
    return SourceImage(out.getvalue(), CONTENT_TYPES["PNG"])


def is_clean(data: bytes) -> bool:
    """True when a file says nothing but pixels in sRGB, of 8 bits: no EXIF, no location, no profile, nothing behind."""
    kind = kind_of(data)
    if kind not in ("PNG", "JPEG", "WEBP"):
        return False
    if kind == "JPEG" and jpeg_end(data) != len(data):
        return False
    try:
        with Image.open(BytesIO(data), formats=[kind]) as image:
            # CMYK or 16 bits: every backend reads them in its own way. In colour Pillow reads 16 as 8.
            if image.mode not in ("1", "L", "LA", "P", "RGB", "RGBA") or (kind == "PNG" and data[_DEPTH_OF_PNG] > 8):
                return False
    except Exception:  # not readable: `source_of` says so
        return False
    return all(block.name in _HARMLESS for block in metadata.blocks(data))


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # Pillow raises whatever it likes on damaged EXIF, which is no reason to lose the image
        return image


def _plain(image: Image.Image, profile: bytes | None) -> Image.Image:
    """In sRGB, rebuilt from pixels so that no metadata can follow."""
    colours, alpha = _split(image)
    rgb = colour.to_srgb(colours, profile)
    if alpha is not None and alpha.getextrema() != (255, 255):
        rgb.putalpha(alpha)
    return Image.frombytes(rgb.mode, rgb.size, rgb.tobytes())


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
