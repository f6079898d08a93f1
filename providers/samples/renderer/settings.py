"""The settings: how each place is furnished for a picture, and where its subjects stand."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from providers.samples.renderer import indoors
from providers.samples.renderer.colour import Palette, darker, lighter, mix, rgb
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.figures import burgers, creatures, things, trains
from providers.samples.renderer.places import (
    cosmos,
    flames,
    gardens,
    highlands,
    islands,
    shores,
    sky,
    streets,
    woods,
)
from providers.samples.renderer.prompt import Brief
from providers.samples.renderer.shapes import Layer, Scene, Shape, add, ellipse, many, one, placed, ridge


def _mountains(scene: Scene, brief: Brief, rng: Rng, subjects: list[str], headline: bool) -> None:
    frame = scene.frame
    horizon = frame.h * (0.6 if headline else 0.55)
    if scene.palette.dark:
        sky.stars(scene, rng, horizon)
        sky.moon(scene, frame.w * 0.7, frame.h * 0.2, 0.055)
    else:
        sky.sun(scene, frame.w * rng.uniform(0.56, 0.66), horizon - 0.27, 0.06, rays=True)
        sky.clouds(scene, rng, horizon * 0.55, 4, alpha=0.55, below=headline)
    sky.birds(scene, rng, frame.w * 0.3, horizon - 0.26)
    highlands.mountains(scene, rng, horizon)
    if "boat" in subjects or not subjects:
        add(scene, 0.85, placed(things.rowing_boat(scene.palette, rng), frame.w * 0.36, frame.h * 0.77, 0.24))
    firs = [
        highlands.pine(x, frame.h + 0.04, rng.uniform(0.24, 0.42), rng)
        for x in (0.02, 0.1, frame.w - 0.13, frame.w - 0.03)
    ]
    add(
        scene,
        1.0,
        [many(firs, mix(scene.palette.near, scene.palette.mid, 0.15), darker(scene.palette.near, 0.3), grain=0.1)],
    )


def _forest(scene: Scene, brief: Brief, rng: Rng, subjects: list[str], headline: bool) -> None:
    frame = scene.frame
    (sky.moon if scene.palette.dark else sky.sun)(scene, frame.w * 0.56, frame.h * 0.24, 0.07)
    woods.forest(scene, rng, frame.h * 0.62)
    if "fox" in subjects:
        add(
            scene,
            0.88,
            placed(
                creatures.sleeping_fox(scene.palette, rng), frame.w * 0.5, frame.h * 0.76, min(0.54, frame.w * 0.55)
            ),
        )
    elif "robot" in subjects:
        add(
            scene, 0.88, placed(creatures.robot(scene.palette, rng, gardener=False), frame.w * 0.5, frame.h * 0.64, 0.5)
        )
    woods.ferns(scene, rng, frame.h + 0.03)
    add(
        scene,
        1.0,
        [sky.fog(frame, frame.h * 0.87, 0.1, mix(scene.palette.sky[2], scene.palette.light, 0.4), 0.3, rng)],
    )


def _sea(scene: Scene, brief: Brief, rng: Rng, subjects: list[str], headline: bool) -> None:
    frame, wild = scene.frame, 1.0 if scene.mood == "storm" else 0.3
    horizon = frame.h * 0.58
    if scene.mood == "storm":
        sky.storm_sky(scene, rng, horizon)
    elif scene.palette.dark:
        sky.stars(scene, rng, horizon)
        sky.moon(scene, frame.w * 0.25, frame.h * 0.24, 0.07)
    else:
        sky.sun(scene, frame.w * 0.28, horizon - 0.14, 0.08, rays=True)
        sky.clouds(scene, rng, horizon * 0.7, 5, below=headline)
    before = len(scene.layers)
    shores.sea(scene, rng, horizon, wild)
    if "lighthouse" in subjects or not subjects:
        tower = Layer(
            0.62,
            placed(
                things.lighthouse(scene.palette, rng),
                frame.w * 0.68,
                horizon + (0.01 if headline else -0.07),
                0.6 if headline else 0.74,
            ),
        )
        scene.layers.insert(before + 5, tower)  # the nearest waves break in front of its rock
    if "boat" in subjects:
        add(scene, 0.9, placed(things.rowing_boat(scene.palette, rng), frame.w * 0.28, frame.h * 0.8, 0.22, turn=-0.12))
    gulls = [
        creatures.gull(frame.w * rng.uniform(0.1, 0.6), horizon * rng.uniform(0.35, 0.85), rng.uniform(0.02, 0.045))
        for _ in range(5)
    ]
    add(scene, 0.4, [many(gulls, lighter(scene.palette.sky[2], 0.6), detail=True)])


def _desert(scene: Scene, brief: Brief, rng: Rng, subjects: list[str], headline: bool) -> None:
    frame = scene.frame
    horizon = frame.h * (0.62 if headline else 0.56)
    if scene.palette.dark:
        sky.stars(scene, rng, horizon)
        sky.moon(scene, frame.w * 0.3, frame.h * 0.3, 0.08)
    else:
        sky.sun(scene, frame.w * 0.3, horizon - 0.1, 0.1, rays=True)
        sky.clouds(scene, rng, horizon * 0.8, 4, alpha=0.6, below=headline)
    shores.dunes(scene, rng, horizon)
    lift = 0.16 if headline else 0.0
    if "balloon" in subjects:
        for x, y, s, tint in (
            (0.66, 0.36, 0.42, scene.palette.accent),
            (0.25, 0.42, 0.25, scene.palette.accent2),
            (0.88, 0.2, 0.16, rgb("f2b134")),
            (0.46, 0.26, 0.12, rgb("7a4fa3")),
        ):
            add(
                scene,
                0.3 + s,
                placed(
                    things.balloon(scene.palette, rng, tint),
                    frame.w * x,
                    frame.h * (y + lift * 0.5),
                    s,
                    rng.normal(0, 0.04),
                ),
            )
    if "kite" in subjects or not subjects:
        at = (
            (frame.w * 0.44, frame.h * (0.5 + lift * 0.7))
            if "balloon" in subjects
            else (frame.w * 0.62, frame.h * (0.34 + lift))
        )
        add(scene, 0.8, placed(things.kite(scene.palette, rng), *at, 0.3, 0.35))


def _garden(scene: Scene, brief: Brief, rng: Rng, subjects: list[str], headline: bool) -> None:
    frame = scene.frame
    horizon = frame.h * 0.58
    if scene.palette.dark:
        sky.stars(scene, rng, horizon)
        sky.moon(scene, frame.w * 0.72, frame.h * (0.42 if headline else 0.2), 0.1)
    else:
        sky.sun(scene, frame.w * 0.72, frame.h * (0.44 if headline else 0.24), 0.085, rays=True)
        sky.clouds(scene, rng, horizon * 0.75, 4, below=headline)
    gardens.garden(scene, rng, horizon)
    if scene.palette.dark:
        flies = [
            ellipse(rng.uniform(0, frame.w), rng.uniform(horizon, frame.h * 0.95), 0.0035, n=10) for _ in range(44)
        ]
        add(scene, 0.7, [many(flies, rgb("ffe98a"), light=1.0, detail=True)])
    if "robot" in subjects:
        figure = Layer(0.78, placed(creatures.robot(scene.palette, rng), frame.w * 0.43, frame.h * 0.68, 0.5))
        scene.layers.insert(len(scene.layers) - 2, figure)


def _city(scene: Scene, brief: Brief, rng: Rng, subjects: list[str], headline: bool) -> None:
    frame = scene.frame
    sky.stars(scene, rng, frame.h * 0.4, 60)
    streets.city(scene, rng, frame.h * 0.68)
    streets.people(scene, rng, frame.h * 0.87, 3 if "people" in subjects or brief.about("rain", "rainy") else 1)


def _space(scene: Scene, brief: Brief, rng: Rng, subjects: list[str], headline: bool) -> None:
    frame = scene.frame
    cosmos.space(scene, rng, 0.0)
    if "cat" in subjects:
        cosmos.planet(scene, frame.w * 0.76, frame.h * (0.4 if headline else 0.3), 0.17, rng)
        add(scene, 0.8, placed(creatures.cat_astronaut(scene.palette, rng), frame.w * 0.4, frame.h * 0.57, 0.7, -0.14))
    else:
        cosmos.planet(scene, frame.w * 0.53, frame.h * 0.54, 0.24, rng)
    if "robot" in subjects:
        add(
            scene,
            0.8,
            placed(creatures.robot(scene.palette, rng, gardener=False), frame.w * 0.3, frame.h * 0.62, 0.4, -0.2),
        )
    grey = mix(scene.palette.far, rgb("d8d4e8"), 0.4)
    moonlet = [one(ellipse(frame.w * 0.13, frame.h * 0.8, 0.075), grey, darker(grey, 0.5), volume=1.3, grain=0.12)]
    moonlet.append(
        many(
            [
                ellipse(frame.w * 0.13 + dx, frame.h * 0.8 + dy, r)
                for dx, dy, r in ((-0.02, -0.02, 0.016), (0.03, 0.02, 0.02), (-0.03, 0.035, 0.011))
            ],
            darker(grey, 0.3),
            detail=True,
        )
    )
    add(scene, 0.5, moonlet)


def _fire(scene: Scene, brief: Brief, rng: Rng, subjects: list[str], headline: bool) -> None:
    frame = scene.frame
    flames.fire(scene, rng, 0.0)
    if "burger" in subjects:
        size = 0.66 if headline else 0.9
        add(
            scene,
            0.8,
            placed(
                burgers.burger(scene.palette, rng), frame.w * 0.48, frame.h * (0.57 if headline else 0.52), size, -0.03
            ),
        )
    flames.embers(scene, rng)


def _valley(scene: Scene, brief: Brief, rng: Rng, subjects: list[str], headline: bool) -> None:
    frame, pal = scene.frame, scene.palette
    horizon = frame.h * 0.62
    if pal.dark:
        sky.stars(scene, rng, horizon)
        sky.moon(scene, frame.w * 0.32, frame.h * (0.4 if headline else 0.26), 0.115)
    else:
        sky.sun(scene, frame.w * 0.35, frame.h * (0.44 if headline else 0.3), 0.085, rays=True)
    sky.clouds(scene, rng, horizon * 0.85, 4, tint=mix(pal.sky[1], pal.sky[2], 0.6), alpha=0.6)
    for depth, y in ((0.1, -0.12), (0.25, -0.04)):
        add(
            scene,
            depth,
            [
                one(
                    ridge(frame, horizon + y, 0.06, rng, 0.5, 3),
                    lighter(pal.at(depth), 0.08),
                    mix(pal.at(depth), pal.sky[2], 0.3),
                )
            ],
        )
        firs = [highlands.pine(x, horizon + y + 0.08, rng.uniform(0.06, 0.1), rng) for x in np.arange(0, frame.w, 0.03)]
        add(
            scene,
            depth + 0.1,
            [many(firs, pal.at(depth + 0.15)), sky.fog(frame, horizon + y + 0.05, 0.1, pal.sky[2], 0.5, rng)],
        )
    add(scene, 0.6, placed(trains.train(pal, rng, 2.2), frame.w * 0.62, frame.h * 0.66, 0.72))
    add(scene, 0.75, [sky.fog(frame, frame.h * 0.86, 0.1, mix(pal.sky[2], pal.light, 0.2), 0.3, rng)])
    near = [
        highlands.pine(
            x, frame.h + 0.06, rng.uniform(0.13, 0.24) * (1.5 if abs(x / frame.w - 0.5) > 0.36 else 0.8), rng
        )
        for x in np.linspace(-0.02, frame.w + 0.02, 14)
    ]
    add(scene, 1.0, [many(near, mix(pal.near, pal.mid, 0.12), darker(pal.near, 0.3), grain=0.1)])


def _island(scene: Scene, brief: Brief, rng: Rng, subjects: list[str], headline: bool) -> None:
    sky.clouds(scene, rng, scene.frame.h * 0.3, 4, alpha=0.5)
    islands.island(scene, rng, scene.frame.h * (0.4 if headline else 0.3))


def _hills(scene: Scene, brief: Brief, rng: Rng, subjects: list[str], headline: bool) -> None:
    """For prompts that name no place we know: a quiet landscape, dealt by the words themselves."""
    frame, pal = scene.frame, scene.palette
    horizon = frame.h * rng.uniform(0.5, 0.62)
    if pal.dark:
        sky.stars(scene, rng, horizon)
    (sky.moon if pal.dark else sky.sun)(
        scene, frame.w * rng.uniform(0.25, 0.75), horizon - rng.uniform(0.05, 0.22), rng.uniform(0.09, 0.17)
    )
    sky.clouds(scene, rng, horizon * 0.7, 3, alpha=0.5, below=headline)
    for depth in (0.08, 0.28, 0.48, 0.68, 0.86, 1.0):
        y = horizon + (frame.h - horizon) * depth**1.2 * 0.85
        colour = mix(pal.at(depth), pal.accent, 0.12 if rng.random() < 0.4 else 0.0)
        add(
            scene,
            depth,
            [
                one(
                    ridge(frame, y, 0.05 + 0.03 * depth, rng, 0.3, rng.uniform(1.5, 4)),
                    lighter(colour, 0.1),
                    darker(colour, 0.14),
                    grain=0.06,
                )
            ],
        )
        if depth > 0.4:
            firs = [
                highlands.pine(x, y + 0.05, rng.uniform(0.05, 0.13) * (0.5 + depth), rng)
                for x in rng.uniform(0, frame.w, 7)
            ]
            add(scene, depth, [many(firs, pal.at(min(1.0, depth + 0.14)))])
        elif depth < 0.1:
            sky.birds(scene, rng, frame.w * 0.3, horizon - 0.2)
    extra: dict[str, Callable[[Palette, np.random.Generator], list[Shape]]] = {
        "cat": creatures.cat_astronaut,
        "robot": partial(creatures.robot, gardener=False),
        "fox": creatures.sleeping_fox,
    }
    for name in [s for s in subjects if s in extra][:1]:
        add(scene, 0.9, placed(extra[name](pal, rng), frame.w * 0.5, frame.h * 0.66, 0.52))


Builder = Callable[[Scene, Brief, Rng, list[str], bool], None]


BUILDERS: dict[str, Builder] = {
    "mountains": _mountains, "forest": _forest, "sea": _sea, "desert": _desert, "garden": _garden, "city": _city,
    "space": _space, "fire": _fire, "valley": _valley, "island": _island,
    "cafe": indoors.cafe, "table": indoors.table, "page": indoors.page,
}  # fmt: skip


def builder(setting: str | None) -> Builder:
    return BUILDERS.get(setting or "", _hills)
