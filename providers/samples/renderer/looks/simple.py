"""The looks that need little code: flat, painted, pixelled – and the one that gets it all wrong."""

from __future__ import annotations

from dataclasses import replace

from PIL import Image, ImageChops, ImageFilter

from providers.samples.renderer import finishes
from providers.samples.renderer.colour import Colour, darker, lighter, mix, rgb, tuned
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.lettering import Hand
from providers.samples.renderer.looks.foldwork import crisp
from providers.samples.renderer.looks.voice import Voice, tint, written
from providers.samples.renderer.prompt import Brief
from providers.samples.renderer.raster import Brush, Sheet, dimmed, paint
from providers.samples.renderer.shapes import Layer, Scene, placed

Size = tuple[int, int]


def tangent(scene: Scene, brief: Brief, size: Size, rng: Rng) -> Image.Image:
    """Flat vector art: clean, complete, a little bland. It prints where it was asked to write by hand."""

    def flat(colour: Colour, depth: float) -> Colour:
        return lighter(tuned(colour, 1.05), 0.06)

    sheet = Sheet.blank(*size)
    plain = [
        Layer(layer.depth, [crisp(s) for s in layer.shapes if not s.soft or s.alpha > 0.6]) for layer in scene.layers
    ]
    paint(sheet, replace(scene, layers=plain), Brush(recolour=flat, gradients=False, volume=0.0, roughness=0.0))
    for text in written(scene, Voice(weight="Bold", tracking=0.0, justify=False), size, rng):
        tint(sheet.image, text.slot.colour, text.mask)
    return sheet.image


def impasto(scene: Scene, brief: Brief, size: Size, rng: Rng) -> Image.Image:
    """Thick oil paint with fine colour – and no idea how words are spelt."""
    unit = float(min(size))

    def rich(colour: Colour, depth: float) -> Colour:
        return mix(tuned(colour, 1.25), scene.palette.light, 0.06)

    sheet = Sheet.blank(*size)
    paint(sheet, scene, Brush(recolour=rich, volume=1.2, details=True))
    image = finishes.brushed(finishes.bloom(sheet.image, sheet.lights, unit, 0.5), rng, relief=0.55)
    voice = Voice(weight="Bold", justify=False, garble=0.3, hand=Hand(0.06, 0.08, 0.03, 0.1), always_by_hand=True)
    for text in written(scene, voice, size, rng):
        smeared = finishes.warp(text.mask, rng, unit * 0.004, unit * 0.02)
        tint(
            image,
            darker(text.slot.colour, 0.7),
            dimmed(ImageChops.offset(smeared, round(unit * 0.002), round(unit * 0.003)), 0.5),
        )
        tint(image, text.slot.colour, smeared)
    return image


def bitloom(scene: Scene, brief: Brief, size: Size, rng: Rng) -> Image.Image:
    """Large pixels and few colours; past the first texts it stops reading."""
    small = (max(64, size[0] // 2), max(64, size[1] // 2))
    sheet = Sheet.blank(*small)
    paint(sheet, scene, Brush(recolour=lambda c, d: tuned(c, 1.3), volume=0.8, roughness=0.0))
    image = finishes.bloom(sheet.image, sheet.lights, float(min(small)), 0.4)
    for text in written(scene, Voice(weight="ExtraBold", justify=False, most=2), small, rng):
        tint(image, text.slot.colour, text.mask.point([255 if v > 110 else 0 for v in range(256)]))
    columns = round(116 * size[0] / min(size))
    return finishes.pixelated(image.resize(size, Image.Resampling.BILINEAR), columns, 20, 0.1)


def puddle(scene: Scene, brief: Brief, size: Size, rng: Rng) -> Image.Image:
    """Everything at once, nothing in its place, all of it the colour of wet clay."""
    unit = float(min(size))

    def muddy(colour: Colour, depth: float) -> Colour:
        return mix(tuned(colour, 0.62, 0.03), rgb("6e6248"), 0.42)

    w, h = scene.frame.w, scene.frame.h
    layers = []
    for layer in scene.layers:
        if 0.45 < layer.depth < 0.93 and len(layer.shapes) > 3:
            x, y, s = rng.normal(0, 0.08), rng.normal(0.02, 0.06), rng.uniform(0.8, 1.25)
            layers.append(
                Layer(
                    layer.depth,
                    placed(layer.shapes, x * w + w / 2 * (1 - s), y * h + h / 2 * (1 - s), s, rng.normal(0, 0.07)),
                )
            )
            ghost = [replace(shape, alpha=shape.alpha * 0.45) for shape in layer.shapes if not shape.detail]
            layers.append(
                Layer(layer.depth, placed(ghost, rng.normal(0.1, 0.1), rng.normal(0, 0.08), rng.uniform(0.7, 0.95)))
            )
        else:
            layers.append(layer)
    sheet = Sheet.blank(*size)
    paint(sheet, replace(scene, layers=layers), Brush(recolour=muddy, volume=0.5, haze=rgb("8a7c5e"), haze_amount=0.5))
    image = finishes.warp(sheet.image, rng, unit * 0.014, unit * 0.11)
    for text in written(scene, Voice(weight="SemiBold", justify=False, garble=0.13, nudge=0.045, most=4), size, rng):
        tint(
            image,
            mix(text.slot.colour, rgb("a89a72"), 0.45),
            dimmed(finishes.warp(text.mask, rng, unit * 0.004, unit * 0.04), 0.85),
        )
    return image.filter(ImageFilter.GaussianBlur(unit * 0.0014))
