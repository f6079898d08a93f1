"""What `Offering.parameters` may say, and what is wrong with it when it cannot be worked with.

size      the size spec: a table with a `family`
              pixels  any size: `format` object ({width, height} in `field`), sides (width and height) or WxH (text in
                      `field`), within min, max (of a side), min_area, max_area, multiple_of, min_ratio, max_ratio;
                      `tiers`, where given, are the resolutions it is meant for
              ratio   one of `ratios` in `field`; where there are `tiers`, also one of them in `tier_field`, written
                      as `tier_values` says
              list    one of `sizes` ("WxH") in `field`
              none    the provider decides
          all take `auto`, the arguments that leave the size to the provider (nothing by default), `with`, arguments
          sent along with a size, and `default_tier`
n         {field, max}: the argument for several images in one call; absent: one image per call
images    {field, list, min, max, mask}: the argument for source images, and that for a mask; absent: it takes none;
          `mask_style` says how it reads masks (masks.py), `mask_required` that there is no edit without one
partial_images  how many half-made images it shows of one that is asked for as a stream; absent: none
accepts   the parameters it takes, each {name, type, group, behaviour} and, where they apply, target, required,
          default (the provider's own), enum, minimum, maximum, max_length, description; `values` (ours → theirs) and
          `otherwise` (theirs for the rest) make a parameter "converted"
sends     arguments sent with every call unless the request says otherwise (the price may depend on them)
ignores   parameters that belong to the same model elsewhere and mean nothing here
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

from providers.errors import InvalidRequest
from providers.offering import sizing
from providers.offering.masks import STYLES
from providers.web.sentence import sentence

Behaviour = Literal["passthrough", "renamed", "converted", "emulated"]

BEHAVIOURS: tuple[Behaviour, ...] = ("passthrough", "renamed", "converted", "emulated")
LARGEST_SEED = 2**31 - 1
GROUPS = ("core", "size", "output", "media", "additional")
TYPES = {
    "string": sentence("a text"),
    "integer": sentence("a whole number"),
    "number": sentence("a number"),
    "boolean": sentence("true or false"),
    "array": sentence("a list"),
    "object": sentence("a table"),
}

# Values ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def allowed(name: str, value: Any, row: Mapping[str, Any]) -> Any:
    """The value in its own type, if it is allowed. Forms and multipart bodies bring text for everything."""
    try:
        value = _typed(value, row["type"])
    except (ValueError, TypeError, KeyError, OverflowError):
        raise _refused(name, value, row) from None
    if "enum" in row and value not in row["enum"]:
        raise _refused(name, value, row)
    if row["type"] in ("integer", "number") and not row.get("minimum", value) <= value <= row.get("maximum", value):
        raise _refused(name, value, row)
    if isinstance(value, str) and len(value) > row.get("max_length", len(value)):
        raise InvalidRequest(f"{name}: {len(value)} characters; at most {row['max_length']} are allowed")
    return value


def _typed(value: Any, kind: str) -> Any:
    match kind:
        case "string":
            if isinstance(value, bool | list | dict):
                raise TypeError
            return str(value)
        case "integer":
            if isinstance(value, bool) or (isinstance(value, float) and not value.is_integer()):
                raise TypeError
            return int(value)
        case "number":
            if isinstance(value, bool) or not math.isfinite(number := float(value)):
                raise TypeError
            return value if isinstance(value, int) else number
        case "boolean":
            return {"true": True, "1": True, "false": False, "0": False}[str(value).lower()]
        case _:
            if not isinstance(value, list if kind == "array" else dict):
                raise TypeError
            return value


def _refused(name: str, value: Any, row: Mapping[str, Any]) -> InvalidRequest:
    shown = repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:79]}…"
    return InvalidRequest(f"{name}: {shown} is not allowed; write {allowed_values(row)}")


def allowed_values(row: Mapping[str, Any]) -> str:
    """What may be written, in words: "a whole number from 4 to 8", "one of png, jpeg"."""
    if "enum" in row:
        return sentence("one of %(values)s", values=", ".join(map(str, row["enum"])))
    words = TYPES[row["type"]]
    match row.get("minimum"), row.get("maximum"):
        case None, None:
            return words
        case low, None:
            return sentence("%(words)s, %(low)s or more", words=words, low=str(low))
        case None, high:
            return sentence("%(words)s, %(high)s or less", words=words, high=str(high))
        case low, high:
            return sentence("%(words)s from %(low)s to %(high)s", words=words, low=str(low), high=str(high))


# Checking ────────────────────────────────────────────────────────────────────────────────────────────────────────────

_KINDS: dict[type, str] = {str: "a text", bool: "true or false", int: "a whole number, 0 or more"}
_ROW_KEYS: dict[str, Any] = {
    "name": str, "type": str, "group": str, "behaviour": str, "target": str, "description": str, "required": bool,
    "enum": list, "values": dict, "minimum": (int, float), "maximum": (int, float), "max_length": int,
    "default": object, "otherwise": object,
}  # fmt: skip
_TOP_KEYS = {"size", "n", "images", "partial_images", "accepts", "sends", "ignores"}


def check(parameters: Any) -> list[str]:
    """What is wrong with an offering's parameters, in words; empty when `build` can work with them."""
    if not isinstance(parameters, Mapping):
        return ["parameters must be a table"]
    problems = [f"parameters.{key} is not known" for key in sorted(parameters.keys() - _TOP_KEYS)]
    problems += check_spec(parameters["size"]) if "size" in parameters else []
    problems += _check_table("n", parameters.get("n"), {"field": str, "max": int}, {"field", "max"})
    columns = {
        "field": str, "list": bool, "min": int, "max": int, "mask": str, "mask_style": str, "mask_required": bool,
    }  # fmt: skip
    images = parameters.get("images")
    problems += _check_table("images", images, columns, {"field"})
    if isinstance(images, Mapping) and images.get("mask_style", "alpha") not in STYLES:
        problems.append(f"images.mask_style: {images['mask_style']!r} is not one of {', '.join(STYLES)}")
    shown = parameters.get("partial_images", 0)
    if type(shown) is not int or not 0 <= shown <= 3:
        problems.append(f"partial_images: {shown!r} is not a number from 0 to 3")
    if not isinstance(parameters.get("sends", {}), Mapping):
        problems.append("sends must be a table")
    ignores = parameters.get("ignores", [])
    if not isinstance(ignores, list) or not all(isinstance(name, str) for name in ignores):
        problems.append("ignores must be a list of names")
    rows = parameters.get("accepts", [])
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        return [*problems, "accepts must be a list of tables"]
    names = [row.get("name") for row in rows]
    problems += [f"accepts: {name!r} is there twice" for name in dict.fromkeys(names) if names.count(name) > 1]
    return problems + [problem for row in rows for problem in _check_row(row)]


