"""What a model's API takes and in which sizes it answers, put together from all its offerings. Pure.

The same parameter may be sent as it is to one provider and translated for another, so a line keeps who does what.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from math import isqrt
from typing import Any

from django.utils.translation import gettext, gettext_noop

from leaderboard.board.translation import translated
from leaderboard.profiles.parameter_words import MEANINGS
from providers.offering import reference as offered
from providers.offering import sizing
from providers.offering.parameters import BEHAVIOURS, GROUPS
from providers.web.sentence import EnglishSentence, sentence

TITLES = {
    "core": gettext_noop("Core parameters"),
    "size": gettext_noop("Size and layout"),
    "media": gettext_noop("Media inputs"),
    "output": gettext_noop("Output and format"),
    "additional": gettext_noop("Additional parameters"),
}
EXPLAINED = {
    "passthrough": (gettext_noop("Sent as it is to the provider"), "quality"),
    "renamed": (
        gettext_noop("The same value under the name the provider expects"),
        "output_compression → output_quality",
    ),
    "converted": (gettext_noop("Turned into the provider’s own form"), "size → width and height"),
    "emulated": (gettext_noop("Works although the provider has no such thing: we do it"), "n, response_format"),
}


DIFFERENT = 2  # values, of which providers are named
_SHAPE = 26.0  # pixels of the longer side of a drawn shape


@dataclass(frozen=True, slots=True)
class Source:
    """One offering, as far as its parameters go."""

    provider: str  # its name for people
    mode: str
    parameters: Mapping[str, Any]


@dataclass(slots=True)
class ParameterLine:
    """A parameter over all offerings that take it."""

    name: str
    type: str
    description: str
    required: bool
    allowed: dict[str, list[str]] = field(default_factory=dict)  # values in words → providers
    defaults: dict[str, list[str]] = field(default_factory=dict)
    modes: list[str] = field(default_factory=list)
    behaviours: dict[str, list[str]] = field(default_factory=dict)  # behaviour → providers
    targets: list[str] = field(default_factory=list)
    is_list: bool = False  # of values that providers have in common or not, as ratios

    @property
    def meaning(self) -> str:
        """Its description in the active language, or in English where the provider's own words are all there is."""
        return gettext(self.description) if self.description in MEANINGS else translated(self.description)

    @property
    def is_in_english(self) -> bool:
        return self.description not in MEANINGS and not isinstance(self.description, EnglishSentence)

    @property
    def values(self) -> str:
        """What may be sent. Where providers differ, each is named with its own."""
        return ", ".join(self.allowed) if self.is_list else _by_provider(self.allowed)

    @property
    def has_worded_values(self) -> bool:
        """A range, a number: in the active language, where lists are as programs write them."""
        return any(isinstance(value, EnglishSentence) for value in self.allowed)

    @property
    def default(self) -> str:
        return _by_provider(self.defaults)

    @property
    def passed_on(self) -> str:
        """converted; with providers that differ: passthrough: fal · renamed: Replicate"""
        return (
            next(iter(self.behaviours), "")
            if len(self.behaviours) < DIFFERENT
            else " · ".join(f"{behaviour}: {', '.join(providers)}" for behaviour, providers in self.behaviours.items())
        )


@dataclass(frozen=True, slots=True)
class Group:
    key: str
    title: str
    provider: str  # set for what only this provider takes
    lines: tuple[ParameterLine, ...]


@dataclass(frozen=True, slots=True)
class Reference:
    """All that can be said about what a model takes."""

    groups: tuple[Group, ...] = ()
    sizes: Sizes = field(default_factory=lambda: Sizes((), "", False, None))


def text_of(sources: Iterable[Source]) -> str:
    """The sources as one text: the key a result is cached under."""
    return json.dumps([(source.provider, source.mode, source.parameters) for source in sources], sort_keys=True)


@lru_cache(maxsize=256)
def of_text(text: str) -> Reference:
    """From `text_of`. Working out sizes takes exact fractions, and the same few models are read again and again."""
    sources = [Source(*source) for source in json.loads(text)]
    return Reference(tuple(groups(sources)), sizes(sources))


def groups(sources: Iterable[Source]) -> list[Group]:
    """The parameter tables of a model page; additional parameters by the provider that takes them."""
    by_group: dict[tuple[str, str], dict[str, ParameterLine]] = {}
    for source in sources:
        for parameter in offered.lines(source.parameters):
            provider = source.provider if parameter.group == "additional" else ""
            lines = by_group.setdefault((parameter.group, provider), {})
            line = lines.setdefault(
                parameter.name,
                ParameterLine(parameter.name, parameter.type, parameter.description, parameter.required),
            )
            line.required = line.required or parameter.required
            _add(line.modes, source.mode)
            line.is_list = parameter.group == "size"
            for allowed in parameter.allowed.split(", ") if line.is_list else [_listed(parameter.allowed)]:
                _name(line.allowed, allowed, source.provider)
            default = "" if parameter.default is None else _written(parameter.default)
            _name(line.defaults, default, source.provider)
            _add(line.behaviours.setdefault(parameter.behaviour, []), source.provider)
            if parameter.behaviour == "renamed":
                _add(line.targets, parameter.target)
    order = sorted(by_group, key=lambda key: (GROUPS.index(key[0]), key[1]))
    return [Group(key, TITLES[key], provider, tuple(by_group[key, provider].values())) for key, provider in order]


