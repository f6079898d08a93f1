"""What a model's offerings can do, from their tables of parameters: sizes, shapes, source images, parameters taken."""

from __future__ import annotations

import json
from functools import lru_cache

from leaderboard.model_facts.price_and_speed import Facts
from providers.offering import sizing

TIERS = ("1K", "2K", "4K")
RATIOS = ("1:1", "4:3", "3:4", "3:2", "2:3", "16:9", "9:16", "21:9")
# Parameters a buyer may not do without. Others are too many to list, and too rare to need.
NEEDS = ("seed", "negative_prompt", "n", "output_format", "quality", "background", "image")


def largest(facts: Facts) -> str:
    """Of 1K, 2K and 4K; "" unknown."""
    tiers = [_tier(json.dumps(seller.offering.parameters.get("size"), sort_keys=True)) for seller in facts.sellers]
    return max(filter(None, tiers), key=lambda tier: int(tier.removesuffix("K")), default="")


def sources(facts: Facts | None) -> int | None:
    """Source images of an edit at most; 0 for any number, None where it does not edit."""
    if facts is None or not facts.sellers:
        return None
    limits = []
    for seller in facts.sellers:
        images = seller.offering.parameters.get("images") or {}
        limits.append(images.get("max", 0) if images.get("list") else 1)
    return 0 if 0 in limits else max(limits)


def takes(facts: Facts) -> frozenset[str]:
    """Parameters that one of the offerings takes, and shapes that one makes."""
    tables = (json.dumps(seller.offering.parameters, sort_keys=True) for seller in facts.sellers)
    return frozenset[str]().union(*map(_abilities, tables))


@lru_cache(maxsize=2048)
def _tier(spec: str) -> str:
    """The largest of 1K, 2K and 4K that an offering's size table allows; most offerings share a few tables."""
    table = json.loads(spec)
    if not table:
        return ""
    areas = {sizing.area_of(tier) for tier in sizing.supported(table)}
    if table["family"] == "pixels":
        areas |= {table["max_area"]} if "max_area" in table else {table["max"] ** 2} if "max" in table else set()
    for tier, side in (("4K", 4096), ("2K", 2048), ("1K", 1024)):
        if any(area >= 0.8 * side**2 for area in areas):
            return tier
    return ""


@lru_cache(maxsize=2048)
def _abilities(parameters: str) -> frozenset[str]:
    table = json.loads(parameters)
    names = {row["name"] for row in table.get("accepts", ()) if row.get("behaviour") != "emulated"}
    names |= {name for name in ("n", "images") if table.get(name)}
    if "images" in names:
        names = names - {"images"} | {"image"}
    supported = sizing.supported(table.get("size", {"family": "none"}))
    return frozenset(names | {ratio for rows in supported.values() for ratio, _, _ in rows})
