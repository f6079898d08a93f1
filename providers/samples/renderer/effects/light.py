"""Another hour, another weather, another film."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from providers.samples.renderer import finishes
from providers.samples.renderer.effects.darkroom import Darkroom, graded
from providers.samples.renderer.raster import blurred, clouds, dimmed, picture, pixels


def night(photo: Image.Image, room: Darkroom) -> Image.Image:
    """Day for night: darker, bluer, lamps left burning."""
    lamps = photo.point([0 if v < 190 else (v - 190) * 3 for v in range(256)] * 3)
    s = room.strength
    dark = graded(finishes.contrast(photo, 0.3), (0.48, 0.55, 0.8), (0.0, 0.006, 0.03), min(1.3, s))
    return finishes.bloom(dark, lamps.resize((photo.width // 2, photo.height // 2)), min(photo.size), 0.5 * s)


def starry(photo: Image.Image, room: Darkroom) -> Image.Image:
    """Stars and a milky way, where there is sky."""
    w, h = photo.size
    unit = min(w, h)
    sky = room.mask("sky", photo)
    band = clouds(w // 4, h // 4, room.rng, 3, 1.0)
    ramp = (np.arange(w // 4)[None, :] / (w // 4) * 0.9 + np.arange(h // 4)[:, None] / (h // 4)) - 0.72
    milky = np.exp(-((ramp / 0.17) ** 2)) * (0.1 + 0.75 * band**1.5)
    haze = milky[..., None] * np.array([0.42, 0.4, 0.62], dtype=np.float32)
    layer = picture(haze.astype(np.float32)).resize((w, h), Image.Resampling.BILINEAR)
    draw = ImageDraw.Draw(layer)
    for _ in range(int(420 * room.strength)):
        x, y, r = room.rng.uniform(0, w), room.rng.uniform(0, h), abs(room.rng.normal(0, 0.0011)) * unit + 0.4
        tint = tuple(int(v) for v in np.clip(room.rng.normal(225, 25) + room.rng.normal(0, 14, 3), 90, 255))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=(tint[0], tint[1], tint[2]))
    layer = ImageChops.add(layer, dimmed(blurred(layer, unit * 0.004), 0.6))
    cover = Image.fromarray((sky * 255 * min(1.0, room.strength)).astype(np.uint8), "L")
    deep = graded(photo, (0.55, 0.6, 0.85), (0, 0, 0.02), min(1.0, room.strength))
    return Image.composite(ImageChops.screen(deep, layer), photo, cover)


def golden_hour(photo: Image.Image, room: Darkroom) -> Image.Image:
    """Low sun from the upper right: warm lights, long falloff, a little flare."""
    s = room.strength
    warm = graded(photo, (1.12, 0.98, 0.72), (0.035, 0.012, -0.01), s)
    warm = finishes.contrast(warm, 0.25 * s)
    w, h = photo.size
    away = finishes.radial(w // 4, h // 4, 0.88, 0.08)
    flare = (
        np.clip(1 - away * 1.35, 0, 1)[..., None] ** 1.6
        * np.array([1.0, 0.62, 0.22], dtype=np.float32)
        * np.float32(0.75 * s)
    )
    return ImageChops.screen(warm, picture(flare).resize((w, h), Image.Resampling.BILINEAR))


def warmer(photo: Image.Image, room: Darkroom) -> Image.Image:
    return graded(photo, (1.1, 1.0, 0.84), (0.015, 0.004, -0.01), room.strength)


def cooler(photo: Image.Image, room: Darkroom) -> Image.Image:
    return graded(photo, (0.86, 0.98, 1.12), (-0.01, 0.004, 0.02), room.strength)


def fog(photo: Image.Image, room: Darkroom) -> Image.Image:
    """Thick behind, thin before: the subject stays."""
    w, h = photo.size
    near = 0.65 * room.mask("subject", photo)
    drift = np.asarray(
        Image.fromarray(clouds(w // 4, h // 4, room.rng, 2, 2.0), "F").resize((w, h), Image.Resampling.BICUBIC)
    )
    thick = np.clip((1 - near) * (0.42 + 0.5 * drift) * room.strength, 0, 0.94)[..., None]
    soft = pixels(blurred(photo, min(w, h) * 0.006))
    base = pixels(photo) * near[..., None] + soft * (1 - near[..., None])
    return picture(base * (1 - thick) + np.array([0.86, 0.88, 0.9], dtype=np.float32) * thick)


def snow(photo: Image.Image, room: Darkroom) -> Image.Image:
    """Flakes at three distances, the nearest out of focus; the light turns cold."""
    w, h = photo.size
    unit = min(w, h)
    image = dimmed(graded(photo, (0.93, 0.97, 1.05), (0.02, 0.025, 0.035), room.strength), 0.97)
    for size, count, blur, alpha in ((0.0018, 380, 0.4, 0.85), (0.004, 150, 0.0012, 0.9), (0.011, 26, 0.005, 0.75)):
        layer = Image.new("L", (w, h))
        draw = ImageDraw.Draw(layer)
        for _ in range(int(count * room.strength)):
            x, y, r = room.rng.uniform(0, w), room.rng.uniform(0, h), size * unit * room.rng.uniform(0.6, 1.4)
            draw.ellipse((x - r, y - r * 1.1, x + r, y + r * 1.1), fill=int(255 * alpha))
        image.paste(
            (250, 252, 255),
            (0, 0),
            layer.filter(ImageFilter.GaussianBlur(blur if blur > 0.1 else max(0.5, blur * unit))),
        )
    return image


def rain(photo: Image.Image, room: Darkroom) -> Image.Image:
    w, h = photo.size
    unit = min(w, h)
    layer = Image.new("L", (w, h))
    draw = ImageDraw.Draw(layer)
    for _ in range(int(430 * room.strength)):
        x, y, length = room.rng.uniform(0, w * 1.2), room.rng.uniform(-0.1 * h, h), room.rng.uniform(0.02, 0.09) * unit
        draw.line(
            (x, y, x - length * 0.22, y + length), fill=int(room.rng.uniform(60, 150)), width=max(1, int(unit * 0.0016))
        )
    image = graded(finishes.contrast(photo, 0.2), (0.72, 0.8, 0.9), (0.01, 0.015, 0.03), room.strength)
    image.paste((225, 232, 240), (0, 0), layer.filter(ImageFilter.GaussianBlur(0.8)))
    return image


def vintage(photo: Image.Image, room: Darkroom) -> Image.Image:
    """A print from the seventies: faded blacks, warm lights, green shadows, a leak of light, grain."""
    s = room.strength
    w, h = photo.size
    table = []
    for low, high, bend in ((0.13, 0.98, 0.92), (0.09, 0.93, 1.0), (0.15, 0.76, 1.05)):
        table += [int(v + (255 * (low + (high - low) * (v / 255) ** bend) - v) * min(1.3, s)) for v in range(256)]
    image = photo.point([max(0, min(255, v)) for v in table])
    leak = (
        np.clip(1 - finishes.radial(w // 4, h // 4, 0.0, 0.75) * 2.1, 0, 1)[..., None] ** 1.5
        * np.array([1.0, 0.38, 0.12], dtype=np.float32)
        * np.float32(0.6 * s)
    )
    image = ImageChops.screen(image, picture(leak).resize((w, h), Image.Resampling.BILINEAR))
    return finishes.film_grain(finishes.vignette(image, 0.34 * min(1.4, s)), 0.05 * s)
