"""From shapes to pixels: anti-aliased coverage, gradients, modelled light, noise."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from providers.samples.renderer.colour import Colour, as_bytes, mix
from providers.samples.renderer.shapes import Layer, Points, Scene, Shape

Pixels = NDArray[np.floating[Any]]  # height × width (× 3), 0…1; float32 wherever it is large
Box = tuple[int, int, int, int]


@dataclass
class Sheet:
    """A picture in progress and, apart from it, the light it gives off (at half size: light is soft)."""

    image: Image.Image
    lights: Image.Image
    unit: float  # pixels per scene unit

    @classmethod
    def blank(cls, width: int, height: int, colour: Colour = (0.0, 0.0, 0.0)) -> Sheet:
        half = (max(1, width // 2), max(1, height // 2))
        return cls(Image.new("RGB", (width, height), as_bytes(colour)), Image.new("RGB", half), min(width, height))


def pixels(image: Image.Image) -> Pixels:
    return np.asarray(image.convert("RGB"), dtype=np.float32) / np.float32(255)


def picture(array: Pixels) -> Image.Image:
    return Image.fromarray((np.clip(array, 0, 1) * np.float32(255) + np.float32(0.5)).astype(np.uint8), "RGB")


def coverage(
    parts: tuple[Points, ...], unit: float, size: tuple[int, int], soft: float = 0.0
) -> tuple[Box, Image.Image] | None:
    """Where the polygons are inside the picture, and how much they cover of each pixel there."""
    pad = int(soft * unit * 2.5) + 2
    every = np.concatenate(parts) if len(parts) > 1 else parts[0]
    low, high = every.min(axis=0) * unit, every.max(axis=0) * unit
    x0, y0 = max(-pad, int(low[0]) - pad), max(-pad, int(low[1]) - pad)
    x1, y1 = min(size[0] + pad, int(high[0]) + pad + 1), min(size[1] + pad, int(high[1]) + pad + 1)
    if x1 <= x0 or y1 <= y0 or x1 <= 0 or y1 <= 0 or x0 >= size[0] or y0 >= size[1]:
        return None
    blur = soft * unit
    fine = 1 if blur > 3 else 4 if (x1 - x0) * (y1 - y0) < 90_000 else 2
    mask = Image.new("L", ((x1 - x0) * fine, (y1 - y0) * fine))
    draw = ImageDraw.Draw(mask)
    flat = ((every * unit - (x0, y0)) * fine).ravel().tolist()
    start = 0
    for part in parts:
        draw.polygon(flat[start : start + part.size], fill=255)
        start += part.size
    if fine > 1:
        mask = mask.reduce(fine)
    if blur > 0:
        mask = _blurred(mask, blur)
    return (x0, y0, x1, y1), mask


@functools.lru_cache(maxsize=64)
def _times(factor: float) -> list[int]:
    return [min(255, int(value * factor)) for value in range(256)]


def dimmed(image: Image.Image, factor: float) -> Image.Image:
    """Every value times a factor. A table look-up: far cheaper than floating point."""
    return image.point(_times(round(factor, 4)) * len(image.getbands()))


def _blurred(mask: Image.Image, radius: float) -> Image.Image:
    """A Gaussian blur; wide ones are done small, where they cost nothing and look the same."""
    step = max(1, int(radius / 4))
    if step == 1:
        return mask.filter(ImageFilter.GaussianBlur(radius))
    small = mask.resize((max(1, mask.width // step), max(1, mask.height // step)), Image.Resampling.BOX)
    return small.filter(ImageFilter.GaussianBlur(radius / step)).resize(mask.size, Image.Resampling.BILINEAR)


def blurred(image: Image.Image, radius: float) -> Image.Image:
    return _blurred(image, radius)


def vertical(width: int, height: int, *stops: Colour) -> Image.Image:
    """A gradient from top to bottom."""
    at = np.linspace(0, len(stops) - 1, max(1, height))
    column = np.stack([np.interp(at, np.arange(len(stops)), [stop[c] for stop in stops]) for c in range(3)], axis=1)
    return Image.fromarray(np.repeat((column[:, None, :] * 255 + 0.5).astype(np.uint8), width, axis=1), "RGB")


@functools.lru_cache(maxsize=8)
def _noise_tile(seed: int, cell: int) -> NDArray[np.uint8]:
    rng = np.random.default_rng(seed)
    small = Image.fromarray(rng.integers(0, 256, (max(2, 512 // cell), max(2, 512 // cell)), dtype=np.uint8), "L")
    return np.asarray(small.resize((512, 512), Image.Resampling.BICUBIC))


def grain(width: int, height: int, seed: int = 7, cell: int = 1) -> Pixels:
    """Noise around 0 (−1…1), height × width, tiled: paper tooth, film grain, a patty's crust."""
    tile = _noise_tile(seed, cell)
    tiled = np.tile(tile, (height // 512 + 1, width // 512 + 1))[:height, :width]
    return tiled.astype(np.float32) / np.float32(127.5) - np.float32(1)


def clouds(width: int, height: int, rng: np.random.Generator, cells: int = 3, stretch: float = 1.0) -> Pixels:
    """Fractal noise 0…1: smoke, fog, nebulae. `stretch` > 1 draws it out sideways."""
    total = np.zeros((height, width), dtype=np.float32)
    weight = 1.0
    for octave in range(5):
        n = cells * 2**octave
        columns = max(2, round(n * width / max(1, height) / stretch))
        small = Image.fromarray(rng.random((n + 2, columns + 2), dtype=np.float32), "F")
        total += weight * np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))
        weight *= 0.52
    total -= total.min()
    return total / max(float(total.max()), 1e-6)