def _check_table(where: str, table: Any, kinds: Mapping[str, type], required: set[str]) -> list[str]:
    if table is None:
        return []
    if not isinstance(table, Mapping):
        return [f"{where} must be a table"]
    problems = [f"{where}.{key} is missing" for key in sorted(required - table.keys())]
    for key, value in table.items():
        if key not in kinds:
            problems.append(f"{where}.{key} is not known")
        elif type(value) is not kinds[key] or (isinstance(value, int) and value < 0):
            problems.append(f"{where}.{key}: {value!r} is not {_KINDS[kinds[key]]}")
    return problems


def _check_row(row: Mapping[str, Any]) -> list[str]:
    where = f"accepts.{row.get('name', '?')}"
    problems = [f"{where}.{key} is not known" for key in sorted(row.keys() - _ROW_KEYS)]
    problems += [f"{where}.{key} is missing" for key in ("name", "type", "group", "behaviour") if key not in row]
    problems += [
        f"{where}.{key}: {value!r} has the wrong type"
        for key, value in row.items()
        if key in _ROW_KEYS and not isinstance(value, _ROW_KEYS[key])
    ]
    if problems:
        return problems
    for key, known in (("type", TYPES), ("group", GROUPS), ("behaviour", BEHAVIOURS)):
        if row[key] not in known:
            problems.append(f"{where}.{key}: {row[key]!r} is not one of {', '.join(known)}")
    if not problems and row["behaviour"] != (behaviour := behaviour_of(row)) and row["behaviour"] != "emulated":
        problems.append(f"{where}.behaviour: {row['behaviour']!r}, but what it says is {behaviour!r}")
    if not problems and "default" in row:
        try:
            allowed(row["name"], row["default"], row)
        except InvalidRequest as error:
            problems.append(f"{where}.default: {error}")
    return problems


