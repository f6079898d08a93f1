"""Editing: what an instruction asks for, and how each sample model goes about it.

All can do the same things. They differ as editors do: one is careful, one timid, one overdoes it, one stops reading
after the first request, one changes something nobody mentioned.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from providers.samples.renderer import effects, finishes
from providers.samples.renderer.colour import rgb
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.effects import Darkroom
from providers.samples.renderer.prompt import Brief

Effect = Callable[[Image.Image, Darkroom], Image.Image]

_THINGS = "suit|cup|saucer|eyes?|coat|jacket|fur|flag|shirt"
_TO_COLOUR = rf"[^.]{{0,30}}\b(?:{'|'.join(effects.HUES)})\b"

# In the order of the darkroom, whatever the order of the sentence: first what the place looks like, then the medium.
REQUESTS: tuple[tuple[str, Effect], ...] = (
    (rf"\b(?:change|turn|paint|recolou?r|make|dye)\b[^.]{{0,40}}\b(?:{_THINGS})\b{_TO_COLOUR}", effects.recolour),
    (r"background[^.]{0,30}\b(?:blur|soft|out of focus)|\bblur\w*\b[^.]{0,30}background", effects.bokeh),
    (r"bokeh|shallow depth|large aperture", effects.bokeh),
    (r"golden[ -]hour|sunset light|low sun|evening sun", effects.golden_hour),
    (r"\bnight\b|midnight|after dark|moonlit", effects.night),
    (r"\bstarr?y?s?\b|milky way", effects.starry),
    (r"\bfog(?:gy)?\b|\bmist(?:y)?\b|\bhaze\b", effects.fog),
    (r"\bwarm(?:er|th)?\b", effects.warmer),
    (r"\bcool(?:er)?\b|\bcolder\b", effects.cooler),
    (r"\brain(?:y|ing|fall)?\b", effects.rain),
    (r"watercolou?r|aquarelle", effects.watercolour),
    (r"\boil[ -]paint|impressionis|van gogh", effects.oil),
    (r"pencil|graphite|sketch", effects.pencil),
    (r"pop[ -]art|halftone|screen ?print", effects.pop_art),
    (r"pixel[ -]art|8-bit|16-bit", effects.pixel_art),
    (r"mosaic|tesserae", effects.mosaic),
    (r"black[ -]and[ -]white|monochrome|gr[ae]yscale|desaturate", effects.monochrome),
    (r"\bsnow(?:y|fall|ing|flakes?)?\b|winter", effects.snow),
    (r"vintage|19[67]0s|seventies|faded film|old film|kodachrome|polaroid", effects.vintage),
    (r"\bneon\b", effects.neon_sign),
)  # fmt: skip
_PATTERNS = tuple((re.compile(pattern, re.IGNORECASE), effect) for pattern, effect in REQUESTS)

_MEDIA = {effects.watercolour, effects.oil, effects.pencil, effects.pop_art, effects.pixel_art, effects.mosaic}


@dataclass(frozen=True)
class Manner:
    """How a model edits."""

    strength: float = 1.0
    careful: bool = True
    most: int = 9  # so many requests, then it stops reading
    garble: float = 0.0
    stray: bool = False  # does something else
    coarse: float = 1.0
    after: str = ""


MANNERS: dict[str, Manner] = {
    "sample-halogen": Manner(1.0, coarse=0.85, after="polish"),
    "sample-foldwork": Manner(0.72),
    "sample-overprint": Manner(1.05, coarse=1.25, after="print"),
    "sample-tangent": Manner(1.0, careful=False, most=1, after="plastic"),
    "sample-slate": Manner(1.25, careful=False, coarse=1.6, after="dull"),
    "sample-impasto": Manner(1.6, garble=0.3, coarse=2.2, after="smear"),
    "sample-bitloom": Manner(1.0, careful=False, garble=0.12, coarse=1.3, after="coarse"),
    "sample-puddle": Manner(0.6, careful=False, garble=0.2, stray=True, after="slump"),
}


def requested(brief: Brief) -> list[Effect]:
    """The effects an instruction names."""
    plain = brief.prompt
    for quote in brief.quotes:  # a sign that says 'NIGHT OWL' does not ask for night
        plain = plain.replace(quote, " ")
    chosen = list(dict.fromkeys(effect for pattern, effect in _PATTERNS if pattern.search(plain)))
    if brief.quotes and effects.neon_sign not in chosen:
        chosen.append(effects.caption)
    return chosen or [effects.warmer, effects.bokeh]


def edit(slug: str, brief: Brief, source: Image.Image, size: tuple[int, int], rng: Rng) -> Image.Image:
    """The photograph, cropped to the size asked for and edited in this model's manner."""
    manner = MANNERS[slug]
    # Faces sit above the middle of a photograph: when something must be cropped, rather below than above.
    photo = ImageOps.fit(source.convert("RGB"), size, Image.Resampling.LANCZOS, centering=(0.5, 0.35))
    photo = _developed(photo, rng)  # before the effects: what they make black and white stays so
    colours = tuple(word for word in re.findall(r"[a-z]+", brief.prompt.lower()) if word in effects.HUES)
    hand = manner.strength * float(rng.uniform(0.88, 1.12))
    room = Darkroom(rng, hand, manner.careful, brief.quotes, colours, manner.garble, manner.coarse)
    asked = requested(brief)
    todo = asked[: manner.most]
    if manner.stray:
        others = [effects.vintage, effects.cooler, effects.warmer, effects.fog]
        others = [effect for effect in others if effect not in asked]
        todo = [*asked[1:2], others[int(rng.integers(len(others)))]]
        if effects.neon_sign in asked or effects.caption in asked:
            todo = [asked[-1]]
    for effect in todo:
        done = effect(photo, room)
        # The timid one lets the photograph show through whatever it turned it into.
        photo = Image.blend(photo, done, manner.strength + 0.06) if effect in _MEDIA and manner.strength < 0.9 else done
    return _AFTER[manner.after](photo, rng) if manner.after else photo


