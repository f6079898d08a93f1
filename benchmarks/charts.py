"""What the charts of a model's page cost: laid out and written, both charts in both frames with their tables.

    python -m benchmarks.charts

CPU time, the best of some runs, beside writing as many elements with the standard library's ElementTree, which knows
neither where a label has room nor how to draw an axis. With 60 models the target is 25 ms; pages keep what was drawn
until the board is computed again.
"""

from __future__ import annotations

import gzip
import os
import random
from collections.abc import Callable
from functools import partial
from time import process_time
from xml.etree import ElementTree as ET

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django

from benchmarks.programs import with_services

with_services()
django.setup()

from leaderboard import charts  # noqa: E402 – once Django is set up
from leaderboard.board_page.scatter import Landscape, Picture  # noqa: E402 - once Django is set up
from leaderboard.profiles.scatter import draw  # noqa: E402 - once Django is set up

RUNS, TARGET = 9, 25.0


def main() -> None:
    print(
        f"{'models':>6} {'layout':>9} {'drawn':>9} {'ElementTree':>12} {'ratio':>6} {'labels':>7} {'HTML':>8} {'gz':>7}"
    )
    for count in (20, 60, 200):
        points = _points(count)
        html = _drawn(points)
        layout = _best(partial(_layout, points))
        drawn = _best(partial(_drawn, points))
        reference = _best(partial(_elements, html.count("<")))
        wide = charts.scatter(points)
        assert wide is not None
        labels = sum(dot.label is not None for dot in wide.dots)
        print(
            f"{count:>6} {2 * layout:>6.1f} ms {drawn:>6.1f} ms {reference:>9.1f} ms {drawn / reference:>6.1f} "
            f"{labels:>3}/{count:<3} {len(html) / 1000:>5.0f} KB {len(gzip.compress(html.encode(), 6)) / 1000:>4.0f} KB"
        )
        if count == 60:
            met = "met" if drawn <= TARGET else "MISSED"
            print(f"       target for 60 models: {TARGET:.0f} ms, {met}")


def _layout(points: list[charts.Point]) -> list[object]:
    return [charts.scatter(points, frame=frame) for frame in (charts.WIDE, charts.NARROW)]


def _drawn(points: list[charts.Point]) -> str:
    """As a model's page does it: both charts laid out in both frames, and written with their tables."""
    pictures = [
        Picture(
            charts.scatter(points, axis, charts.WIDE),
            charts.scatter(points, axis, charts.NARROW),
            tuple(points),
            ("1 model without pricing omitted.",),
            axis,
        )
        for axis in (charts.COST, charts.SPEED)
    ]
    return draw(Landscape(*pictures))


def _points(count: int) -> list[charts.Point]:
    dice = random.Random(3)
    points = []
    for n in range(count):
        elo, half = dice.gauss(1150, 60), dice.uniform(8, 30)
        name = f"{dice.choice(['FLUX', 'Photon HD', 'Seedream', 'GPT Image', 'Z-Image Turbo', 'SD'])} {dice.randint(1, 60)}"
        price = dice.lognormvariate(-3.6, 1) + 0.001
        points.append(charts.Point(name, f"/models/model-{n}/", price, elo, elo - half, elo + half))
    return points


def _elements(count: int) -> bytes:
    root = ET.Element("svg", viewBox="0 0 880 500")
    for n in range(count // 2):  # every element has two tags
        ET.SubElement(root, "circle", cx=f"{n * 1.3:.1f}", cy=f"{n * 0.7:.1f}", r="4.5").text = "a name"
    return bytes(ET.tostring(root))


def _best(run: Callable[[], object]) -> float:
    """Milliseconds of CPU."""
    times = []
    for _ in range(RUNS):
        began = process_time()
        run()
        times.append(process_time() - began)
    return min(times) * 1000


if __name__ == "__main__":
    main()
