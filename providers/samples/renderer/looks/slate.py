"""The chalk look."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from providers.samples.renderer import finishes
from providers.samples.renderer.colour import as_bytes, lighter, luma, mix, rgb, tuned
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.looks.voice import CHALK_HAND, Voice, chalky, tint, written
from providers.samples.renderer.prompt import Brief
from providers.samples.renderer.raster import Sheet, clouds, coverage, dimmed, grain, picture, vertical
from providers.samples.renderer.shapes import Scene, Shape

Size = tuple[int, int]


def slate(scene: Scene, brief: Brief, size: Size, rng: Rng) -> Image.Image:
    """Coloured chalk on a blackboard, whatever the subject."""
    unit = float(min(size))
    sheet = Sheet.blank(*size)
    board = np.ones((size[1], size[0], 3), dtype=np.float32) * np.array(rgb("25302e"), dtype=np.float32)
    smears = clouds(max(8, size[0] // 4), max(8, size[1] // 4), rng, 4, 2.5)
    wipe = np.asarray(Image.fromarray(smears, "F").resize(size, Image.Resampling.BICUBIC))
    sheet.image = picture(board * (0.86 + 0.34 * wipe[..., None]))
    streaks = _streaks(size, rng)
    ground = as_bytes(rgb("232d2b"))
    _chalk_sky(sheet.image, scene, streaks)
    for layer in scene.layers:
        for shape in layer.shapes:
            if not shape.soft:
                _chalk_shape(sheet, shape, streaks, ground, unit)
    image = finishes.warp(sheet.image, rng, unit * 0.0022, unit * 0.035)
    for text in written(scene, Voice(hand=CHALK_HAND, always_by_hand=True), size, rng):
        dust = text.mask.filter(ImageFilter.GaussianBlur(unit * 0.02))
        image.paste(ground, (0, 0), dimmed(dust, 1.5))
        colour = lighter(text.slot.colour, 0.2) if luma(text.slot.colour) > 0.45 else rgb("f7f4ea")
        tint(image, colour, chalky(text.mask, rng, unit))
    return finishes.film_grain(image, 0.02)


def _streaks(size: Size, rng: Rng) -> Image.Image:
    """The side of a stick of chalk dragged across a rough board."""
    side = max(size) + 64
    lines = Image.fromarray(rng.integers(0, 256, (side // 2, side // 24), dtype=np.uint8), "L")
    drawn = lines.resize((side, side), Image.Resampling.BICUBIC).rotate(38, Image.Resampling.BILINEAR, fillcolor=128)
    drawn = drawn.crop((32, 32, 32 + size[0], 32 + size[1]))
    tooth = np.asarray(drawn, dtype=np.float32) / 255 + grain(*size, seed=47) * 0.35
    return Image.fromarray((np.clip(tooth * 1.5 - 0.3, 0.04, 1) * 255).astype(np.uint8), "L")


def _chalk_sky(image: Image.Image, scene: Scene, streaks: Image.Image) -> None:
    sky = vertical(*image.size, *(lighter(tuned(c, 1.2), 0.25) for c in scene.palette.sky))
    image.paste(sky, (0, 0), dimmed(streaks, 0.17))


def _chalk_shape(sheet: Sheet, shape: Shape, streaks: Image.Image, ground: tuple[int, int, int], unit: float) -> None:
    covered = coverage(shape.parts, sheet.unit, sheet.image.size)
    if covered is None:
        return
    (x0, y0, x1, y1), mask = covered
    colour = lighter(tuned(shape.fill, 1.15), 0.22)
    if luma(colour) < 0.34:
        colour = mix(colour, (0.75, 0.8, 0.82), 0.28)
    if not shape.detail and shape.alpha > 0.6:
        stroke = Image.new("L", mask.size)
        draw = ImageDraw.Draw(stroke)
        for part in shape.parts:
            draw.line(
                [*((part * unit - (x0, y0)).ravel().tolist()), *((part[0] * unit - (x0, y0)).tolist())],
                fill=235,
                width=max(2, round(unit * 0.0065)),
                joint="curve",
            )
        tooth = streaks.crop((x0, y0, x1, y1)).point([min(255, 90 + int(v * 0.75)) for v in range(256)])
        sheet.image.paste(as_bytes(lighter(colour, 0.3)), (x0, y0), ImageChops.multiply(stroke, tooth))
        sheet.image.paste(ground, (x0, y0), dimmed(mask, 0.86))
    wide = (
        (x1 - x0) * (y1 - y0) / (sheet.image.width * sheet.image.height)
    )  # backgrounds stay faint, or nothing stands out
    strength = (0.95 if shape.light or shape.detail else 0.8) * (1 - 0.85 * min(1.0, wide))
    body = ImageChops.multiply(mask, streaks.crop((x0, y0, x1, y1)))
    sheet.image.paste(as_bytes(colour), (x0, y0), dimmed(body, min(1.0, shape.alpha + 0.1) * strength))