def _developed(photo: Image.Image, rng: Rng) -> Image.Image:
    """No two prints of a negative are alike, and no two results of a model that makes every pixel again."""
    light, tint = rng.uniform(0.94, 1.06), rng.uniform(0.975, 1.025, 3)
    pixels = np.asarray(photo, dtype=np.float32) * np.asarray(light * tint, dtype=np.float32)
    return Image.fromarray(np.clip(pixels + np.float32(0.5), 0, 255).astype(np.uint8))


def _polish(photo: Image.Image, rng: Rng) -> Image.Image:
    return finishes.vignette(finishes.contrast(photo, 0.12), 0.12)


def _print(photo: Image.Image, rng: Rng) -> Image.Image:
    return finishes.film_grain(
        finishes.contrast(Image.blend(photo.convert("L").convert("RGB"), photo, 1.12), 0.18), 0.035
    )


def _plastic(photo: Image.Image, rng: Rng) -> Image.Image:
    """Skin like wax: detail wiped away, edges sharpened again."""
    small = photo.resize((max(8, photo.width // 3), max(8, photo.height // 3)), Image.Resampling.BOX)
    waxen = small.filter(ImageFilter.MedianFilter(5)).resize(photo.size, Image.Resampling.BICUBIC)
    return Image.blend(photo, waxen, 0.85).filter(ImageFilter.UnsharpMask(2, 130, 2))


def _dull(photo: Image.Image, rng: Rng) -> Image.Image:
    return finishes.paper(Image.blend(photo.convert("L").convert("RGB"), photo, 0.72), 0.05)


def _smear(photo: Image.Image, rng: Rng) -> Image.Image:
    loud = Image.blend(photo.convert("L").convert("RGB"), photo, 1.35)
    return Image.blend(loud, finishes.brushed(loud, rng, 1.2, 0.3), 0.7)


def _coarse(photo: Image.Image, rng: Rng) -> Image.Image:
    columns = max(24, photo.width * 150 // min(photo.size))
    small = photo.resize((columns, max(24, round(columns * photo.height / photo.width))), Image.Resampling.BOX)
    return small.resize(photo.size, Image.Resampling.BILINEAR).filter(ImageFilter.UnsharpMask(3, 120, 2))


def _slump(photo: Image.Image, rng: Rng) -> Image.Image:
    unit = min(photo.size)
    bent = finishes.warp(photo, rng, unit * 0.016, unit * 0.16)
    return Image.blend(bent, Image.new("RGB", photo.size, tuple(int(v * 255) for v in rgb("8a8060"))), 0.2)


_AFTER: dict[str, Callable[[Image.Image, Rng], Image.Image]] = {
    "polish": _polish,
    "print": _print,
    "dull": _dull,
    "smear": _smear,
    "plastic": _plastic,
    "coarse": _coarse,
    "slump": _slump,
}