def behaviour_of(row: Mapping[str, Any]) -> Behaviour:
    """The behaviour that follows from the rest of a row, so that the catalogue need not repeat it."""
    if "values" in row or "otherwise" in row:
        return "converted"
    return "renamed" if row.get("target", row["name"]) != row["name"] else "passthrough"


# The size spec ───────────────────────────────────────────────────────────────────────────────────────────────────────

_LIMITS = {"min", "max", "min_area", "max_area", "multiple_of"}
_KEYS: dict[str, set[str]] = {
    "none": {"auto", "with", "default_tier"},
    "pixels": _LIMITS | {"field", "format", "with", "auto", "tiers", "default_tier", "min_ratio", "max_ratio"},
    "ratio": {"field", "ratios", "with", "auto", "tiers", "tier_field", "tier_values", "default_tier"},
    "list": {"field", "sizes", "with", "auto", "default_tier"},
}


def check_spec(spec: Any) -> list[str]:
    """What is wrong with a size spec, in words."""
    if not isinstance(spec, Mapping) or spec.get("family") not in _KEYS:
        return [f"size.family must be one of {', '.join(_KEYS)}"]
    family = str(spec["family"])
    strangers = sorted(spec.keys() - {"family"} - _KEYS[family])
    problems = [f"size.{key} means nothing for the family {family!r}" for key in strangers]
    for key in sorted(spec.keys() & _KEYS[family]):
        problems += _check_value(key, spec[key])
    needed = {"pixels": ["format"], "ratio": ["field", "ratios"], "list": ["field", "sizes"], "none": []}[family]
    if family == "pixels" and spec.get("format") != "sides":
        needed.append("field")
    if family == "ratio" and "tiers" in spec:
        needed.append("tier_field")
    return problems + [f"size.{key} is missing" for key in needed if not spec.get(key)]


def _check_value(key: str, value: Any) -> list[str]:
    readers: dict[str, Any] = {"ratios": sizing.shape_of, "tiers": sizing.area_of, "sizes": sizing.pixels_of}
    readers |= {"min_ratio": sizing.shape_of, "max_ratio": sizing.shape_of, "default_tier": sizing.area_of}
    if key in _LIMITS:
        good = isinstance(value, int) and not isinstance(value, bool) and value > 0
        return [] if good else [f"size.{key}: {value!r} is not a whole number above 0"]
    if key in ("with", "auto", "tier_values"):
        return [] if isinstance(value, Mapping) else [f"size.{key} must be a table"]
    if key == "format" and value not in ("object", "sides", "WxH"):
        return [f"size.format: {value!r} is not one of object, sides, WxH"]
    several = key in ("ratios", "tiers", "sizes")
    values = value if several and isinstance(value, list) else [value]
    if (several and (not isinstance(value, list) or not value)) or not all(isinstance(v, str) for v in values):
        return [f"size.{key} must be {'a list of texts' if several else 'a text'}"]
    problems = []
    for text in values if key in readers else ():
        try:
            readers[key](text, f"size.{key}")
        except ValueError as error:
            problems.append(str(error))
    return problems


def spare_seed(parameters: Mapping[str, Any]) -> str:
    """The argument that takes any seed from 0 to LARGEST_SEED as it is; "" where the offering has none."""
    for row in parameters.get("accepts", ()):
        is_plain = row["name"] == "seed" and row["behaviour"] in ("passthrough", "renamed")
        if is_plain and row.get("minimum", 0) <= 0 and row.get("maximum", LARGEST_SEED) >= LARGEST_SEED:
            return str(row.get("target", "seed"))
    return ""
