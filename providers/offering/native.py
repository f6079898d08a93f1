"""Parameters in a provider's own words that multiply or enlarge what it bills, whatever else they are called.

What an offering does not name passes through to the provider as it is. A number of images must not: a call that brings
more images than were counted passes every budget. A size may, and is read here for the estimate of the price; where it
cannot be read (a preset), the largest size is assumed that the offering's size spec allows, up to 4K.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

from providers.errors import InvalidRequest
from providers.offering import sizing

# Names without case and whatever separates their words. Any value of these but 0 and 1 is refused …
_COUNTS = frozenset(
    {
        "n", "batch", "batchcount", "batchsize", "candidatecount", "imagecount", "imagesperprompt", "maximages",
        "nimages", "nsamples", "numberofimages", "numgenerations", "numimages", "numimagesperprompt", "numoutputs",
        "numresults", "numsamples", "outputcount", "samplecount", "samples",
    }
)  # fmt: skip
# … and numbers above 1 where a name counts things, or is the name of things that come in numbers.
_COUNTERS = frozenset({"batch", "count", "iter", "iterations", "max", "n", "num", "number", "per", "repeat", "total"})
_THINGS = frozenset({
    "artifacts", "candidates", "copies", "frames", "generations", "images", "imgs", "outputs", "photos", "pics",
    "pictures", "results", "samples", "variants", "variations",
})  # fmt: skip
_THING = frozenset(thing.removesuffix("s") for thing in _THINGS) | {"copy"}
_ALONE = _THINGS | {"amount", "count", "iterations", "niter", "num", "number", "quantity", "repeat", "repeats"}
# Lists with an image for each of their entries.
_LISTS = frozenset({"inputs", "instances", "promptlist", "prompts", "requests", "seeds", "tasks"})
# What brings a series of images by itself, and the only value that does not.
_SERIES = {"sequentialimagegeneration": "disabled"}
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_IMAGES = frozenset({"image", "images", "img", "imgs", "photo", "photos", "picture", "pictures"})
_SOURCE = re.compile(r"^\s*(?:https?://|data:image/)", re.IGNORECASE | re.MULTILINE)
SIZES = frozenset(
    {
        "dimensions", "imageresolution", "imagesize", "outputresolution", "outputsize", "resolution", "size",
        "targetresolution", "targetsize",
    }
)  # fmt: skip
MEGAPIXELS = frozenset({"megapixel", "megapixels", "outputmegapixels", "targetmegapixels"})
FACTORS = frozenset({"scalefactor", "upscale", "upscaleby", "upscalefactor"})
LARGEST_AREA = sizing.area_of("4K")


def check_counts(extra: Mapping[str, Any], known: Collection[str] = ()) -> None:
    """Raises InvalidRequest where a parameter that is not `known` asks for several images."""
    for name, value, _ in _walk({name: value for name, value in extra.items() if name not in known}):
        if multiplies(name, value):
            raise InvalidRequest(f"{name}: write n for the number of images, so that each of them is counted")


def multiplies(name: str, value: Any) -> bool:
    """Whether the parameter asks for more than one image."""
    plain = _plain(name)
    if value is None or plain in _SERIES:
        return value is not None and value != _SERIES[plain]
    if plain in _COUNTS:
        return str(value) not in ("0", "1")
    if plain in _LISTS and isinstance(value, list | tuple):
        return len(value) > 1
    return not isinstance(value, bool) and _float(value) > 1 and _counts(plain, _words(name))


def _words(name: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(unicodedata.normalize("NFKC", name))]


def _float(value: Any) -> float:
    """NaN for what is no number."""
    try:
        return float(value)
    except (TypeError, ValueError):
        return math.nan
    except OverflowError:
        return math.inf if value > 0 else -math.inf


def _counts(plain: str, words: list[str]) -> bool:
    """Whether the name is that of things, or things are counted by a word: anywhere for "images", beside it for
    "image", because num_steps_per_image counts steps."""
    beside = pairwise(word for word in words if word != "of")
    return (
        plain in _ALONE
        or not (_COUNTERS.isdisjoint(words) or _THINGS.isdisjoint(words))
        or any({*pair} & _THING and {*pair} & {"count", "n", "num", "number"} for pair in beside)
    )


def expected_size(extra: Mapping[str, Any], size: sizing.Size, spec: Mapping[str, Any]) -> sizing.Size:
    """`size`, unless `extra` names another in the provider's own words: then the largest one that it may mean."""
    areas = [area for name, value, table in _walk(extra) if (area := _area(name, value, table, size, spec)) is not None]
    if not areas:
        return size
    return sizing.size_of(Fraction(*size), max(areas))


def count_of_sources(extra: Mapping[str, Any]) -> int:
    """How many source images are given in the provider's own words, as URLs. Some providers bill each."""
    return sum(
        len(_SOURCE.findall("\n".join(map(str, value if isinstance(value, list | tuple) else [value]))))
        for name, value, _ in _walk(extra)
        if not isinstance(value, Mapping) and not _IMAGES.isdisjoint(_words(name))
    )


def _walk(value: Any) -> Iterator[tuple[str, Any, Mapping[str, Any]]]:
    """Every name and value in nested tables, with the table that they are in."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield str(name), inner, value
            yield from _walk(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _walk(inner)


def _area(name: str, value: Any, table: Mapping[str, Any], size: sizing.Size, spec: Mapping[str, Any]) -> int | None:
    """The area in pixels that one parameter asks for; None when it says nothing about it."""
    plain = _plain(name)
    if value is None or isinstance(value, Mapping):
        return None
    if plain in ("width", "height"):
        sides = {_plain(other): _number(side) for other, side in table.items()}
        return int((sides.get("width") or size[0]) * (sides.get("height") or size[1]))
    if plain in MEGAPIXELS or plain in FACTORS:
        number = _number(value)
        if number is None:
            return largest_area(spec)
        return int(number * 2**20) if plain in MEGAPIXELS else int(size[0] * size[1] * max(1.0, number) ** 2)
    if plain in SIZES:
        text = str(value).strip().lower()
        return None if text in ("", "auto") else _area_of_text(text, spec)
    return None


def _area_of_text(text: str, spec: Mapping[str, Any]) -> int:
    for read in (sizing.area_of, lambda text: _product(sizing.pixels_of(text.replace("*", "x")))):
        try:
            return read(text)
        except ValueError:
            continue
    return largest_area(spec)


def largest_area(spec: Mapping[str, Any]) -> int:
    """The largest area that an offering makes by its size spec, 4K at most."""
    match spec["family"]:
        case "list":
            area = max(map(_product, map(sizing.pixels_of, spec["sizes"])))
        case "ratio":
            area = max(map(sizing.area_of, spec.get("tiers") or [spec.get("default_tier", sizing.DEFAULT_TIER)]))
        case _:
            area = min(spec.get("max_area", LARGEST_AREA), spec.get("max", 99_999) ** 2)
    return min(area, LARGEST_AREA)


def _product(size: sizing.Size) -> int:
    return size[0] * size[1]


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", unicodedata.normalize("NFKC", name).lower())


def _number(value: Any) -> float | None:
    number = _float(value)
    return number if 0 < number < 100_000 else None