def behaviours(of: Sequence[Group]) -> list[tuple[str, str, str, list[str]]]:
    """The normalisation table: behaviour, what happens, an example, and this model's parameters that behave so."""
    used: dict[str, list[str]] = {name: [] for name in BEHAVIOURS}
    for group in of:
        for line in group.lines:
            for behaviour in line.behaviours:
                _add(used[behaviour], line.name)
    return [(name, *EXPLAINED[name], sorted(used[name])) for name in BEHAVIOURS]


def _listed(allowed: str) -> str:
    """Of a list its values alone, as programs write them."""
    return allowed.values.get("values", allowed) if isinstance(allowed, EnglishSentence) else allowed


def _add(to: list[str], value: str) -> None:
    if value and value not in to:
        to.append(value)


def _name(table: dict[str, list[str]], value: str, provider: str) -> None:
    if value:
        _add(table.setdefault(value, []), provider)


def _by_provider(table: Mapping[str, Sequence[str]]) -> str:
    """fal: 4 to 8 · Replicate: 1 or more, in the active language; the value alone where all agree."""
    if len(table) < DIFFERENT:
        return translated(next(iter(table), ""))
    return " · ".join(f"{', '.join(providers)}: {translated(value)}" for value, providers in table.items())


def _written(value: Any) -> str:
    return {True: "true", False: "false"}.get(value, str(value)) if isinstance(value, bool) else str(value)


# Sizes ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Size:
    width: int
    height: int
    ratio: str
    providers: tuple[str, ...]  # empty: all that have sizes of this tier

    @property
    def drawn(self) -> tuple[float, float, float, float]:
        """x, y, width and height of its shape in a square of 28 pixels."""
        scale = _SHAPE / max(self.width, self.height)
        width, height = round(self.width * scale, 1), round(self.height * scale, 1)
        return round(14 - width / 2, 1), round(14 - height / 2, 1), width, height


@dataclass(frozen=True, slots=True)
class Tier:
    name: str
    is_default: bool
    sizes: tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Sizes:
    tiers: tuple[Tier, ...]
    custom: str  # "64–2048 px per side"; empty where only listed sizes are made
    automatic: bool
    largest: tuple[int, int] | None


def sizes(sources: Iterable[Source]) -> Sizes:
    """What can be asked of any of these offerings, by tier."""
    specs = [(source.provider, spec) for source in sources if (spec := source.parameters.get("size")) is not None]
    makers: dict[int, dict[tuple[int, int, str], list[str]]] = {}
    names: dict[int, str] = {}
    for provider, spec in specs:
        for tier, rows in sizing.supported(spec).items():
            area = sizing.area_of(tier)  # 1K and 1 MP are the same tier
            names[area] = min(names.get(area, tier), tier, key=lambda name: ("MP" in name.upper(), name))
            for ratio, width, height in rows:
                _add(makers.setdefault(area, {}).setdefault((width, height, ratio), []), provider)
    default = sizing.area_of(sizing.DEFAULT_TIER)
    opened = default if default in makers else min(makers, default=0)
    tiers = [Tier(names[area], area == opened, _rows(makers[area])) for area in sorted(makers)]
    largest = [pair for _, spec in specs if (pair := _largest(spec)) is not None]
    return Sizes(
        tuple(tiers),
        custom=_custom([spec for _, spec in specs if spec["family"] == "pixels"]),
        automatic=bool(specs),
        largest=_squarest(largest),
    )


def _rows(makers: Mapping[tuple[int, int, str], list[str]]) -> tuple[Size, ...]:
    everybody = {provider for providers in makers.values() for provider in providers}
    return tuple(
        Size(width, height, ratio, () if len(providers) == len(everybody) else tuple(providers))
        for (width, height, ratio), providers in makers.items()
    )


def _custom(specs: Sequence[Mapping[str, Any]]) -> str:
    if not specs:
        return ""
    low, high = min(spec.get("min", 1) for spec in specs), max(spec.get("max", 0) for spec in specs)
    if high:
        return sentence("%(low)s–%(high)s px per side", low=low, high=high)
    return sentence("%(low)s px per side or more", low=low)


def _largest(spec: Mapping[str, Any]) -> tuple[int, int] | None:
    """The largest square within the limits of an offering of any pixels, else the largest of its sizes."""
    if spec["family"] == "pixels":
        limits = [isqrt(spec["max_area"])] if "max_area" in spec else []
        limits += [spec["max"]] if "max" in spec else []
        return sizing.fit((min(limits), min(limits)), spec) if limits else None
    every = [(width, height) for rows in sizing.supported(spec).values() for _, width, height in rows]
    return _squarest(every)


def _squarest(sizes: Sequence[tuple[int, int]]) -> tuple[int, int] | None:
    """The largest size; of areas within a hundredth, which are one tier in other shapes, the squarest."""
    most = max((width * height for width, height in sizes), default=0)
    largest = [(width, height) for width, height in sizes if 100 * width * height >= 99 * most]
    return max(largest, key=lambda size: Fraction(min(size), max(size)), default=None)
