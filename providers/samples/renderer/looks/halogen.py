"""The cinematic look."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from providers.samples.renderer import finishes
from providers.samples.renderer.colour import Colour, as_bytes, darker, lighter, luma, mix, rgb, tuned
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.looks.voice import CHALK_HAND, Lettered, Voice, chalky, tint, written
from providers.samples.renderer.prompt import Brief
from providers.samples.renderer.raster import Brush, Sheet, clouds, dimmed, paint, picture, vertical
from providers.samples.renderer.shapes import Scene

Size = tuple[int, int]


def halogen(scene: Scene, brief: Brief, size: Size, rng: Rng) -> Image.Image:
    """Cinema: dark, lit from within, smoke in the beams."""
    unit, flat = float(min(size)), scene.mood == "paper"

    def grade(colour: Colour, depth: float) -> Colour:
        if flat:
            return (
                mix((0.07, 0.09, 0.16), colour, 0.25 + 0.75 * abs(luma(colour) - 0.9))
                if luma(colour) > 0.75
                else colour
            )
        deep = darker(tuned(colour, 1.2), 0.2 if not scene.palette.dark else 0.04)
        return mix(deep, (0.02, 0.05, 0.12), 0.1)

    sheet = Sheet.blank(*size)
    haze = mix(grade(scene.palette.sky[2], 0), scene.palette.light, 0.12)
    paint(sheet, scene, Brush(recolour=grade, volume=1.25, haze=None if flat else haze, haze_amount=0.38))
    image = sheet.image
    if not flat:
        image = _atmosphere(image, scene, rng)
    texts = written(scene, Voice(weight="ExtraBold", hand=CHALK_HAND), size, rng)
    for text in texts:
        _glowing(image, sheet, scene, text, rng, unit)
    image = finishes.bloom(image, sheet.lights, unit, 0.62 if flat else 0.95)
    return finishes.film_grain(finishes.vignette(finishes.contrast(image, 0.3), 0.4), 0.022)


def _atmosphere(image: Image.Image, scene: Scene, rng: Rng) -> Image.Image:
    """Smoke that catches the light, thickest where the light is."""
    small = (max(16, image.width // 4), max(16, image.height // 4))
    smoke = np.clip(clouds(*small, rng, 3, 1.6) * 1.7 - 0.75, 0, 1)
    if scene.sun:
        x, y, _ = scene.sun
        smoke *= np.clip(1.25 - finishes.radial(*small, x / scene.frame.w, min(1.0, y / scene.frame.h)) * 1.5, 0.1, 1)
    colour = np.array(mix(scene.palette.light, scene.palette.accent, 0.35), dtype=np.float32)
    strength = 0.0 if scene.mood == "cafe" else 0.3 if scene.palette.dark else 0.2
    veil = picture(smoke[..., None] * colour * np.float32(strength)).resize(image.size, Image.Resampling.BILINEAR)
    return ImageChops.screen(image, veil)


def _glowing(image: Image.Image, sheet: Sheet, scene: Scene, text: Lettered, rng: Rng, unit: float) -> None:
    kind, mask = text.slot.kind, text.mask
    if not kind.startswith("neon"):  # letters lie on what shines behind them
        sheet.lights.paste((0, 0, 0), (0, 0), mask.resize(sheet.lights.size, Image.Resampling.BOX))
    if kind.startswith("hand"):
        tint(image, text.slot.colour, chalky(mask, rng, unit))
        return
    if kind in ("label", "price") or scene.mood == "paper":
        tint(image, text.slot.colour if kind == "price" else lighter(text.slot.colour, 0.75), mask)
        return
    if kind.startswith("neon"):
        bone = ImageChops.subtract(mask, dimmed(mask.filter(ImageFilter.MinFilter(_odd(unit * 0.006))), 0.86))
        tint(image, text.slot.colour, dimmed(mask, 0.35))
        tint(image, lighter(text.slot.colour, 0.45), bone)
        glow, strength = ImageChops.lighter(bone, dimmed(mask, 0.5)), 1.0
    else:
        shadow = mask.filter(ImageFilter.GaussianBlur(unit * 0.012))
        tint(image, (0.02, 0.01, 0.03), dimmed(shadow, 0.8))
        x0, y0, x1, y1 = (round(v * unit) for v in text.slot.box)
        pal = scene.palette
        top, low = (
            (lighter(pal.light, 0.6), mix(pal.light, pal.accent2, 0.3))
            if kind == "title"
            else (lighter(text.slot.colour, 0.4), text.slot.colour)
        )
        stops = (rgb("fff6d0"), rgb("ffc13d"), rgb("ff5a12")) if scene.fiery else (top, mix(top, low, 0.35), low)
        fill = Image.new("RGB", image.size)
        fill.paste(vertical(max(1, x1 - x0 + 40), max(1, y1 - y0), *stops), (x0 - 20, y0))
        image.paste(fill, (0, 0), mask)
        glow, strength = mask, 0.85 if scene.fiery else 0.3 if scene.palette.dark else 0.12
    lamp = rgb("ff6a1a") if scene.fiery else text.slot.colour
    half = glow.resize(sheet.lights.size, Image.Resampling.BOX)
    sheet.lights.paste(as_bytes(mix((0, 0, 0), lamp, strength)), (0, 0), half)


def _odd(value: float) -> int:
    return max(3, int(value) // 2 * 2 + 1)
