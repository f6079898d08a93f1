"""The provider's image → the requested file format and quality; decoded only where they differ."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from PIL import Image, ImageOps

from providers.errors import BadOutput
from providers.request import GeneratedImage
from providers.transfer.image_type import CONTENT_TYPES, kind_of

KINDS = {"png": "PNG", "jpeg": "JPEG", "gif": "GIF", "webp": "WEBP", "avif": "AVIF"}
EXTENSIONS = {CONTENT_TYPES[kind]: "jpg" if name == "jpeg" else name for name, kind in KINDS.items()}
NAMES = {CONTENT_TYPES[kind]: name for name, kind in KINDS.items()}
LOSSY = frozenset({"jpeg", "webp", "avif"})
DEFAULT_QUALITY = {"jpeg": 92, "webp": 90, "avif": 80}
MAX_AVIF_PIXELS = 16_777_216  # pixels; beyond, encoding takes minutes


def convert(image: GeneratedImage, output_format: str | None, compression: int | None) -> GeneratedImage:
    """The image in the requested format; unchanged when it has that format and no quality was requested.

    Raises BadOutput when it cannot be encoded so.

    `compression` is OpenAI's: the quality of a lossy format, 0 to 100; None where the provider has applied it itself.
    """
    kind = kind_of(image.data)
    name = output_format or next(name for name, known in KINDS.items() if known == kind)
    if KINDS[name] == kind and (compression is None or name not in LOSSY):
        return image
    if name == "avif" and image.width * image.height > MAX_AVIF_PIXELS:
        raise BadOutput(f"{image.width}×{image.height} pixels are too many for AVIF; request another output_format.")
    try:
        with Image.open(BytesIO(image.data), formats=[kind or ""]) as opened:
            picture = ImageOps.exif_transpose(opened)
            out = BytesIO()
            _prepared(picture, name).save(out, KINDS[name], **_options(name, compression, picture))
            return GeneratedImage(out.getvalue(), CONTENT_TYPES[KINDS[name]], picture.width, picture.height)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise BadOutput(f"The image could not be converted to {name}: {error}", possibly_charged=True) from error


def _prepared(picture: Image.Image, name: str) -> Image.Image:
    """In a mode the format can store. JPEG has no transparency: transparent pixels become white."""
    clear = picture.mode in ("RGBA", "LA", "PA") or "transparency" in picture.info
    if name == "gif":
        flat = picture.convert("RGBA" if clear else "RGB")
        return flat.quantize(256, method=Image.Quantize.FASTOCTREE if clear else Image.Quantize.MEDIANCUT)
    if name == "jpeg" and clear:
        rgba = picture.convert("RGBA")
        flat = Image.new("RGB", picture.size, "white")
        flat.paste(rgba, mask=rgba.getchannel("A"))
        return flat
    if name == "png" and picture.mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"):
        return picture
    return picture.convert("RGBA" if clear else "RGB")


def _options(name: str, compression: int | None, picture: Image.Image) -> dict[str, Any]:
    profile = picture.info.get("icc_profile")
    options: dict[str, Any] = {"icc_profile": profile} if profile and name != "gif" else {}
    if name in LOSSY:
        options["quality"] = DEFAULT_QUALITY[name] if compression is None else compression
    if name == "webp":
        options["method"] = 4
    if name == "avif":
        options["speed"] = 8
    return options