Recolour = Callable[[Colour, float], Colour]


@dataclass(frozen=True)
class Brush:
    """How a look lays down shapes."""

    recolour: Recolour = lambda colour, depth: colour
    gradients: bool = True
    volume: float = 1.0  # modelled light on round things
    roughness: float = 1.0
    haze: Colour | None = None  # distance fades into this
    haze_amount: float = 0.0
    shadow: tuple[float, float, float, float] | None = None  # dx, dy, blur (units), opacity
    edge: float = 0.0  # a light upper edge, as cut paper has
    details: bool = True


def paint_sky(sheet: Sheet, scene: Scene, brush: Brush) -> None:
    stops = [brush.recolour(stop, 0.0) for stop in scene.palette.sky]
    if brush.gradients:
        sheet.image.paste(vertical(*sheet.image.size, *stops), (0, 0))
        return
    flat = Image.new("RGB", sheet.image.size, as_bytes(mix(stops[0], stops[1], 0.6)))
    sheet.image.paste(flat, (0, 0))


def paint(sheet: Sheet, scene: Scene, brush: Brush) -> None:
    """The sky and every layer, far to near."""
    paint_sky(sheet, scene, brush)
    for layer in scene.layers:
        paint_layer(sheet, layer, brush)


def paint_layer(sheet: Sheet, layer: Layer, brush: Brush) -> None:
    for shape in layer.shapes:
        if brush.details or not shape.detail:
            paint_shape(sheet, shape, layer.depth, brush)


def paint_shape(sheet: Sheet, shape: Shape, depth: float, brush: Brush) -> None:
    covered = coverage(shape.parts, sheet.unit, sheet.image.size, shape.soft)
    if covered is None:
        return
    (x0, y0, x1, y1), mask = covered
    if brush.shadow and shape.alpha > 0.6 and not shape.soft and not shape.light and not shape.detail:
        _drop_shadow(sheet, mask, (x0, y0), brush.shadow)
    top, low = shape.fill, shape.fill2 or shape.fill
    if shape.light < 0.7:  # a lamp keeps its colour whatever the look does to what it shines on
        top, low = brush.recolour(top, depth), brush.recolour(low, depth)
    if brush.haze is not None and not shape.light:
        share = brush.haze_amount * (1 - depth) ** 1.5
        top, low = mix(top, brush.haze, share), mix(low, brush.haze, share)
    if shape.alpha < 1:
        mask = dimmed(mask, shape.alpha)
    fill = _fill(shape, top, low, (x0, y0, x1, y1), sheet.unit, brush)
    if brush.volume and shape.volume and min(mask.size) > 6:
        fill = _modelled(fill, mask, shape.volume * brush.volume)
    if brush.roughness and shape.grain:
        rough = grain(*fill.size, cell=2) * (shape.grain * brush.roughness * 127) + np.float32(128)
        fill = ImageChops.overlay(fill, Image.merge("RGB", [Image.fromarray(rough.astype(np.uint8), "L")] * 3))
    sheet.image.paste(fill, (x0, y0), mask)
    if brush.edge and not shape.soft and shape.alpha > 0.6 and not shape.detail:
        rim = dimmed(ImageChops.subtract(mask, ImageChops.offset(mask, 1, 2)), brush.edge)
        sheet.image.paste((255, 252, 244), (x0, y0), rim)
    _let_shine(sheet, shape, top, (x0, y0), mask)


