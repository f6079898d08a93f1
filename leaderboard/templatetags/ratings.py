"""Ratings in templates: a model's rating in a category, and numbers the way the pages write them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django import template
from django.utils.html import format_html

from leaderboard.board import place_words, translation
from leaderboard.models import Rating
from leaderboard.rating import elo as elo_scale
from leaderboard.rating.place import Place
from leaderboard.voter.rankings import RankedModel
from providers.web import numbers

register = template.Library()


@dataclass(frozen=True, slots=True)
class Bar:
    """An interval drawn between the ends of its board, in per cent of the width."""

    start: float
    width: float
    point: float
    average: float | None = None  # Elo 1000, if the axis has it


@register.simple_tag
def place(place: Place, form: str = "text") -> str:
    """A model's place, the only way a template shows a rank.

    `{% place standing.place %}` in running text; `{% place standing.place "cell" %}`: the two lines of a table's cell.
    """
    if form == "cell":
        return format_html(
            '<span class="place">{}</span> <small>{}</small>',
            place_words.bounds(place),
            place_words.detail(place),
        )
    return place_words.text(place)


@register.filter
def translated(text: str) -> str:
    """A sentence of the pure modules in the reader's language."""
    return translation.translated(text)


@register.filter
def signed(number: float) -> str:
    """+1.6, −0.4"""
    sign = "−" if number < 0 else "+"
    return f"{sign}{numbers.decimal(abs(number), 1)}"


@register.filter
def whole_signed(number: float) -> str:
    """A change in whole Elo, with its sign; half a point is none."""
    return "±0" if abs(number) <= 0.5 else f"{number:+.0f}".replace("-", "−")


@register.filter
def half_width(rating: Rating) -> str:
    """The ± of a rating's 95 % interval: its wider half, since near the ends of a board the two differ."""
    wider = max(rating.upper - rating.elo, rating.elo - rating.lower)
    return f"{wider:.0f}" if math.isfinite(wider) else "∞"


@register.filter
def is_placed(rating: Rating) -> bool:
    """Whether the rating has an interval. Without one the model has no place."""
    return rating.is_placed


@register.simple_tag
def bar(rating: Rating | RankedModel, low: float, high: float) -> Bar:
    span = high - low
    if not math.isfinite(span) or span <= 0:
        return Bar(0, 100, 50)

    def across(elo: float) -> float:
        return min(100.0, max(0.0, (elo - low) / span * 100))

    start = across(rating.lower)
    average = round(across(elo_scale.MEAN), 2) if low < elo_scale.MEAN < high else None
    return Bar(round(start, 2), round(across(rating.upper) - start, 2), round(across(rating.elo), 2), average)


register.filter(numbers.percent)
register.filter("thousands", numbers.whole)


@register.filter
def chance(probability: float) -> str:
    """A chance in whole per cent, without claiming certainty or impossibility that 10,000 draws cannot show."""
    if probability <= 0.005:
        return f"<{numbers.percent(0.01)}"
    return f">{numbers.percent(0.99)}" if probability >= 0.995 else numbers.percent(probability)


@register.filter
def share_of(part: int, whole: int) -> str:
    """A share in per cent with as many decimals as it takes to be seen."""
    per_cent = 100 * part / whole if whole else 0.0
    text = numbers.decimal(per_cent, 0) if per_cent >= 10 else numbers.significant(per_cent, 2)
    return numbers.per_cent(text)


@register.filter
def is_finite(number: float | None) -> bool:
    return number is not None and math.isfinite(number)


@register.filter
def of(numbers: dict[str, float], key: str) -> float | None:
    return numbers.get(key)


@register.simple_tag
def mark(elo: float, low: float, high: float) -> float:
    """Where an Elo stands between the ends of its board, in per cent of the width; at the edge when it is beyond."""
    span = high - low
    return round(min(100.0, max(0.0, (elo - low) / span * 100)), 2) if math.isfinite(span) and span > 0 else 50.0
