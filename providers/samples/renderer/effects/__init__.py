"""What can be done to a photograph: light, weather, film, and turning it into a picture of another kind.

Each effect is `(photograph, Darkroom) → photograph`; the darkroom knows how hard to try and what is sky or subject.
"""

from providers.samples.renderer.effects.darkroom import HUES, Darkroom
from providers.samples.renderer.effects.light import (
    cooler,
    fog,
    golden_hour,
    night,
    rain,
    snow,
    starry,
    vintage,
    warmer,
)
from providers.samples.renderer.effects.media import mosaic, oil, pencil, pixel_art, pop_art, watercolour
from providers.samples.renderer.effects.selection import bokeh, monochrome, recolour
from providers.samples.renderer.effects.words import caption, neon_sign

__all__ = [
    "HUES", "Darkroom", "bokeh", "caption", "cooler", "fog", "golden_hour", "monochrome", "mosaic", "neon_sign",
    "night", "oil", "pencil", "pixel_art", "pop_art", "rain", "recolour", "snow", "starry", "vintage", "warmer",
    "watercolour",
]  # fmt: skip
