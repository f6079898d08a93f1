"""Masks of edits, from OpenAI's way of writing them to the provider's.

OpenAI marks what is to be changed by transparency: a PNG as large as the first image, clear where something new may be
painted. Others read the colours of a picture without transparency. What an offering wants is data: `images.mask_style`.
"""

from __future__ import annotations

from io import BytesIO

from PIL import Image

from providers.errors import InvalidRequest
from providers.request import SourceImage
from providers.web.sentence import sentence

STYLES = {
    "alpha": sentence("transparent where the image is to be changed"),
    "black": sentence("black where the image is to be changed, white where it stays"),
    "white": sentence("white where the image is to be changed, black where it stays"),
}


def in_style(mask: SourceImage, style: str) -> SourceImage:
    """The mask as this provider reads it. Raises InvalidRequest when it marks nothing."""
    if style == "alpha":
        return mask
    try:
        with Image.open(BytesIO(mask.data)) as opened:
            alpha = opened.convert("RGBA").getchannel("A")
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise InvalidRequest(f"mask: it cannot be read: {error}") from error
    if not sum(alpha.histogram()[:128]):
        raise InvalidRequest("mask: nothing in it is transparent; make transparent what is to be changed")
    painted = alpha.point([0 if style == "black" else 255] * 128 + [255 if style == "black" else 0] * 128)
    out = BytesIO()
    painted.save(out, "PNG")
    return SourceImage(out.getvalue(), "image/png")
