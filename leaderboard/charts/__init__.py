"""Charts: numbers → frozen marks, which templates/leaderboard/charts/ write as SVG or as a table.

Everything in this package is pure: no database, no clock, no randomness, so the same numbers draw the same picture.
A chart comes in two frames, WIDE (HALF where two stand side by side) and NARROW, because one picture scaled down to a
phone has letters nobody can read; a container query shows the one that fits. Colours are classes
(static/css/charts.css), never attributes.

    scatter   Elo against cost or speed: intervals, the Pareto line, labels that do not collide
    history   Elo over time with its band
    forest    intervals of some models under each other
    heatmap   head-to-head shares as a table with step classes
    spark     one small series, such as a provider's median by day
"""

from .forest import Forest, ForestRow, forest
from .frames import HALF, NARROW, WIDE, Frame
from .heatmap import heatmap
from .history import History, Moment, Series, history
from .scatter import COST, SPEED, Axis, Point, Unrated, pareto, scatter
from .spark import Spark, spark

__all__ = [
    "COST",
    "HALF",
    "NARROW",
    "SPEED",
    "WIDE",
    "Axis",
    "Forest",
    "ForestRow",
    "Frame",
    "History",
    "Moment",
    "Point",
    "Series",
    "Spark",
    "Unrated",
    "forest",
    "heatmap",
    "history",
    "pareto",
    "scatter",
    "spark",
]
