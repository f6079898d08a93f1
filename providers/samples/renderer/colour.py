"""Colours as three floats between 0 and 1, and the hand-mixed palettes the scenes are painted from."""

from __future__ import annotations

import colorsys
from dataclasses import dataclass

Colour = tuple[float, float, float]


def rgb(code: str) -> Colour:
    """`"ff8800"` → (1.0, 0.53, 0.0)."""
    return (int(code[0:2], 16) / 255, int(code[2:4], 16) / 255, int(code[4:6], 16) / 255)


def mix(a: Colour, b: Colour, share: float) -> Colour:
    """`share` of b in a."""
    return (a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share)


def darker(colour: Colour, by: float) -> Colour:
    return mix(colour, (0.03, 0.02, 0.06), by)


def lighter(colour: Colour, by: float) -> Colour:
    return mix(colour, (1.0, 0.99, 0.95), by)


def luma(colour: Colour) -> float:
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def tuned(colour: Colour, saturation: float = 1.0, hue: float = 0.0) -> Colour:
    """The same colour with its saturation scaled and its hue turned (1.0 = once around)."""
    h, s, v = colorsys.rgb_to_hsv(*colour)
    return colorsys.hsv_to_rgb((h + hue) % 1.0, min(1.0, s * saturation), v)


def as_bytes(colour: Colour) -> tuple[int, int, int]:
    r, g, b = (max(0, min(255, round(channel * 255))) for channel in colour)
    return (r, g, b)


@dataclass(frozen=True)
class Palette:
    """What a place looks like in a certain light. `sky` runs from the top of the picture to its horizon."""

    sky: tuple[Colour, Colour, Colour]
    light: Colour
    far: Colour
    mid: Colour
    near: Colour
    accent: Colour
    accent2: Colour
    dark: bool

    def at(self, depth: float) -> Colour:
        """The ground colour between the horizon (0) and the foreground (1)."""
        if depth < 0.5:
            return mix(self.far, self.mid, depth * 2)
        return mix(self.mid, self.near, depth * 2 - 1)


def _palette(sky: str, rest: str, *, dark: bool) -> Palette:
    top, middle, low = (rgb(code) for code in sky.split())
    light, far, mid, near, accent, accent2 = (rgb(code) for code in rest.split())
    return Palette((top, middle, low), light, far, mid, near, accent, accent2, dark)


PALETTES: dict[str, Palette] = {
    "dawn": _palette("5f83b8 f2b3a4 ffe2b4", "fff0c4 b3a9c9 6f7dab 28385c f0745a ffd166", dark=False),
    "day": _palette("3f9bdc 8fd0f0 dff4f6", "fff8d6 a3cfd8 5ba58c 1f5a4c ff6b4a ffd23f", dark=False),
    "sunset": _palette("452c6e e2577c ffb862", "ffe7a1 a04f8c 64306f 281a40 ff7a47 ffd97d", dark=False),
    "night": _palette("070b24 1a2a5e 4c558f", "f6f0d2 35427a 1c2650 0a1026 ffb347 7fe0ff", dark=True),
    "neon": _palette("0b0620 2a1050 7a2074", "ff6fd8 351c5e 1d1140 090514 ff3ea5 27e0ff", dark=True),
    "storm": _palette("1b2733 42586b 93a7aa", "fff0b8 5a7683 2f4c5b 122029 e5533d f7d774", dark=True),
    "space": _palette("05040f 1a1140 45205f", "ffe9c2 4a3b86 2a1f57 0d0820 ff7a59 6fe3e1", dark=True),
    "fire": _palette("120405 3c0b06 a52d09", "ffb347 6b1a0a 360c07 120404 ff5a1f ffd34d", dark=True),
    "cafe": _palette("24160f 4d3120 80532f", "ffd49a 6b452b 43291a 1d1410 e8a24a f5ead6", dark=True),
    "fog": _palette("b9cccf dce6e0 f7edd6", "fff6dc b9cac6 7d9a93 29463f d9622a f0b35a", dark=False),
    "garden": _palette("7cc6d9 c9ebdc fdf3cf", "fff6c9 9fd0a4 4f9a6a 1c4f3c ef4f6f ffc94d", dark=False),
    "desert": _palette("3f7fb0 f3c08f ffe0a8", "fff3cf e8a86a c9713f 7a3528 d8433b 2fb1ad", dark=False),
    "paper": _palette("f7efdf f4e8d2 efe0c4", "fff8e6 d9cdb0 8fae9d 27403f e4572e f3a712", dark=False),
    "teal": _palette("0f4c5c 3a8a8c f1e3bf", "fdf0c8 6fb0a8 2c6e6f 0e2f3a fb6f4b f4c95d", dark=False),
    "plum": _palette("2d1e4f 8a4f8f f6b8a0", "ffe6c7 a678a8 5b3a74 21143a ff8a5c 9be0d0", dark=False),
}
