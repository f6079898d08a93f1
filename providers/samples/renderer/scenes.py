"""The composer: from a brief to a scene – which place, in which light, with whom in it, and where the words go."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from providers.samples.renderer import layouts, settings
from providers.samples.renderer.colour import PALETTES, Colour, Palette, mix, rgb, tuned
from providers.samples.renderer.dice import Rng
from providers.samples.renderer.places import sky
from providers.samples.renderer.prompt import Brief
from providers.samples.renderer.shapes import Frame, Scene, add, ellipse, many

SETTINGS: Mapping[str, str] = {
    "cafe": "chalkboard blackboard menu",
    "page": "infographic chart diagram graph timeline",
    "island": "isometric map diorama island",
    "fire": "burger fire fiery flame ember grill lava",
    "space": "space astronaut planet galaxy orbit nebula saturn cosmic rocket",
    "valley": "train viaduct railway locomotive bridge",
    "forest": "forest fox birch wood woodland fern tree deer",
    "sea": "ocean sea lighthouse wave harbour harbor ship sail cliff",
    "city": "city neon street skyline tokyo asphalt tram skyscraper downtown",
    "desert": "desert dune kite sand balloon canyon camel oasis",
    "garden": "garden flower tulip rose meadow greenhouse gardener bee butterfly",
    "mountains": "mountain alpine lake peak glacier summit boat snow",
    "table": "coffee cup tea espresso breakfast kitchen food cake bakery latte",
}


MOODS: Mapping[str, str] = {
    "neon": "neon cyberpunk",
    "storm": "storm stormy thunder lightning tempest",
    "night": "night midnight moonlit moonlight moon star starry dark",
    "dawn": "dawn sunrise morning daybreak",
    "fog": "fog foggy mist misty haze",
    "sunset": "sunset golden dusk evening twilight",
    "fire": "fire fiery ember flame",
    "day": "day sunny noon bright clear",
}


HABITUAL: Mapping[str, str] = {
    "cafe": "cafe", "page": "paper", "island": "teal", "fire": "fire", "space": "space", "valley": "dawn",
    "forest": "fog", "sea": "day", "city": "neon", "desert": "desert", "garden": "garden", "mountains": "dawn",
    "table": "cafe",
}  # fmt: skip


SUBJECTS: Mapping[str, str] = {
    "burger": "burger",
    "cat": "cat astronaut kitten",
    "fox": "fox",
    "robot": "robot android",
    "lighthouse": "lighthouse",
    "train": "train locomotive viaduct railway",
    "balloon": "balloon",
    "kite": "kite",
    "coffee": "coffee cup espresso latte tea",
    "boat": "boat rowing canoe",
    "planet": "planet saturn",
    "people": "umbrella people crowd walker pedestrian",
}


FIXED_LIGHT = {"cafe", "page", "fire", "space"}  # their palette is part of what they are


def _best(brief: Brief, table: Mapping[str, str]) -> str | None:
    scores = {name: brief.about(*words.split()) for name, words in table.items()}
    name = max(scores, key=lambda key: scores[key])
    return name if scores[name] else None


def compose(brief: Brief, frame: Frame, rng: Rng) -> Scene:
    setting = _best(brief, SETTINGS)
    mood = _best(brief, MOODS)
    light = HABITUAL.get(setting or "", "") if mood is None or setting in FIXED_LIGHT else mood
    if not light:
        light = str(rng.choice(["dawn", "sunset", "teal", "plum", "night", "day"]))
    if setting == "space" and not brief.about("space", "planet", "astronaut", "galaxy", "orbit", "nebula", "saturn"):
        light = mood or "space"
    palette = _shimmer(_at_home(PALETTES[light], setting), rng)
    scene = Scene(frame, palette, [], mood=light)
    scene.handwritten = brief.about("chalkboard", "chalk", "handwritten", "handwriting", "handwritten-style") > 0
    subjects = [name for name, words in SUBJECTS.items() if brief.about(*words.split())]
    headline = bool(brief.quotes) and setting not in ("cafe", "page")
    settings.builder(setting)(scene, brief, rng, subjects, headline)
    weather(scene, brief, rng, setting)
    layouts.place_words(scene, brief, setting or "", rng)
    return scene


def _at_home(palette: Palette, setting: str | None) -> Palette:
    """Evening turns the sky red, but sand stays sand: the land keeps half of its usual colours."""
    if setting not in ("desert", "garden", "sea", "forest"):
        return palette
    usual, share = PALETTES[HABITUAL[setting]], 0.25 if palette.dark else 0.55
    land = (mix(getattr(palette, n), getattr(usual, n), share) for n in ("far", "mid", "near", "accent", "accent2"))
    far, mid, near, accent, accent2 = land
    return replace(palette, far=far, mid=mid, near=near, accent=accent, accent2=accent2)


def _shimmer(palette: Palette, rng: Rng) -> Palette:
    """No two pictures mix quite the same colours."""
    turn, strength = rng.normal(0, 0.008), rng.uniform(0.94, 1.06)

    def turned(colour: Colour) -> Colour:
        return tuned(colour, strength, turn)

    top, middle, low = (turned(colour) for colour in palette.sky)
    return replace(
        palette,
        sky=(top, middle, low),
        far=turned(palette.far),
        mid=turned(palette.mid),
        near=turned(palette.near),
        accent=turned(palette.accent),
        accent2=turned(palette.accent2),
    )


def weather(scene: Scene, brief: Brief, rng: Rng, setting: str | None) -> None:
    frame = scene.frame
    if brief.about("rain", "rainy", "storm", "wet", "drizzle") and setting not in ("cafe", "page"):
        sky.rain(scene, rng)
    if brief.about("snow", "snowfall", "snowing", "blizzard") and setting not in ("mountains", "island"):
        flakes = [
            ellipse(rng.uniform(0, frame.w), rng.uniform(0, frame.h), abs(rng.normal(0, 0.004)) + 0.002, n=10)
            for _ in range(170)
        ]
        add(scene, 0.95, [many(flakes, (1.0, 1.0, 1.0), alpha=0.85, detail=True)])
    if brief.about("firefly", "fireflie", "lantern"):
        flies = [ellipse(rng.uniform(0, frame.w), rng.uniform(0.4, 0.95) * frame.h, 0.004, n=10) for _ in range(36)]
        add(scene, 0.95, [many(flies, rgb("ffe98a"), light=1.0, detail=True)])
