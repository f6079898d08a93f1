"""The paper-cut look."""

from __future__ import annotations

from dataclasses import replace

from PIL import Image, ImageChops, ImageFilter

from providers.samples.renderer import finishes
from providers.samples.renderer.colour import Colour, mix, tuned
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.lettering import Hand
from providers.samples.renderer.looks.voice import Lettered, Voice, tint, written
from providers.samples.renderer.prompt import Brief
from providers.samples.renderer.raster import Brush, Sheet, dimmed, paint_layer, paint_shape, paint_sky
from providers.samples.renderer.shapes import Layer, Scene, Shape, one, rounded, with_hole

Size = tuple[int, int]


def foldwork(scene: Scene, brief: Brief, size: Size, rng: Rng) -> Image.Image:
    """Paper cut with scissors and stacked: every sheet throws a shadow on the one behind."""
    unit = float(min(size))

    def stock(colour: Colour, depth: float) -> Colour:
        return mix(tuned(colour, 0.92), (0.98, 0.94, 0.87), 0.1)

    sheet = Sheet.blank(*size)
    brush = Brush(recolour=stock, volume=0.0, roughness=0.0, shadow=(0.004, 0.007, 0.008, 0.5), edge=0.3)
    paint_sky(sheet, scene, brush)
    for layer in scene.layers:
        solid = [s for s in layer.shapes if not s.soft or s.alpha > 0.6 or layer.depth < 0.5]
        paint_layer(sheet, Layer(layer.depth, [crisp(shape) for shape in solid]), brush)
    if scene.mood not in ("paper", "cafe") and not brief.about("stamp"):
        _paper_frame(sheet, scene, brush, rng)
    for text in written(scene, Voice(weight="ExtraBold", hand=Hand(turn=0.05, drift=0.012)), size, rng):
        _raised(sheet.image, text, unit)
    image = finishes.bloom(sheet.image, sheet.lights, unit, 0.22)
    return finishes.vignette(finishes.paper(image, 0.035), 0.14)


def crisp(shape: Shape) -> Shape:
    """Paper has no blur: fog becomes tracing paper, glows become discs."""
    if shape.soft and shape.alpha < 0.75:
        return replace(shape, soft=0.0, alpha=min(shape.alpha, 0.3), fill2=None)
    return replace(shape, soft=0.0, grain=0.0)


def _paper_frame(sheet: Sheet, scene: Scene, brush: Brush, rng: Rng) -> None:
    """Two cut-outs through which one looks into the box."""
    w, h = scene.frame.w, scene.frame.h
    for k, margin in enumerate((0.034, 0.014)):
        hole = rounded(margin, margin, w - margin, h - margin, 0.07)
        hole = hole + rng.normal(0, 0.0012, hole.shape)
        outer = rounded(-0.2, -0.2, w + 0.2, h + 0.2, 0.01)
        tint = mix(scene.palette.at(0.35 + 0.4 * k), scene.palette.accent, 0.12)
        paint_shape(sheet, one(with_hole(outer, hole), tint), 1.0, replace(brush, shadow=(0.003, 0.006, 0.012, 0.6)))


def _raised(image: Image.Image, text: Lettered, unit: float) -> None:
    shadow = ImageChops.offset(text.mask, round(unit * 0.003), round(unit * 0.006)).filter(
        ImageFilter.GaussianBlur(unit * 0.004)
    )
    tint(image, (0.06, 0.03, 0.09), dimmed(shadow, 0.6))
    tint(image, text.slot.colour, text.mask)
    rim = ImageChops.subtract(text.mask, ImageChops.offset(text.mask, 1, 2))
    tint(image, (1.0, 1.0, 1.0), dimmed(rim, 0.5))
