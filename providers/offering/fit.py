"""How well an offering fits a request: what it cannot do, and how far what it makes is from what was requested.

Judged before a price is looked at: a cheaper offering that makes another size is no bargain for a caller who named one.
Distances are in steps, so that the small differences between two offerings (multiples of 16, a size list whose 3:2 is a
pixel off) do not decide.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from providers.errors import InvalidRequest
from providers.offering import normalisation, sizing
from providers.request import ImageRequest

SHAPE_TOLERANCE = 1.03  # factor between two aspect ratios that counts as none
AREA_TOLERANCE = 1.2  # factor between two areas that counts as none
STEPS = 4  # an octave


@dataclass(frozen=True, order=True, slots=True)
class Misfit:
    """Ordered: the offering with the smallest fits best."""

    is_impossible: bool = False  # it would reject the request
    shape: int = 0  # distance of the aspect ratio in quarters of an octave
    area: int = 0  # distance of the area in quarters of an octave
    ignored: int = 0  # parameters that have no effect there
    size: sizing.Size | None = field(default=None, compare=False)  # what it is expected to make


def misfit(request: ImageRequest, parameters: Mapping[str, Any]) -> Misfit:
    """Of a request with an offering's `parameters`. An edit without images, of which a price is asked, is taken to have
    as many as the offering wants."""
    try:
        normalisation.check_request(request, parameters)
        expected = normalisation.expected_size(request, parameters)
    except InvalidRequest:
        return Misfit(is_impossible=True)
    requested = sizing.read(request)
    named = {name for name in ("seed",) if getattr(request, name) is not None} | set(request.extra)
    accepted = {row["name"] for row in parameters.get("accepts", ())}
    ignored = named & {"seed", *parameters.get("ignores", ())} - accepted
    return Misfit(
        shape=_steps(requested.shape, Fraction(*expected), SHAPE_TOLERANCE),
        area=_steps(requested.area, Fraction(expected[0] * expected[1]), AREA_TOLERANCE),
        ignored=len(ignored),
        size=expected,
    )


def warnings(request: ImageRequest, sizes: Iterable[sizing.Size]) -> tuple[str, ...]:
    """Sentences for a caller whose images have another shape or size than requested: once for each delivered size."""
    requested = sizing.read(request)
    sentences = []
    for width, height in dict.fromkeys(sizes):
        shape = _steps(requested.shape, Fraction(width, height), SHAPE_TOLERANCE)
        area = _steps(requested.area, Fraction(width * height), AREA_TOLERANCE)
        if not shape and not area:
            continue
        names = _names(request, is_shape=bool(shape), is_area=bool(area))
        sentences.append(f"{names} requested; the nearest that could be made is {width}x{height}.")
    return tuple(sentences)


def _names(request: ImageRequest, *, is_shape: bool, is_area: bool) -> str:
    if request.size:
        return f"size {request.size} was"
    parts = []
    if is_shape and request.aspect_ratio:
        parts.append(f"aspect_ratio {request.aspect_ratio}")
    if is_area and request.resolution:
        parts.append(f"resolution {request.resolution}")
    return f"{' and '.join(parts)} {'were' if len(parts) > 1 else 'was'}"


def _steps(requested: Fraction | int | None, made: Fraction, tolerance: float) -> int:
    if requested is None:
        return 0
    factor = float(max(requested / made, made / requested))
    return 0 if factor <= tolerance else math.ceil(math.log2(factor) * STEPS)
