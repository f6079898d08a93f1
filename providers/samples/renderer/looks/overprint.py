"""The risograph look."""

from __future__ import annotations

import numpy as np
from PIL import Image

from providers.samples.renderer import finishes
from providers.samples.renderer.colour import Colour, as_bytes, darker, lighter, rgb, tuned
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.looks.voice import CHALK_HAND, Voice, tint, written
from providers.samples.renderer.prompt import Brief
from providers.samples.renderer.raster import Brush, Sheet, paint
from providers.samples.renderer.shapes import Scene, Slot

Size = tuple[int, int]


def overprinted(scene: Scene, brief: Brief, size: Size, rng: Rng) -> Image.Image:
    """A risograph print: three inks, visible dots, a little out of register."""
    unit = float(min(size))
    inks = _inks(scene)
    sheet = Sheet.blank(*size)

    def airy(colour: Colour, depth: float) -> Colour:
        return lighter(tuned(colour, 1.2), 0.1) if scene.palette.dark else darker(tuned(colour, 1.3), 0.08)

    paint(sheet, scene, Brush(recolour=airy, volume=0.9, roughness=0.6))
    sheet.image = finishes.bloom(sheet.image, sheet.lights, unit, 0.3)
    for text in written(scene, Voice(weight="ExtraBold", tracking=-0.015, hand=CHALK_HAND), size, rng):
        dark_ground = _luma_under(sheet.image, text.slot, unit) < 0.5
        tint(sheet.image, (1.0, 1.0, 1.0) if dark_ground else (0.05, 0.05, 0.08), text.mask)
    stock = rgb("f6f0e2")
    image = finishes.contrast(sheet.image, 0.0 if scene.palette.dark else 0.6)
    inked = finishes.overprint(image, inks, stock, max(3.2, unit / 210), unit * 0.0016, rng)
    margin = round(unit * 0.035)
    result = Image.new("RGB", size, as_bytes(stock))
    result.paste(inked.crop((margin, margin, size[0] - margin, size[1] - margin)), (margin, margin))
    return finishes.paper(result, 0.018)


def _inks(scene: Scene) -> tuple[Colour, Colour, Colour]:
    if scene.mood in ("fire", "sunset", "cafe", "desert", "paper"):
        return rgb("ff5a3c"), rgb("ffc629"), rgb("1f3a6e")
    if scene.mood in ("neon", "space", "plum"):
        return rgb("ff4f9a"), rgb("ffd84a"), rgb("2b49b8")
    return rgb("ff6f61"), rgb("f7c93e"), rgb("1e5a96")


def _luma_under(image: Image.Image, slot: Slot, unit: float) -> float:
    x0, y0, x1, y1 = (round(v * unit) for v in slot.box)
    patch = image.crop((x0, y0, max(x0 + 1, x1), max(y0 + 1, y1))).convert("L").resize((1, 1), Image.Resampling.BOX)
    return float(np.asarray(patch)[0, 0]) / 255