def _fill(shape: Shape, top: Colour, low: Colour, box: Box, unit: float, brush: Brush) -> Image.Image:
    x0, y0, x1, y1 = box
    size = (x1 - x0, y1 - y0)
    if shape.fill2 is None or not brush.gradients:
        return Image.new("RGB", size, as_bytes(mix(top, low, 0.35)))
    ys = np.concatenate([part[:, 1] for part in shape.parts])
    start, end = float(ys.min()) * unit, float(ys.max()) * unit
    share = [max(0.0, min(1.0, (y - start) / max(1.0, end - start))) for y in (y0, y1)]
    return vertical(*size, mix(top, low, share[0]), mix(top, low, share[1]))


def _drop_shadow(
    sheet: Sheet, mask: Image.Image, at: tuple[int, int], shadow: tuple[float, float, float, float]
) -> None:
    dx, dy, blur, opacity = shadow
    radius = max(0.6, blur * sheet.unit)
    pad = int(radius * 2.5)
    cast = Image.new("L", (mask.width + 2 * pad, mask.height + 2 * pad))
    cast.paste(dimmed(mask, opacity), (pad, pad))
    cast = _blurred(cast, radius)
    sheet.image.paste((18, 10, 28), (at[0] - pad + round(dx * sheet.unit), at[1] - pad + round(dy * sheet.unit)), cast)


def _modelled(fill: Image.Image, mask: Image.Image, volume: float) -> Image.Image:
    """Light from the upper left on something round: brighter where its blurred outline rises, darker where it falls."""
    width, height = fill.size
    step = max(1, min(width, height) // 90)
    small = mask.resize((max(2, width // step), max(2, height // step)), Image.Resampling.BOX)
    reach = max(1.5, min(small.size) * 0.16)
    pad = int(reach * 2)
    roomy = Image.new("L", (small.width + 2 * pad, small.height + 2 * pad))
    roomy.paste(small, (pad, pad))
    soft = np.asarray(roomy.filter(ImageFilter.GaussianBlur(reach)), dtype=np.float32) / 255
    shift = max(1, int(reach * 0.8))
    lit = np.roll(soft, (-shift, -shift // 2), (0, 1)) - np.roll(soft, (shift, shift // 2), (0, 1))
    light = Image.fromarray(lit[pad:-pad, pad:-pad], "F").resize(fill.size, Image.Resampling.BILINEAR)
    shade = np.asarray(light)[..., None] * np.float32(volume)
    body = pixels(fill)
    gloss = np.clip(shade - np.float32(0.35), 0, 1) ** 2
    return picture(
        body * (1 + np.minimum(shade, 0) * 0.95) + np.maximum(shade, 0) * (1 - body) * body * 1.6 + gloss * 0.8
    )


def _let_shine(sheet: Sheet, shape: Shape, colour: Colour, at: tuple[int, int], mask: Image.Image) -> None:
    """Notes the light a shape gives off – and that an opaque shape in front of a lamp hides it."""
    small = mask.resize((max(1, mask.width // 2), max(1, mask.height // 2)), Image.Resampling.BOX)
    if shape.light:
        tint = mix((0.0, 0.0, 0.0), colour, min(1.0, shape.light))
        lamp = Image.new("RGB", small.size, as_bytes(tint))
        lamp = ImageChops.multiply(lamp, Image.merge("RGB", (small, small, small)))
        spot = (at[0] // 2, at[1] // 2)
        under = sheet.lights.crop((*spot, spot[0] + small.width, spot[1] + small.height))
        sheet.lights.paste(ImageChops.lighter(under, lamp), spot)
    else:
        sheet.lights.paste((0, 0, 0), (at[0] // 2, at[1] // 2), small)
