"""Size, aspect ratio and resolution: from what was asked to the nearest thing an offering supports.

Everything is exact – fractions and integer square roots, halves rounded up – because the tables people compare with
are: Python's own `round` (to even) gets 3:4 wrong by one pixel. The rule behind the tables is `size_for`.

How a request is read: `size` beats `aspect_ratio` and `resolution`; "W:H" as a size is an aspect ratio.
How the nearest is found: the ratio by the share of the picture that would survive a crop (distance of logarithms, so
7:1 goes to 8:1 and not to 4:1), the resolution by area in octaves; when two are equally near, the cheaper.

What an offering takes is its *size spec*, the `size` table of `Offering.parameters`; `parameters.py` describes it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor, isqrt
from typing import Any

from providers.request import ImageRequest

Size = tuple[int, int]

RATIOS = ("4:3", "4:5", "5:4", "1:1", "3:4", "2:3", "3:2", "9:16", "16:9", "9:21", "21:9")
TIERS = ("0.5K", "1K", "2K", "4K")
DEFAULT_RATIO = "1:1"
DEFAULT_TIER = "1K"

# A size of the table may pass the area of its tier by the rounding of its sides, at most this much.
AREA_TOLERANCE = Fraction(1, 1000)

_NUMBER = r"(\d{1,5}(?:\.\d{1,4})?)"
_PIXELS = re.compile(r"(\d{1,5})\s*[xX×]\s*(\d{1,5})")
_RATIO = re.compile(rf"{_NUMBER}\s*:\s*{_NUMBER}")
_TIER = re.compile(rf"{_NUMBER}\s*([kK]|[mM][pP])")


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a request for a size became: the arguments to send, and what they should bring.

    `size` are the pixels asked for, None when the provider chooses them. `expected` is what a price can be estimated
    with: the pixels, or the size that ratio and tier stand for; None only where nothing at all is known.
    """

    arguments: Mapping[str, Any] = field(default_factory=dict)
    size: Size | None = None
    expected: Size | None = None


@dataclass(frozen=True, slots=True)
class SizeRequest:
    """A request for a size, read: pixels, or shape and area, each None when left to the offering."""

    pixels: Size | None = None
    shape: Fraction | None = None
    area: int | None = None
    automatic: bool = False  # "auto" was asked for by name


# Arithmetic ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def half_up(value: Fraction) -> int:
    return floor(value + Fraction(1, 2))


