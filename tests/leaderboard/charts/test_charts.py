"""Charts: what is drawn is true, legible, deterministic and well-formed, whatever the numbers and the names."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from itertools import combinations, pairwise
from xml.etree import ElementTree as ET

import pytest
from django.template.loader import render_to_string
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from leaderboard import charts
from leaderboard.charts import NARROW, WIDE, ForestRow, Moment, Point, Series, text, ticks
from leaderboard.charts.heatmap import Meeting, Side, step_of

NAMES = st.one_of(
    st.sampled_from(
        ["FLUX.2 [klein] 9B", "GPT Image 1 mini", "SD", '"><script>alert(1)</script>', "a&b <i>", "模型 一号", ""]
    ),
    st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="\ufffe\uffff"), max_size=60),
)
ELOS = st.floats(400, 1800)


@st.composite
def points(draw, most=40):
    points = []
    for index in range(draw(st.integers(1, most))):
        elo, half = draw(ELOS), draw(st.one_of(st.floats(1, 300), st.just(math.inf)))
        points.append(
            Point(
                draw(NAMES),
                f"/models/m-{index}/",
                draw(st.one_of(st.floats(1e-4, 50), st.sampled_from([0.006, 0.04]))),
                elo,
                elo - half,
                elo + half,
                provisional=draw(st.booleans()),
            )
        )
    if draw(st.booleans()):
        points[0] = Point("This one", "/models/m-0/", points[0].x, points[0].elo, -math.inf, math.inf, current=True)
    return points


def parsed(svg):
    return ET.fromstring(svg)  # noqa: S314 – our own output, which has to be XML


quick = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@quick
@given(points(), st.sampled_from([WIDE, NARROW]))
def test_labels_cover_neither_each_other_nor_any_mark_and_stay_in_the_picture(given_points, frame):
    chart = charts.scatter(given_points, frame=frame)
    boxes = [dot.label.box for dot in chart.dots if dot.label]
    assert all(frame.box.contains(box) for box in boxes)
    assert not [pair for pair in combinations(boxes, 2) if pair[0].overlaps(pair[1])]
    for dot in chart.dots:
        for box in boxes:  # the nearest place of the box is outside the circle, half a pixel of rounding aside
            x, y = min(max(dot.x, box.left), box.right), min(max(dot.y, box.top), box.bottom)
            assert math.hypot(dot.x - x, dot.y - y) >= dot.radius - 0.1


@quick
@given(points(), st.sampled_from([WIDE, NARROW]))
def test_every_mark_and_every_interval_is_inside_the_plot(given_points, frame):
    chart = charts.scatter(given_points, frame=frame)
    assert len(chart.dots) == len(given_points)
    for dot in chart.dots:
        assert chart.plot.left <= dot.x <= chart.plot.right
        assert chart.plot.top <= dot.y <= chart.plot.bottom
    for tick in chart.x_ticks:
        assert chart.plot.left <= tick.at <= chart.plot.right
    for tick in chart.y_ticks:
        assert chart.plot.top <= tick.at <= chart.plot.bottom
    assert ticks.apart([(tick.at, tick.text) for tick in chart.x_ticks], 0)
    assert len({tick.text for tick in chart.x_ticks}) == len(chart.x_ticks)


@quick
@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), min_size=1, max_size=30))
def test_the_pareto_line_joins_exactly_the_models_that_no_other_beats(pairs):
    def beaten(i):
        return any(
            x <= pairs[i][0] and y >= pairs[i][1] and (x, y) != pairs[i] for j, (x, y) in enumerate(pairs) if j != i
        )

    assert sorted(charts.pareto(pairs)) == [i for i in range(len(pairs)) if not beaten(i)]


@quick
@given(points(most=12))
def test_a_scatter_is_well_formed_whatever_the_names_and_the_same_every_time(given_points):
    context = {"id": "c", "title": "Elo versus <cost>", "column": "Cost"}
    picture = {"axis": charts.COST, "points": given_points}
    drawn = []
    for _ in range(2):
        frames = {frame.name: charts.scatter(given_points, frame=frame) for frame in (WIDE, NARROW)}
        drawn.append(render_to_string("leaderboard/charts/scatter.html", context | {"picture": picture | frames}))
    assert drawn[0] == drawn[1]
    assert "<script" not in drawn[0]
    assert "style=" not in drawn[0]
    svg = parsed(drawn[0][drawn[0].index("<svg") : drawn[0].index("</svg>") + 6])
    links = svg.findall(".//a")
    assert {link.get("href") for link in links} == {point.url for point in given_points}
    assert all(link.findtext("title") for link in links)


def test_a_point_without_a_place_on_the_axis_is_refused():
    for x in (0, -1, math.nan, math.inf):
        with pytest.raises(ValueError, match="above 0"):
            charts.scatter([Point("A", "/a/", x, 1000, 990, 1010)])
    assert charts.scatter([]) is None


def test_the_current_model_is_named_first_and_painted_last():
    crowd = [Point(f"Model {n}", f"/models/{n}/", 0.01, 1000, 990, 1010) for n in range(9)]
    chart = charts.scatter([*crowd[:4], Point("This one", "/this/", 0.01, 1000, 990, 1010, current=True), *crowd[4:]])
    assert chart.dots[-1].kind == "current"
    assert chart.dots[-1].label.text == "This one"


@pytest.mark.parametrize(
    ("values", "written"),
    [
        ((0.004, 0.3), ["$0.005", "$0.01", "$0.02", "$0.05", "$0.10", "$0.20"]),
        ((0.039, 0.041), ["$0.03", "$0.035", "$0.04", "$0.045", "$0.05", "$0.055"]),
        ((0.03, 0.03), ["$0.025", "$0.03", "$0.035", "$0.04"]),
    ],
)
def test_a_log_axis_has_round_ticks_that_leave_room_for_each_other(values, written):
    chart = charts.scatter([Point(str(x), "/", x, 1000, 990, 1010) for x in values])
    assert [tick.text for tick in chart.x_ticks] == written


@quick
@given(st.floats(1e-6, 1e4), st.floats(1.0001, 1e6))
def test_ticks_never_fail_and_stay_within_their_axis(low, ratio):
    values = ticks.logarithmic(low, low * ratio, lambda values: len(values) < 9)
    assert all(low * 0.99 <= value <= low * ratio * 1.01 for value in values)
    for value in ticks.linear(low, low * ratio, 8):
        assert low * 0.99 <= value <= low * ratio * 1.01


def test_widths_follow_the_typeface_and_long_names_are_shortened():
    assert text.width("iiii", 12) < text.width("mmmm", 12)
    assert text.width("Elo", 12) < text.width("Elo", 12, bold=True)
    short = text.shortened("A name that goes on and on", 12, 60)
    assert short.endswith("…")
    assert text.width(short, 12) <= 60
    assert text.shortened("Short", 12, 60) == "Short"


START = datetime(2026, 9, 1, tzinfo=UTC)


@st.composite
def histories(draw):
    histories = []
    for _ in range(draw(st.integers(1, 5))):
        hours = sorted(draw(st.sets(st.integers(0, 4000), min_size=1, max_size=30)))
        histories.append(
            Series(
                draw(NAMES),
                [
                    Moment(START + timedelta(hours=h), e := draw(ELOS), e - (w := draw(st.floats(1, 2000))), e + w)
                    for h in hours
                ],
            )
        )
    return histories


@quick
@given(histories(), st.sampled_from([WIDE, NARROW]))
def test_a_history_stays_in_its_frame_and_its_names_keep_apart(series, frame):
    chart = charts.history(series, frame)
    if chart is None:
        assert all(len(line.moments) < 2 for line in series)
        return
    for line in chart.lines:
        for pair in line.path.removeprefix("M").split("L"):
            x, y = map(float, pair.split())
            assert chart.plot.left - 0.1 <= x <= chart.plot.right + 0.1
            assert chart.plot.top - 0.1 <= y <= chart.plot.bottom + 0.1
    places = sorted(line.label_y for line in chart.lines)
    assert all(b - a >= frame.letters for a, b in pairwise(places))
    parsed(render_to_string("leaderboard/charts/_history_svg.html", {"chart": chart, "title": "Elo & time"}))


@quick
@given(st.lists(st.tuples(NAMES, ELOS, st.one_of(st.floats(1, 900), st.just(math.inf))), min_size=1, max_size=12))
def test_a_forest_keeps_every_whisker_inside_and_says_which_go_on(rows):
    chart = charts.forest([ForestRow(name, "/m/", elo, elo - half, elo + half) for name, elo, half in rows])
    for whisker in chart.whiskers:
        assert chart.plot.left <= whisker.start <= whisker.point <= whisker.end <= chart.plot.right
    assert all(whisker.open_left for whisker, row in zip(chart.whiskers, rows, strict=True) if row[2] == math.inf)
    parsed(render_to_string("leaderboard/charts/_forest_svg.html", {"chart": chart, "title": "x"}))


def test_a_heat_map_says_nothing_about_pairs_that_never_met():
    a, b, c = (Side(key, name, f"/models/{name}/") for key, name in enumerate("abc"))
    chart = charts.heatmap([a, b, c], {(0, 1): Meeting(0.75, 1), (1, 0): Meeting(0.25, 1), (0, 2): Meeting(0.5, 0)})
    assert [cell.text for cell in chart.lines[0].cells] == ["", "75", "–"]
    assert chart.lines[0].cells[1].step == 15
    assert chart.lines[0].cells[1].title == "a gets 75% of 1 vote against b"
    assert (step_of(0), step_of(0.5), step_of(1)) == (0, 10, 20)


def test_a_spark_leaves_gaps_where_days_have_no_data():
    chart = charts.spark([1, 2, None, 3, None, 2, 4], str)
    assert len(chart.paths) == 2
    assert len(chart.single) == 1
    assert chart.summary == "last 4, lowest 1, highest 4"
    assert charts.spark([None, None], str) is None
    assert charts.spark([5.0], str).end == (120.0, 28.0)
