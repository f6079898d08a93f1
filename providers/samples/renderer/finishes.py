"""What happens to a whole picture after it is drawn: glow, grain, ink separation, brush strokes, warping.

Everything takes and returns an image or an array and keeps its size, so looks and photo edits share it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from providers.samples.renderer.colour import Colour, as_bytes
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.raster import Pixels, blurred, dimmed, grain, picture, pixels


def bloom(image: Image.Image, lights: Image.Image, unit: float, amount: float = 1.0) -> Image.Image:
    """Adds the light of lamps: a tight halo, a wide one and a veil over everything."""
    glow = dimmed(blurred(lights, max(1.0, 0.004 * unit)), 0.5 * amount)
    for radius, weight in ((0.016, 0.55), (0.06, 0.5)):
        glow = ImageChops.add(glow, dimmed(blurred(lights, max(1.0, radius * unit)), weight * amount))
    return ImageChops.screen(image, glow.resize(image.size, Image.Resampling.BILINEAR))


def contrast(image: Image.Image, amount: float = 0.35) -> Image.Image:
    """An S-curve through the middle grey."""
    tone = np.linspace(0, 1, 256)
    curve = tone * (1 - amount) + tone * tone * (3 - 2 * tone) * amount
    return image.point((curve * 255 + 0.5).astype(int).tolist() * len(image.getbands()))


def shaded(image: Image.Image, factor: Pixels) -> Image.Image:
    """Every pixel times a factor of at most 1 (any size: it is stretched over the picture)."""
    cover = Image.fromarray((np.clip(factor, 0, 1) * 255).astype(np.uint8), "L")
    if cover.size != image.size:
        cover = cover.resize(image.size, Image.Resampling.BILINEAR)
    return ImageChops.multiply(image, Image.merge("RGB", (cover, cover, cover)))


def radial(width: int, height: int, x: float = 0.5, y: float = 0.5, stretch: float = 1.0) -> Pixels:
    """Distance from a point, 1 at the farthest corner."""
    across = (np.arange(width, dtype=np.float32) / width - x)[None, :]
    down = (np.arange(height, dtype=np.float32) / height - y)[:, None] * stretch
    distance = np.sqrt(across**2 + down**2)
    return np.asarray(distance / distance.max())


def vignette(image: Image.Image, amount: float) -> Image.Image:
    return shaded(image, 1 - np.float32(amount) * radial(128, 128) ** 2.2)


def film_grain(image: Image.Image, amount: float, seed: int = 11) -> Image.Image:
    noise = (grain(*image.size, seed) * np.float32(amount * 255)).astype(np.int16)
    return Image.fromarray(
        np.clip(np.asarray(image).astype(np.int16) + noise[..., None], 0, 255).astype(np.uint8), "RGB"
    )


def paper(image: Image.Image, amount: float, seed: int = 23) -> Image.Image:
    """Tooth and fibre, as shading."""
    tooth = grain(*image.size, seed) * np.float32(0.5) + grain(*image.size, seed + 1, 3)
    return shaded(image, 1 - np.float32(amount) * (1 + tooth))


def warp(image: Image.Image, rng: Rng, amount: float, scale: float) -> Image.Image:
    """Moves every pixel a little (`amount`, pixels) along smooth noise (`scale`, pixels per wobble)."""
    width, height = image.size
    cells = (max(2, int(width / scale)) + 2, max(2, int(height / scale)) + 2)
    shifts = []
    for _ in range(2):
        field = Image.fromarray(rng.uniform(-1, 1, (cells[1], cells[0])).astype(np.float32), "F")
        shifts.append(np.asarray(field.resize((width, height), Image.Resampling.BICUBIC)) * amount)
    x = np.clip(np.arange(width)[None, :] + shifts[0], 0, width - 1).astype(np.int32)
    y = np.clip(np.arange(height)[:, None] + shifts[1], 0, height - 1).astype(np.int32)
    return Image.fromarray(np.asarray(image)[y, x], image.mode)


def screen_dots(cover: Pixels, pitch: float, angle: float) -> Pixels:
    """A halftone: coverage 0…1 to round dots of that area, edges softened over one pixel."""
    height, width = cover.shape
    c, s = np.float32(np.cos(angle) * 2 * np.pi / pitch), np.float32(np.sin(angle) * 2 * np.pi / pitch)
    x, y = np.arange(width, dtype=np.float32)[None, :], np.arange(height, dtype=np.float32)[:, None]
    # cos(u)+cos(v) of rotated coordinates, split into products of one-dimensional waves: no big trigonometry
    cu = np.cos(x * c) * np.cos(y * s) - np.sin(x * c) * np.sin(y * s)
    cv = np.cos(x * s) * np.cos(y * c) + np.sin(x * s) * np.sin(y * c)
    threshold = (2 - (cu + cv)) / 4
    return np.asarray(np.clip((cover - threshold) * np.float32(pitch * 0.75) + np.float32(0.5), 0, 1))


def separate(image: Image.Image, inks: Sequence[Colour]) -> list[Pixels]:
    """How much of each of three inks, one over the other, comes closest to the picture."""
    density = -np.log(np.clip(np.array(inks), 0.02, 0.985))
    logs = -np.log(np.clip(np.arange(256, dtype=np.float32) / 255, 0.02, 1.0))
    target = logs[np.asarray(image).reshape(-1, 3)]
    amounts = target @ np.linalg.pinv(density).astype(np.float32)
    return [np.clip(amounts[:, k], 0, 1).reshape(image.height, image.width) for k in range(len(inks))]


def overprint(
    image: Image.Image, inks: Sequence[Colour], stock: Colour, pitch: float, slip: float, rng: Rng
) -> Image.Image:
    """A risograph: each ink screened at its own angle, a little out of register, a little uneven."""
    width, height = image.size
    sheet = Image.new("RGB", image.size, as_bytes(stock))
    for k, (cover, ink) in enumerate(zip(separate(image, inks), inks, strict=True)):
        solid = np.clip((cover - np.float32(0.78)) * 6, 0, 1)  # shadows close up, or text would be made of dots
        plate = np.maximum(screen_dots(cover, pitch, 0.26 + k * 0.52), solid)
        plate *= np.float32(0.94) - np.float32(0.1) * (grain(width, height, 31 + k) > 0.72)
        mask = Image.fromarray((plate * 255).astype(np.uint8), "L")
        dx, dy = (round(v) for v in rng.normal(0, slip, 2)) if k else (0, 0)
        inked = Image.composite(
            Image.new("RGB", image.size, as_bytes(ink)), Image.new("RGB", image.size, (255, 255, 255)), mask
        )
        sheet = ImageChops.multiply(sheet, ImageChops.offset(inked, dx, dy))
    return sheet


def brushed(image: Image.Image, rng: Rng, fineness: float = 1.0, relief: float = 0.5) -> Image.Image:
    """Repaints a picture with strokes that follow its forms: broad ones first, fine ones only where they are needed."""
    width, height = image.size
    unit = min(width, height) / 1024
    small = image.convert("L").resize((max(8, width // 8), max(8, height // 8)), Image.Resampling.BOX)
    grey = np.asarray(small.filter(ImageFilter.GaussianBlur(2)), dtype=np.float32)
    gy, gx = np.gradient(grey)
    flow = np.arctan2(gy, gx) + np.pi / 2
    canvas = blurred(image, max(1.0, 10 * unit))
    for size, keep in ((20, 0.0), (11, 7.0), (6.5, 13.0)):
        step = max(2.0, size * unit * 0.95 / fineness)
        breadth = max(2, round(size * unit / fineness))
        soft = image.filter(ImageFilter.BoxBlur(max(0.6, breadth * 0.4)))
        error = np.asarray(ImageChops.difference(soft, canvas).convert("L"))
        _strokes(canvas, soft, error, flow, rng, step, breadth, keep)
    if relief:
        tone = np.asarray(canvas.convert("L"), dtype=np.float32)
        ridges = (tone - np.roll(tone, (2, 2), (0, 1))) + grain(width, height, 5, 2) * 6
        raised = np.asarray(canvas).astype(np.int16) + (np.clip(ridges, -60, 60) * relief).astype(np.int16)[..., None]
        canvas = Image.fromarray(np.clip(raised, 0, 255).astype(np.uint8), "RGB")
    return canvas


def _strokes(
    canvas: Image.Image,
    source: Image.Image,
    error: NDArray[np.uint8],
    flow: Pixels,
    rng: Rng,
    step: float,
    breadth: int,
    keep: float,
) -> None:
    width, height = canvas.size
    xs, ys = np.meshgrid(np.arange(0, width, step), np.arange(0, height, step))
    xs = np.clip(xs.ravel() + rng.uniform(-step, step, xs.size) * 0.6, 0, width - 1)
    ys = np.clip(ys.ravel() + rng.uniform(-step, step, ys.size) * 0.6, 0, height - 1)
    ix, iy = xs.astype(int), ys.astype(int)
    target = error[iy, ix] >= keep
    xs, ys, ix, iy = xs[target], ys[target], ix[target], iy[target]
    fx, fy = np.minimum(ix // 8, flow.shape[1] - 1), np.minimum(iy // 8, flow.shape[0] - 1)
    angle = flow[fy, fx] + rng.normal(0, 0.28, len(xs))
    colours = np.asarray(source)[iy, ix].astype(np.int16) + rng.integers(-9, 10, (len(xs), 1)).astype(np.int16)
    half = breadth * rng.uniform(1.0, 2.1, len(xs))
    dx, dy = np.cos(angle) * half, np.sin(angle) * half
    ends = np.stack([xs - dx, ys - dy, xs + dx, ys + dy], axis=1).tolist()
    draw = ImageDraw.Draw(canvas)
    order = rng.permutation(len(xs)).tolist()
    tints = [tuple(c) for c in np.clip(colours, 0, 255).tolist()]
    for i in order:
        draw.line(ends[i], fill=tints[i], width=breadth)


def pixelated(image: Image.Image, columns: int, colours: int, dither: float = 0.06) -> Image.Image:
    """Few pixels, few colours, an ordered dither: the look of an early game."""
    width, height = image.size
    across = max(8, min(columns, width))
    down = max(8, round(across * height / width))
    small = pixels(image.resize((across, down), Image.Resampling.BOX))
    bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]], dtype=np.float32) / 16 - 0.47
    pattern = np.tile(bayer, (down // 4 + 1, across // 4 + 1))[:down, :across, None]
    few = picture(small + pattern * np.float32(dither)).quantize(
        colours, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE
    )
    return few.convert("RGB").resize((width, height), Image.Resampling.NEAREST)
