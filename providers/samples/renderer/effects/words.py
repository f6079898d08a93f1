"""Writing on a photograph."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from providers.samples.renderer import finishes, lettering
from providers.samples.renderer.colour import as_bytes, lighter, mix, rgb
from providers.samples.renderer.effects.darkroom import Darkroom, graded
from providers.samples.renderer.raster import dimmed, picture


def neon_sign(photo: Image.Image, room: Darkroom) -> Image.Image:
    """The quoted words in glass tubes, and their light on everything else."""
    w, h = photo.size
    unit = min(w, h)
    words = room.texts[0] if room.texts else "OPEN"
    if room.garble:
        words = lettering.garbled(words, room.rng, room.garble)
    named = [
        rgb(
            {
                "blue": "3aa0ff",
                "cyan": "27e0ff",
                "green": "4dff9a",
                "yellow": "ffe14d",
                "red": "ff4040",
                "orange": "ff8c2e",
            }.get(c, "ff4fb0")
        )
        for c in room.colours[:1]
    ]
    colour = named[0] if named else rgb("ff4fb0")
    setting = lettering.fit(words, (w * 0.1, h * 0.06, w * 0.9, h * 0.32), "Bold", most_lines=2)
    mask = lettering.mask(setting, (w, h))
    inner = mask.filter(ImageFilter.MinFilter(max(3, int(unit * 0.008) // 2 * 2 + 1)))
    tube = ImageChops.subtract(mask, dimmed(inner, 0.85))
    image = graded(photo, (0.5, 0.46, 0.62), (0.0, 0.0, 0.015), min(1.2, room.strength))
    lamp = Image.new("RGB", (w, h))
    lamp.paste(as_bytes(colour), (0, 0), tube)
    image.paste(as_bytes(lighter(colour, 0.6)), (0, 0), tube)
    image = finishes.bloom(image, ImageChops.add(lamp, lamp).resize((w // 2, h // 2), Image.Resampling.BOX), unit, 1.5)
    wash = np.clip(1 - finishes.radial(w // 4, h // 4, 0.5, 0.15) * 1.3, 0, 1)[..., None] ** 2 * np.array(
        mix(colour, (0, 0, 0), 0.65), dtype=np.float32
    )
    return ImageChops.screen(image, picture(wash.astype(np.float32)).resize((w, h), Image.Resampling.BILINEAR))


def caption(photo: Image.Image, room: Darkroom) -> Image.Image:
    """Words on the picture when no more is said about how."""
    w, h = photo.size
    words = room.texts[0] if room.texts else ""
    if room.garble:
        words = lettering.garbled(words, room.rng, room.garble)
    mask = lettering.mask(
        lettering.fit(words, (w * 0.07, h * 0.74, w * 0.93, h * 0.95), "ExtraBold", most_lines=2), (w, h)
    )
    image = photo.copy()
    image.paste((8, 6, 14), (0, 0), dimmed(mask.filter(ImageFilter.GaussianBlur(min(w, h) * 0.012)), 0.85))
    image.paste((255, 250, 238), (0, 0), mask)
    return image
