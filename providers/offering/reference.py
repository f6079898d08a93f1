"""What an offering takes, line by line, for people and programs: the parameter table of a model's page. Pure.

Descriptions and values are English sentences that pages can say in the reader's language; those of `accepts` are texts
of the catalogue.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from providers.offering import sizing
from providers.offering.masks import STYLES
from providers.offering.normalisation import EMULATED, native_n
from providers.offering.parameters import GROUPS, allowed_values
from providers.web.sentence import sentence


@dataclass(frozen=True, slots=True)
class Parameter:
    """One line of the parameter reference: what callers may write, and what becomes of it."""

    name: str
    type: str
    group: str
    behaviour: str
    target: str = ""
    description: str = ""
    allowed: str = ""
    default: Any = None
    required: bool = False


def lines(parameters: Mapping[str, Any]) -> list[Parameter]:
    """Everything a caller may write to this offering, by group: the parameter table of a model page."""
    rows = [_line(row) for row in parameters.get("accepts", ())]
    named = {row.name for row in rows}
    rows += [
        _line({"name": name, "group": "output", "behaviour": "emulated", **row})
        for name, row in EMULATED.items()
        if name not in named
    ]
    rows += _size_lines(parameters.get("size", {"family": "none"}))
    rows.append(_count_line(parameters))
    if images := parameters.get("images"):
        most = sentence("up to %(n)s", n=images["max"]) if "max" in images else ""
        required = images.get("min", 1) > 0
        rows.append(
            Parameter(
                "image",
                "array",
                "media",
                "converted",
                images["field"],
                sentence("Source images."),
                most,
                required=required,
            )
        )
        if mask := images.get("mask"):
            text = sentence("A PNG as large as the first image; its transparent pixels are to be changed.")
            behaviour = "renamed" if mask != "mask" else "passthrough"
            if images.get("mask_style", "alpha") != "alpha":
                behaviour = "converted"
                text = sentence("%(mask)s Sent %(how)s.", mask=text, how=STYLES[images["mask_style"]])
            required = images.get("mask_required", False)
            rows.append(Parameter("mask", "file", "media", behaviour, mask, text, required=required))
    return sorted(rows, key=lambda row: GROUPS.index(row.group))


def _line(row: Mapping[str, Any]) -> Parameter:
    return Parameter(
        name=row["name"],
        type=row["type"],
        group=row["group"],
        behaviour=row["behaviour"],
        target="" if row["behaviour"] == "emulated" else row.get("target", row["name"]),
        description=row.get("description", ""),
        allowed=allowed_values(row) if row.keys() & {"enum", "minimum", "maximum"} else "",
        default=row.get("default"),
        required=row.get("required", False),
    )


def _count_line(parameters: Mapping[str, Any]) -> Parameter:
    most = native_n(parameters)
    if most == 1:
        text = sentence("Number of images: each is a call of its own, made in parallel.")
        return Parameter("n", "integer", "output", "emulated", "", text, default=1)
    field = parameters["n"]["field"]
    text = sentence("Number of images: up to %(most)s in one call, more in further calls.", most=most)
    return Parameter("n", "integer", "output", "passthrough" if field == "n" else "renamed", field, text, default=1)


def _size_lines(spec: Mapping[str, Any]) -> list[Parameter]:
    if spec["family"] == "none":
        return []
    target = "width, height" if spec.get("format") == "sides" else spec.get("field", "")
    tiers = spec.get("tiers", [])
    sizes = ", ".join(["auto", *spec.get("sizes", [])])
    text = sentence("Pixels (1024x1024) or a ratio (16:9). Overrules aspect_ratio and resolution.")
    lines = [Parameter("size", "string", "size", "converted", target, text, sizes)]
    text = sentence("Shape only. Any ratio is taken to the nearest supported one.")
    lines.append(
        Parameter("aspect_ratio", "string", "size", "converted", target, text, ", ".join(spec.get("ratios", [])))
    )
    if spec["family"] != "ratio" or tiers:
        target, default = spec.get("tier_field", target), spec.get("default_tier", sizing.DEFAULT_TIER)
        text = sentence("Scale only. Any tier is taken to the nearest supported one.")
        allowed_tiers = ", ".join(["auto", *tiers])
        lines.append(Parameter("resolution", "string", "size", "converted", target, text, allowed_tiers, default))
    return lines
