"""How looks write: the texts of a scene as masks, in print or by hand."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from providers.samples.renderer import finishes, lettering
from providers.samples.renderer.colour import Colour, as_bytes
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.lettering import Hand
from providers.samples.renderer.raster import grain
from providers.samples.renderer.shapes import Scene, Slot

Size = tuple[int, int]


@dataclass(frozen=True)
class Voice:
    """How a look writes."""

    weight: str = "ExtraBold"
    tracking: float = -0.01
    justify: bool = True
    hand: Hand | None = None  # used when the prompt wants handwriting (or always, for the chalk look)
    always_by_hand: bool = False
    garble: float = 0.0
    most: int = 9  # so many texts, then it forgets the rest
    nudge: float = 0.0  # how far texts stray from their places


@dataclass(frozen=True)
class Lettered:
    slot: Slot
    mask: Image.Image


CHALK_HAND = Hand(turn=0.05, scale=0.06, drift=0.022, slant=0.14)


def written(scene: Scene, voice: Voice, size: Size, rng: Rng) -> list[Lettered]:
    """Every text of the scene as a mask, in this voice. Texts of one kind get one size: a menu's items are equals."""
    slots = scene.slots[: voice.most]
    texts = [lettering.garbled(slot.text, rng, voice.garble) if voice.garble else slot.text for slot in slots]
    boxes = [_box(slot, voice, min(size), rng) for slot in slots]
    sizes: dict[str, float] = {}
    for slot, text, box in zip(slots, texts, boxes, strict=True):
        fitted = _setting(slot, text, box, voice, scene.handwritten).lines[0].size
        sizes[slot.kind] = min(fitted, sizes.get(slot.kind, fitted))
    out = []
    for slot, text, box in zip(slots, texts, boxes, strict=True):
        largest = sizes[slot.kind] if slot.kind.endswith(("item", "label", "small")) else 1e9
        setting = _setting(slot, text, box, voice, scene.handwritten, largest)
        hand = voice.hand if voice.hand and _by_hand(slot, voice, scene.handwritten) else lettering.PRINT
        out.append(Lettered(slot, lettering.mask(setting, size, hand, rng)))
    return out


def _by_hand(slot: Slot, voice: Voice, handwritten: bool) -> bool:
    return voice.hand is not None and (voice.always_by_hand or handwritten or slot.kind.startswith("hand"))


def _box(slot: Slot, voice: Voice, unit: int, rng: Rng) -> lettering.Box:
    x0, y0, x1, y1 = (value * unit for value in slot.box)
    if voice.nudge:
        dx, dy = rng.normal(0, voice.nudge * unit, 2)
        x0, x1, y0, y1 = x0 + dx, x1 + dx * 1.4, y0 + dy, y1 + dy
    return x0, y0, x1, y1


def _setting(
    slot: Slot, text: str, box: lettering.Box, voice: Voice, handwritten: bool, largest: float = 1e9
) -> lettering.Setting:
    title = slot.kind.endswith(("title", "price"))
    weight, tracking, justify = voice.weight, voice.tracking, voice.justify and slot.kind.endswith("title")
    if _by_hand(slot, voice, handwritten):
        weight, tracking, justify = ("SemiBold" if title else "Medium"), 0.012, False
    elif not title:
        weight = "SemiBold" if slot.kind.endswith(("item", "label", "small")) else "Bold"
        tracking = 0.07 if slot.kind.endswith("line") else 0.01
    lines = 3 if title else 2
    return lettering.fit(
        text, box, weight, tracking=tracking, most_lines=lines, justify=justify, align=slot.align, largest=largest
    )


def tint(image: Image.Image, colour: Colour, mask: Image.Image) -> None:
    image.paste(as_bytes(colour), (0, 0), mask)


def chalky(mask: Image.Image, rng: Rng, unit: float) -> Image.Image:
    """Letters as chalk leaves them: a wobbling line with gaps where the board is rough, and dust around it."""
    bounds = mask.getbbox()
    if bounds is None:
        return mask
    pad = round(unit * 0.015)
    x0, y0 = max(0, bounds[0] - pad), max(0, bounds[1] - pad)
    wobbly = finishes.warp(mask.crop((x0, y0, bounds[2] + pad, bounds[3] + pad)), rng, unit * 0.0022, unit * 0.03)
    tooth = grain(*wobbly.size, seed=41) * 0.5 + grain(*wobbly.size, seed=43, cell=3)
    cover = np.asarray(wobbly, dtype=np.float32) * np.clip(1.05 - np.maximum(0, tooth - 0.35) * 1.1, 0, 1)
    dust = np.asarray(wobbly.filter(ImageFilter.BoxBlur(unit * 0.005)), dtype=np.float32) * 0.22
    chalked = Image.new("L", mask.size)
    chalked.paste(Image.fromarray(np.maximum(cover, dust * (tooth > -0.2)).astype(np.uint8), "L"), (x0, y0))
    return chalked
