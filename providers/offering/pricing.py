"""What one image costs, from a price, its unit and the size: pure arithmetic on `Decimal`, in US dollars.

The units are those met in the price lists of the providers we know. Four need one number; three need more, which are
in `details` (the column `Offering.price_details`):

    image               price per image
    megapixel           price per output megapixel, linear; details may add {"input": "0.002"} per input megapixel
    megapixel-started   the same, every image rounded up to whole megapixels
    megapixel-in-out    price per megapixel of output and of every input image, linear
    megapixel-first     price for the first output megapixel, {"extra": "0.015"} for each further one and for each
                        input megapixel, rounded up (the formula Black Forest Labs publishes)
    image-by-tier       {"1K": "0.08", "4K": "0.16"}: per image, by the tier nearest in area
    image-by-quality    {"low": "0.006", "high": {"1024x1024": "0.211", "1536x1024": "0.165"}}: per image, by quality
                        and by the size nearest in area; where the provider chooses ("auto"), the dearest

In the last two `price` is the one number shown in lists: what an image costs with the settings the offering sends.

Whatever the unit, details may add {"tokens": {"text_input": "5", "image_input": "8", "image_output": "30"}}: USD per
million tokens, for providers that bill tokens. The unit's price is the expectation, the tokens of an answer the bill.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from fractions import Fraction
from math import ceil
from typing import Any

from providers.offering.sizing import area_of, pixels_of

UNITS: tuple[str, ...] = (
    "image",
    "megapixel",
    "megapixel-started",
    "megapixel-in-out",
    "megapixel-first",
    "image-by-tier",
    "image-by-quality",
)

_TOTALS = ("input_tokens", "output_tokens", "promptTokenCount", "thoughtsTokenCount", "candidatesTokenCount")
TOKEN_KINDS = ("text_input", "image_input", "text_output", "image_output")

MEGAPIXEL = 1024 * 1024  # the price maps count 1 MP as 2^20 pixels

# Three of the eleven 1K sizes pass 2^20 pixels by the rounding of their sides (1183x887 by 745). Nobody means to bill
# two megapixels for them, so "started" begins 0.1 % above a whole number.
TOLERANCE = Fraction(1, 1000)

_CENT_FRACTION = Decimal("0.000001")  # the columns keep six decimals


def price_of(
    price: Decimal,
    unit: str,
    width: int,
    height: int,
    n: int = 1,
    input_sizes: Sequence[tuple[int, int]] = (),
    *,
    details: Mapping[str, Any] | None = None,
    quality: str | None = None,
) -> Decimal:
    """What `n` images of this size cost. Inputs are counted once per image: each image is a run of its own."""
    details = {name: value for name, value in (details or {}).items() if name != "tokens"}
    out = Fraction(width * height, MEGAPIXEL)
    inputs = [Fraction(w * h, MEGAPIXEL) for w, h in input_sizes]
    amount = Fraction(price)
    match unit:
        case "image":
            per_image = amount
        case "megapixel":
            per_image = amount * out + Fraction(str(details.get("input", 0))) * sum(inputs)
        case "megapixel-started":
            per_image = amount * _started(out) + Fraction(str(details.get("input", 0))) * sum(map(_started, inputs))
        case "megapixel-in-out":
            per_image = amount * (out + sum(inputs))
        case "megapixel-first":
            further = _started(out) - 1 + sum(map(_started, inputs))
            per_image = amount + Fraction(str(details.get("extra", 0))) * further
        case "image-by-tier":
            per_image = _by_tier(details, width, height, amount)
        case "image-by-quality":
            per_image = _by_quality(details, quality, width, height, amount)
        case _:
            raise ValueError(f"price unit: {unit!r} is not known; write one of {', '.join(UNITS)}")
    return _decimal(per_image * n)


def tokens_of(usage: Mapping[str, Any]) -> dict[str, int] | None:
    """The tokens of an answer by TOKEN_KINDS, from the usage of OpenAI's or Google's API; None when it cannot be read.

    Input that is not broken down is text, output is images; what a model thinks is billed as text. An image without
    tokens was not counted: proxies send zeros.
    """
    if not all(isinstance(usage.get(name, 0), int) for name in _TOTALS):
        return None
    if "output_tokens" in usage:  # OpenAI: input_tokens_details, output_tokens_details
        inputs, outputs = usage.get("input_tokens", 0), usage["output_tokens"]
        image_input = _count(usage, "input_tokens_details", "image_tokens")
        text_output = _count(usage, "output_tokens_details", "text_tokens")
    elif "candidatesTokenCount" in usage:  # Google
        inputs = usage.get("promptTokenCount", 0)
        thoughts = usage.get("thoughtsTokenCount", 0)
        outputs = usage["candidatesTokenCount"] + thoughts
        image_input = _count(usage, "promptTokensDetails", "IMAGE")
        text_output = _count(usage, "candidatesTokensDetails", "TEXT") + thoughts
    else:
        return None
    counts = (inputs - image_input, image_input, text_output, outputs - text_output)
    if min(counts) < 0 or not counts[-1]:
        return None
    return dict(zip(TOKEN_KINDS, counts, strict=True))


def _count(usage: Mapping[str, Any], group: str, name: str) -> int:
    counts = usage.get(group)
    value = counts.get(name, 0) if isinstance(counts, Mapping) else 0
    return value if isinstance(value, int) else 0


def price_of_tokens(usage: Mapping[str, Any], details: Mapping[str, Any]) -> Decimal | None:
    """The bill in USD by the tokens of an answer; None without prices per token, or for a kind that has no price."""
    prices, counts = details.get("tokens"), tokens_of(usage)
    if not prices or counts is None or any(count and kind not in prices for kind, count in counts.items()):
        return None
    amount = sum((Fraction(str(prices[kind])) * count for kind, count in counts.items() if count), Fraction(0))
    return _decimal(amount / 1_000_000)


def _started(megapixels: Fraction) -> int:
    return max(1, ceil(megapixels / (1 + TOLERANCE)))


def _by_quality(
    tables: Mapping[str, Any], quality: str | None, width: int, height: int, otherwise: Fraction
) -> Fraction:
    """Of a quality that the table does not name, such as "auto", the dearest: a budget must hold for any of them."""
    if quality is None or quality in tables:
        return _by_tier(tables.get(quality or ""), width, height, otherwise)
    return max([otherwise, *(_by_tier(table, width, height, otherwise) for table in tables.values())])


def _by_tier(table: Any, width: int, height: int, otherwise: Fraction) -> Fraction:
    """An amount, or the amount of the nearest tier or size in a table; the headline price when there is neither."""
    if isinstance(table, Mapping) and table:
        area = Fraction(width * height)
        table = table[min(table, key=lambda key: (max(area / _area(key), _area(key) / area), _area(key)))]
    return Fraction(str(table)) if table else otherwise


def _area(key: str) -> int:
    if "x" in key:
        width, height = pixels_of(key)
        return width * height
    return area_of(key)


def _decimal(value: Fraction) -> Decimal:
    return rounded(Decimal(value.numerator) / Decimal(value.denominator))


def rounded(amount: Decimal) -> Decimal:
    """To the digits the columns keep."""
    return amount.quantize(_CENT_FRACTION, ROUND_HALF_UP)


def check(price: Decimal | None, unit: str, details: Any) -> list[str]:
    """What is wrong with a price, in words; empty when it can be computed with."""
    if unit not in UNITS:
        return [f"price unit {unit!r} is not known; write one of {', '.join(UNITS)}"]
    problems = [] if price is None or price >= 0 else [f"price {price} is negative"]
    if not isinstance(details, Mapping):
        return [*problems, "price_details must be a table"]
    if "tokens" in details:
        problems += _check_tokens(details["tokens"])
        details = {name: value for name, value in details.items() if name != "tokens"}
    allowed = {"megapixel": {"input"}, "megapixel-started": {"input"}, "megapixel-first": {"extra"}}.get(unit, set())
    match unit:
        case "image-by-tier":
            problems += _check_table("price_details", details)
        case "image-by-quality":
            for quality, value in details.items():
                where = f"price_details.{quality}"
                problems += _check_table(where, value) if isinstance(value, Mapping) else _check_amount(where, value)
        case _:
            for name, value in details.items():
                if name not in allowed:
                    problems.append(f"price_details.{name} means nothing for the unit {unit!r}")
                else:
                    problems += _check_amount(f"price_details.{name}", value)
    if unit in ("megapixel-first", "image-by-tier", "image-by-quality") and price is not None and not details:
        problems.append(f"price_details is empty, but the unit {unit!r} needs its further numbers there")
    return problems


def _check_tokens(prices: Any) -> list[str]:
    if not isinstance(prices, Mapping) or not prices:
        return ["price_details.tokens must be a table of USD per million tokens"]
    problems = []
    for kind, amount in prices.items():
        where = f"price_details.tokens.{kind}"
        known = ", ".join(TOKEN_KINDS)
        problems += _check_amount(where, amount) if kind in TOKEN_KINDS else [f"{where} is not one of {known}"]
    return problems


def _check_table(where: str, table: Mapping[str, Any]) -> list[str]:
    problems = []
    for tier, amount in table.items():
        try:
            _area(tier)
        except ValueError as error:
            problems.append(f"{where}: {error}")
        problems += _check_amount(f"{where}.{tier}", amount)
    return problems


def _check_amount(where: str, amount: Any) -> list[str]:
    """Amounts are text: a float would carry its binary rounding into every bill."""
    if isinstance(amount, str):
        try:
            value = Decimal(amount)
        except InvalidOperation:
            value = Decimal("NaN")
        if value.is_finite() and value >= 0:
            return []
    return [f"{where}: {amount!r} is not an amount; write US dollars as text, like '0.015'"]


def usd(amount: Decimal | float | None) -> str:
    """An amount in US dollars with as many digits as it needs: $0.006, $0.04, $1.50, $2,817.00; a dash for None."""
    if amount is None:
        return "–"
    text = f"{amount:,.4f}".rstrip("0")
    whole, _, cents = text.partition(".")
    return f"${whole}.{cents.ljust(2, '0')}"
