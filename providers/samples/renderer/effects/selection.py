"""Changing one thing and leaving the rest alone."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageChops, ImageFilter

from providers.samples.renderer import finishes
from providers.samples.renderer.effects.darkroom import HUES, Darkroom
from providers.samples.renderer.raster import blurred, dimmed


def monochrome(photo: Image.Image, room: Darkroom) -> Image.Image:
    """Grey – except for what has the colour that was named, if one was."""
    grey = finishes.contrast(photo.convert("L"), 0.3)
    result = Image.merge("RGB", (grey, grey, grey))
    if not room.colours:
        return result
    return Image.composite(
        photo, result, _of_hue(photo, HUES[room.colours[0]], 0.07 if room.careful else 0.12, room.careful)
    )


def recolour(photo: Image.Image, room: Darkroom) -> Image.Image:
    """From one colour word to the next: what was orange becomes teal. With one word only, the subject takes it."""
    to = HUES[room.colours[-1]]
    h, s, v = photo.convert("HSV").split()
    if len(room.colours) > 1:
        mask = _of_hue(photo, HUES[room.colours[0]], 0.07 if room.careful else 0.13, room.careful)
        usual = HUES[room.colours[0]]
    else:
        subject = room.mask("subject", photo)
        strong = np.asarray(s, dtype=np.float32) / 255
        mask = Image.fromarray((subject * np.clip(strong * 3 - 0.9, 0, 1) * 255).astype(np.uint8), "L")
        weight = (subject * strong).ravel() + 1e-6
        usual = (
            float(
                np.angle(np.sum(weight * np.exp(2j * np.pi * np.asarray(h, dtype=np.float32).ravel() / 255)))
                / (2 * np.pi)
            )
            % 1.0
        )
    shift = round((to - usual) * 255)
    turned = Image.merge("HSV", (h.point([(x + shift) % 256 for x in range(256)]), dimmed(s, 0.92), v)).convert("RGB")
    return Image.composite(turned, photo, mask)


def _of_hue(photo: Image.Image, hue: float, reach: float, careful: bool) -> Image.Image:
    h, s, v = (np.asarray(band, dtype=np.float32) / 255 for band in photo.convert("HSV").split())
    distance = np.abs((h - hue + 0.5) % 1.0 - 0.5)
    if careful:  # “red” is a range; this cup has one red, and the table behind it another
        weight = (s**3 * v * (distance < reach)).ravel()
        votes = np.bincount((h * 255).astype(np.int32).ravel(), weights=weight, minlength=256)
        hue, reach = float(np.argmax(np.convolve(votes, np.ones(5), "same"))) / 255, 0.024
        distance = np.abs((h - hue + 0.5) % 1.0 - 0.5)
    mask = (
        np.clip(2.4 - distance / reach * 1.7, 0, 1)
        * np.clip(s * 4.2 - (1.9 if careful else 0.8), 0, 1)
        * np.clip(v * 4 - 0.4, 0, 1)
    )
    image = Image.fromarray((mask * 255).astype(np.uint8), "L")
    return image.filter(ImageFilter.MedianFilter(5)).filter(ImageFilter.GaussianBlur(1.2)) if careful else image


def bokeh(photo: Image.Image, room: Darkroom) -> Image.Image:
    """A large aperture: discs of light behind a sharp subject."""
    unit = min(photo.size)
    radius = unit * 0.018 * room.strength
    lights = photo.point([0 if v < 200 else (v - 200) * 4 for v in range(256)] * 3)
    soft = ImageChops.screen(
        photo.filter(ImageFilter.BoxBlur(radius)).filter(ImageFilter.BoxBlur(radius * 0.6)),
        dimmed(blurred(lights, radius), 0.6),
    )
    cover = Image.fromarray((room.mask("subject", photo) * 255).astype(np.uint8), "L")
    return Image.composite(photo, soft, cover)
