"""What the templates of charts need beyond the marks: numbers of the tables below them."""

from __future__ import annotations

import math

from django import template
from django.utils.translation import gettext

from leaderboard.board.history import EloPoint
from leaderboard.board.translation import translated
from leaderboard.charts import Axis, Point

register = template.Library()


@register.filter
def interval_of(point: Point | EloPoint) -> str:
    bounded = math.isfinite(point.upper - point.lower)
    return f"{point.lower:.0f}–{point.upper:.0f}" if bounded else gettext("no bounds yet")


@register.filter
def written(value: float, axis: Axis) -> str:
    return translated(axis.write(value))