def root(value: Fraction) -> int:
    """The square root, halves rounded up, without leaving the integers."""
    n = isqrt(value.numerator // value.denominator) + 2
    while n and (2 * n - 1) ** 2 * value.denominator > 4 * value.numerator:
        n -= 1
    return n


def size_for(a: int, b: int, edge: int = 1024) -> Size:
    """The size of shape a:b with the area of a square of `edge` pixels: height first, width from the rounded height.

    This order and this rounding reproduce the published tables (11 sizes at 1K, 5 at 2K); the obvious others do not.
    """
    return size_of(Fraction(a, b), edge * edge)


@functools.lru_cache(1024)
def size_of(shape: Fraction, area: int) -> Size:
    height = max(1, root(area / shape))
    return max(1, half_up(height * shape)), height


def table(tier: str = DEFAULT_TIER, ratios: Iterable[str] = RATIOS) -> list[tuple[str, int, int]]:
    """The sizes of a tier: (ratio, width, height) for each ratio, in their order."""
    return [(ratio, *size_of(shape_of(ratio), area_of(tier))) for ratio in ratios]


# Reading ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@functools.lru_cache(1024)
def shape_of(ratio: str, name: str = "aspect_ratio") -> Fraction:
    """ "16:9" → 16/9."""
    match = _RATIO.fullmatch(ratio.strip())
    if match is None or not (width := Fraction(match[1])) or not (height := Fraction(match[2])):
        raise ValueError(f"{name}: {ratio!r} is not a ratio; write width:height, like '16:9'")
    return width / height


@functools.lru_cache(1024)
def area_of(tier: str, name: str = "resolution") -> int:
    """ "1K" → 1024², "2 MP" → 2·2^20 pixels."""
    match = _TIER.fullmatch(tier.strip())
    if match is None or not (number := Fraction(match[1])):
        raise ValueError(f"{name}: {tier!r} is not a resolution; write a tier like '1K' or an area like '2 MP'")
    if match[2] in "kK":
        return half_up((number * 1024) ** 2)
    return half_up(number * 2**20)


def pixels_of(size: str, name: str = "size") -> Size:
    """ "1024x768" → (1024, 768)."""
    match = _PIXELS.fullmatch(size.strip())
    if match is None or not (width := int(match[1])) or not (height := int(match[2])):
        raise ValueError(f"{name}: {size!r} is not a size; write 'auto', pixels like '1024x768' or a ratio like '4:3'")
    return width, height


def read(request: ImageRequest) -> SizeRequest:
    """What the three parameters of a request ask for together. Raises ValueError that says what to write instead."""
    size = (request.size or "").strip().lower()
    if size == "auto":
        return SizeRequest(automatic=True)
    if size and ":" not in size:
        pixels = pixels_of(size)
        return SizeRequest(pixels, Fraction(*pixels), pixels[0] * pixels[1])
    ratio = size or (request.aspect_ratio or "").strip().lower()
    tier = (request.resolution or "").strip().lower()
    return SizeRequest(
        shape=None if ratio in ("", "auto") else shape_of(ratio, "size" if size else "aspect_ratio"),
        area=None if tier in ("", "auto") else area_of(tier),
        automatic=ratio == "auto",
    )


# Nearest ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _apart(x: Fraction, y: Fraction) -> Fraction:
    """exp|ln x − ln y|: orders distances as the logarithms do, and stays exact."""
    return max(x / y, y / x)


def _leaning(shape: Fraction) -> int:
    return (shape > 1) - (shape < 1)


def nearest_shape(shape: Fraction, shapes: Sequence[Fraction]) -> int:
    """Index of the shape that keeps most of the picture; ties: same orientation first, then the order of the list."""
    return min(range(len(shapes)), key=lambda i: (_apart(shape, shapes[i]), _leaning(shape) != _leaning(shapes[i]), i))


def nearest_ratio(shape: Fraction, ratios: Sequence[str]) -> str:
    return ratios[nearest_shape(shape, [shape_of(ratio) for ratio in ratios])]


def nearest_tier(area: int, tiers: Sequence[str]) -> str:
    """The tier nearest in area (octaves); ties: the smaller, which is the cheaper."""
    return min(tiers, key=lambda tier: (_apart(Fraction(area), Fraction(area_of(tier))), area_of(tier)))


def fit(size: Size, spec: Mapping[str, Any]) -> Size:
    """The size nearest to `size` within the limits of a pixels spec: scaled keeping its shape, then snapped.

    Each side is snapped to the multiple, half up. Only where a limit leaves no room for the shape does the shape give.
    """
    step = int(spec.get("multiple_of", 1))
    low = _up(int(spec.get("min", 1)), step)
    high = _down(int(spec.get("max", 99_999)), step)
    most, least = int(spec.get("max_area", high * high)), int(spec.get("min_area", 1))

    shape = Fraction(*size)
    shape = min(shape, shape_of(spec["max_ratio"])) if "max_ratio" in spec else shape
    shape = max(shape, shape_of(spec["min_ratio"])) if "min_ratio" in spec else shape
    longest, shortest = max(shape, 1 / shape), min(shape, 1 / shape)
    area = Fraction(size[0] * size[1])
    # Limits of a side, as areas of this shape; the upper ones last, because "too large" is refused or costs money.
    area = max(area, Fraction(least), low * low * longest)
    area = min(area, Fraction(most) * (1 + AREA_TOLERANCE), high * high * shortest)
    if shape == Fraction(*size) and area == size[0] * size[1]:
        width, height = size
    else:
        width, height = size_of(shape, floor(min(area, Fraction(most))))

    width, height = (min(max(half_up(Fraction(side, step)) * step, low), high) for side in (width, height))
    return _within(width, height, step, low, (most, spec))


def _within(width: int, height: int, step: int, low: int, limits: tuple[int, Mapping[str, Any]]) -> Size:
    """Take steps off the sides until area and ratio limits hold again after snapping."""
    most, spec = limits
    widest = shape_of(spec["max_ratio"]) if "max_ratio" in spec else None
    tallest = shape_of(spec["min_ratio"]) if "min_ratio" in spec else None
    tolerance = AREA_TOLERANCE if step == 1 else 0
    while True:
        if widest and Fraction(width, height) > widest and width - step >= low:
            width -= step
        elif tallest and Fraction(width, height) < tallest and height - step >= low:
            height -= step
        elif width * height > most * (1 + tolerance) and max(width, height) - step >= low:
            width, height = (width - step, height) if width >= height else (width, height - step)
        else:
            return width, height


def _up(value: int, step: int) -> int:
    return ceil(Fraction(value, step)) * step


def _down(value: int, step: int) -> int:
    return value // step * step


# Resolving ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def resolve(request: ImageRequest, spec: Mapping[str, Any], input_size: Size | None = None) -> Resolved:
    """What to send for the size a request asks for, by the size spec of an offering.

    `input_size` is the size of the first source image: the shape of an edit that names no other.
    """
    requested = read(request)
    unspecified = requested.pixels is None and requested.shape is None and requested.area is None
    if spec["family"] == "none" or (unspecified and (requested.automatic or request.mode == "edit")):
        return Resolved(dict(spec.get("auto", {})), expected=_guess(spec, input_size))
    if spec["family"] == "pixels":
        return _resolve_pixels(requested, spec, input_size)
    if spec["family"] == "ratio":
        return _resolve_ratio(requested, spec, input_size)
    return _resolve_list(requested, spec, input_size)


def _shape(requested: SizeRequest, input_size: Size | None) -> Fraction:
    return requested.shape or (Fraction(*input_size) if input_size else shape_of(DEFAULT_RATIO))


def _guess(spec: Mapping[str, Any], input_size: Size | None) -> Size:
    """What a provider makes that gets no size: the size of the source, or its shape at the default tier."""
    if input_size and spec["family"] == "pixels":
        return fit(input_size, spec)
    return size_of(_shape(SizeRequest(), input_size), area_of(spec.get("default_tier", DEFAULT_TIER)))


def _resolve_pixels(requested: SizeRequest, spec: Mapping[str, Any], input_size: Size | None) -> Resolved:
    """Any pixels within limits."""
    size = requested.pixels
    if size is None:
        area = area_of(spec.get("default_tier", DEFAULT_TIER)) if requested.area is None else requested.area
        if requested.area is not None and "tiers" in spec:
            area = area_of(nearest_tier(area, spec["tiers"]))
        size = size_of(_shape(requested, input_size), area)
    width, height = fit(size, spec)
    name = spec.get("field", "")
    match spec["format"]:
        case "object":
            sent: dict[str, Any] = {name: {"width": width, "height": height}}
        case "sides":
            sent = {"width": width, "height": height}
        case _:
            sent = {name: f"{width}x{height}"}
    return Resolved({**spec.get("with", {}), **sent}, (width, height), (width, height))


def _resolve_ratio(requested: SizeRequest, spec: Mapping[str, Any], input_size: Size | None) -> Resolved:
    """One of the ratios, and one of the tiers where there are tiers; the provider turns them into pixels."""
    tiers: Sequence[str] = spec.get("tiers", ())
    default = spec.get("default_tier", DEFAULT_TIER)
    tier = nearest_tier(requested.area, tiers) if requested.area is not None and tiers else default
    if requested.automatic and requested.shape is None and "auto" in spec:
        sent, shape = dict(spec["auto"]), _shape(requested, input_size)
    else:
        ratio = nearest_ratio(_shape(requested, input_size), spec["ratios"])
        sent, shape = {spec["field"]: ratio}, shape_of(ratio)
    if tiers:
        sent[spec["tier_field"]] = spec.get("tier_values", {}).get(tier, tier)
    return Resolved({**spec.get("with", {}), **sent}, None, size_of(shape, area_of(tier)))


def _resolve_list(requested: SizeRequest, spec: Mapping[str, Any], input_size: Size | None) -> Resolved:
    """One of a few sizes: the nearest shape, among those the nearest area."""
    sizes = [pixels_of(size) for size in spec["sizes"]]
    shapes = [Fraction(*size) for size in sizes]
    nearest = shapes[nearest_shape(_shape(requested, input_size), shapes)]
    area = Fraction(requested.area or area_of(DEFAULT_TIER))
    width, height = min(
        (size for size, shape in zip(sizes, shapes, strict=True) if shape == nearest),
        key=lambda size: (_apart(area, Fraction(size[0] * size[1])), size),
    )
    return Resolved({**spec.get("with", {}), spec["field"]: f"{width}x{height}"}, (width, height), (width, height))


def supported(spec: Mapping[str, Any]) -> dict[str, list[tuple[str, int, int]]]:
    """The sizes of an offering for people, by tier: (ratio, width, height). Flexible ones show the eleven ratios."""
    if spec["family"] == "list":
        sizes_by_tier: dict[str, list[tuple[str, int, int]]] = {}
        for width, height in map(pixels_of, spec["sizes"]):
            ratio = nearest_ratio(Fraction(width, height), RATIOS)
            sizes_by_tier.setdefault(nearest_tier(width * height, TIERS), []).append((ratio, width, height))
        return sizes_by_tier
    if spec["family"] == "none":
        return {}
    tiers = spec.get("tiers", [spec.get("default_tier", DEFAULT_TIER)])
    tables = {tier: table(tier, spec.get("ratios", RATIOS)) for tier in tiers}
    if spec["family"] == "ratio":
        return tables
    return {tier: [(ratio, *fit((w, h), spec)) for ratio, w, h in rows] for tier, rows in tables.items()}
