"""What axes and small pictures say: days, dollars, seconds, shares."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from leaderboard.charts import days, ticks
from leaderboard.charts.heatmap import Meeting, Side, heatmap, step_of
from leaderboard.charts.spark import HEIGHT, spark


@pytest.mark.parametrize(
    ("at", "texts"),
    [
        (datetime(2026, 11, 3, 14, 5, tzinfo=UTC), ("14:05", "3 Nov", "Nov 2026", "3 Nov 2026")),
        (datetime(2026, 1, 31, 0, 0, tzinfo=UTC), ("00:00", "31 Jan", "Jan 2026", "31 Jan 2026")),
        (datetime(1999, 12, 1, 23, 59, tzinfo=UTC), ("23:59", "1 Dec", "Dec 1999", "1 Dec 1999")),
    ],
)
def test_days_and_times(at, texts):
    assert (days.hour(at), days.short(at), days.month(at), days.full(at)) == texts


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (ticks.seconds(0.944), "0.94 s"),
        (ticks.seconds(9.94), "9.9 s"),
        (ticks.seconds(10), "10 s"),
        (ticks.seconds(119.4), "119 s"),
        (ticks.seconds(120), "2 min"),
        (ticks.seconds(150), "2.5 min"),
        (ticks.dollars(0.005), "$0.005"),
        (ticks.dollars(0.2), "$0.20"),
        (ticks.dollars(0.999), "$1.00"),
        (ticks.dollars(1), "$1"),
        (ticks.dollars(1234.5), "$1,234.50"),
    ],
)
def test_ticks(written, text):
    assert written == text


@pytest.mark.parametrize(
    ("low", "high", "most", "at"),
    [
        (0, 100, 6, [0, 20, 40, 60, 80, 100]),
        (0, 100, 5, [0, 25, 50, 75, 100]),
        (0, 100, 3, [0, 50, 100]),
        (990, 1010, 5, [990, 995, 1000, 1005, 1010]),
        (1, 1, 5, [1]),
        (1, 9, 1, [1]),
    ],
)
def test_even_steps_are_round(low, high, most, at):
    assert ticks.linear(low, high, most) == at


def test_a_spark_says_its_last_value_and_its_extremes():
    drawn = spark([2.0, 4.0, 1.0, 3.0], "{:.0f} s".format, low=0.0, high=4.0)
    assert drawn is not None
    assert drawn.summary == "last 3 s, lowest 1 s, highest 4 s"
    assert drawn.paths == ("M5 28L81.7 5L158.3 39.5L235 16.5",)
    assert drawn.end == (235.0, 16.5)
    assert drawn.fills == (f"M5 {HEIGHT:.0f}L5 28L81.7 5L158.3 39.5L235 16.5L235 {HEIGHT:.0f}Z",)


def test_a_spark_of_one_value_or_of_equals_stands_in_the_middle():
    one, equal = spark([7.0], str), spark([7.0, 7.0], str)
    assert one is not None
    assert equal is not None
    assert (one.single, one.paths) == (((120.0, 28.0),), ())
    assert equal.paths == ("M5 28L235 28",)


@pytest.mark.parametrize(
    ("share", "votes", "text", "is_few"),
    [(0.65, 10, "65", False), (0.65, 9, "65", True), (1.0, 40, "100", False), (0.0, 1, "0", True)],
)
def test_a_cell_is_pale_below_ten_votes(share, votes, text, is_few):
    sides = [Side(1, "Kite", "/k/"), Side(2, "Tern", "/t/")]
    (first, _) = heatmap(sides, {(1, 2): Meeting(share, votes)}).lines
    cell = first.cells[1]
    assert (cell.text, cell.few, cell.step) == (text, is_few, round(share * 20))
    things = "1 vote" if votes == 1 else f"{votes} votes"
    assert cell.title == f"Kite gets {text}% of {things} against Tern"
    assert first.cells[0].same


@pytest.mark.parametrize(("share", "step"), [(-0.1, 0), (0.024, 0), (0.026, 1), (0.5, 10), (0.976, 20), (1.2, 20)])
def test_shades_are_steps_of_five_per_cent(share, step):
    assert step_of(share) == step
