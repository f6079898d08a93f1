"""Turning a photograph into a picture of another kind."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

from providers.samples.renderer import finishes
from providers.samples.renderer.colour import rgb
from providers.samples.renderer.effects.darkroom import Darkroom, luminance, saturated
from providers.samples.renderer.raster import blurred, clouds, grain, picture, pixels


def watercolour(photo: Image.Image, room: Darkroom) -> Image.Image:
    """Washes that pool at their edges on white, rough paper."""
    w, h = photo.size
    unit = min(w, h)
    step = max(2, round(3 * room.coarse))
    small = photo.resize((max(8, w // step), max(8, h // step)), Image.Resampling.BOX)
    for _ in range(2):
        small = small.filter(ImageFilter.MedianFilter(5))
    small = finishes.warp(small, room.rng, unit * 0.004 / step, unit * 0.03 / step)
    wash = pixels(small.resize((w, h), Image.Resampling.BICUBIC))
    wash = 1 - (1 - wash) * 0.9
    grey = luminance(wash)
    pooled = np.clip(
        np.asarray(blurred(picture(wash).convert("L"), unit * 0.007), dtype=np.float32) / 255 - grey, 0, 0.3
    )
    bleed = clouds(w // 4, h // 4, room.rng, 5)
    bleed = np.asarray(Image.fromarray(bleed, "F").resize((w, h), Image.Resampling.BICUBIC))
    tooth = grain(w, h, 61, 2) * 0.035 + grain(w, h, 62, 5) * 0.03
    wash = (
        wash ** np.float32(0.88) * (1 - pooled[..., None] * 1.1) * (0.93 + 0.14 * bleed[..., None]) + tooth[..., None]
    )
    edge = np.minimum(
        np.minimum(np.arange(w)[None, :], np.arange(w)[::-1][None, :]) / unit,
        np.minimum(np.arange(h)[:, None], np.arange(h)[::-1][:, None]) / unit,
    )
    bare = np.clip((edge - 0.022 - 0.05 * bleed) * 40, 0, 1)[..., None]
    white = np.array([0.98, 0.97, 0.94], dtype=np.float32) + tooth[..., None] * 0.4
    return picture(white + (saturated(wash, 1.2) - white) * bare)


def pencil(photo: Image.Image, room: Darkroom) -> Image.Image:
    """Graphite: lines where light changes, hatching where it is dark."""
    w, h = photo.size
    unit = min(w, h)
    grey = np.asarray(photo.convert("L").filter(ImageFilter.GaussianBlur(1)), dtype=np.float32) / 255
    around = np.asarray(blurred(photo.convert("L"), unit * 0.009 * room.coarse), dtype=np.float32) / 255
    lines = np.clip(grey / np.maximum(around, 0.04), 0, 1) ** (2.6 * room.strength)
    slant = np.arange(w, dtype=np.float32)[None, :] + np.arange(h, dtype=np.float32)[:, None]
    pitch = max(3.0, unit / 190 * room.coarse)
    hatch = 0.5 + 0.5 * np.sin(slant * np.float32(2 * np.pi / pitch) + grain(w, h, 71, 8) * 1.6)
    shade = 1 - np.clip(0.62 - around, 0, 1) * (0.35 + 0.75 * hatch) * 1.05
    tooth = 1 + grain(w, h, 72) * 0.09
    tone = np.clip(lines * shade * tooth, 0, 1)[..., None]
    paper, lead = np.array([0.965, 0.955, 0.93], dtype=np.float32), np.array([0.16, 0.16, 0.18], dtype=np.float32)
    return picture(lead + (paper - lead) * tone)


def pop_art(photo: Image.Image, room: Darkroom) -> Image.Image:
    """Four flat colours, round dots, black outlines."""
    unit = min(photo.size)
    half = photo.resize((max(8, photo.width // 2), max(8, photo.height // 2)), Image.Resampling.BOX).filter(
        ImageFilter.MedianFilter(5)
    )
    calm = finishes.contrast(
        half.resize(photo.size, Image.Resampling.BICUBIC).filter(ImageFilter.BoxBlur(unit * 0.002 * room.coarse)), 0.4
    )
    grey = np.asarray(calm.convert("L"), dtype=np.float32) / 255
    order = room.rng.permutation(3)
    sets = ("1b1464 e4336b ffb400 fff1c9", "16123f 0d8ea8 ff5d3a ffe9a0", "2b0f4c d61f7a 19b5b0 fff6b0")
    inks = np.array([rgb(code) for code in sets[int(order[0])].split()], dtype=np.float32)
    level = np.digitize(grey, (0.24, 0.48, 0.74))
    image = inks[level]
    dots = finishes.screen_dots(
        np.clip((0.6 - np.abs(grey - 0.6)) * 0.75, 0.05, 0.6), max(5.0, unit / 95 * room.coarse), 0.6
    )[..., None]
    image = np.where((level == 2)[..., None], image * (1 - dots) + inks[1] * dots, image)
    edges = np.asarray(calm.convert("L").filter(ImageFilter.GaussianBlur(unit * 0.0025)), dtype=np.float32)
    gy, gx = np.gradient(edges)
    line = np.clip(np.hypot(gx, gy) * 0.34 - 0.9, 0, 1)[..., None]
    return picture(image * (1 - line) + inks[0] * line)


def oil(photo: Image.Image, room: Darkroom) -> Image.Image:
    rich = Image.blend(photo.convert("L").convert("RGB"), photo, 1.25)
    return finishes.brushed(finishes.contrast(rich, 0.2), room.rng, 1.1 / room.coarse, 0.6 * room.strength)


def pixel_art(photo: Image.Image, room: Darkroom) -> Image.Image:
    return finishes.pixelated(
        finishes.contrast(photo, 0.3), round(108 / room.coarse * photo.width / min(photo.size)), 24, 0.07
    )


def mosaic(photo: Image.Image, room: Darkroom) -> Image.Image:
    """Tesserae: small stones, each of one colour, set in grey."""
    w, h = photo.size
    tile = max(6, round(min(w, h) / 66 * room.coarse))
    small = pixels(photo.resize((max(1, w // tile), max(1, h // tile)), Image.Resampling.BOX))
    small = saturated(small, 1.25) * (1 + room.rng.normal(0, 0.05, small.shape[:2]).astype(np.float32)[..., None])
    flat = picture(small).resize((w, h), Image.Resampling.NEAREST)
    flat = finishes.warp(flat, room.rng, tile * 0.16, tile * 1.2)
    x = np.arange(w)[None, :] % (w / max(1, w // tile)) / tile
    y = np.arange(h)[:, None] % (h / max(1, h // tile)) / tile
    inside = np.clip(np.minimum(np.minimum(x, 1 - x), np.minimum(y, 1 - y)) * 9 - 0.3, 0.25, 1)
    lit = np.clip(0.9 + 0.22 * (1 - x - y), 0.7, 1.0)
    return finishes.shaded(flat, (inside * lit).astype(np.float32))
