"""All rated models of a category between Elo and cost, and between Elo and speed."""

from __future__ import annotations

from dataclasses import dataclass, replace

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from arena.models import Category
from leaderboard import charts, facts
from leaderboard.kept import MINUTE, kept, version
from leaderboard.models import Rating
from providers.accounts import is_simulated
from providers.models import ImageModel

_BETTER = "Up and to the left is better. The dashed line joins the models that no other model beats on both."


@dataclass(frozen=True, slots=True)
class Side:
    """One chart's points, and in words what is not on it."""

    points: tuple[charts.Point, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Landscape:
    cost: Side
    speed: Side
    rated: int


def of_category(category: Category) -> Landscape:
    """Prices and speeds may be a minute old, ratings never older than the board."""
    return kept("landscape", version(category), seconds=MINUTE, make=lambda: _of_category(category))


def drawn(category: Category, image_model: ImageModel | None = None) -> SafeString:
    """Both charts as HTML, this model marked in them."""
    return kept(
        "landscape drawn",
        version(category),
        image_model and image_model.pk,
        seconds=MINUTE,
        make=lambda: draw(of_category(category), image_model.get_absolute_url() if image_model else ""),
    )


def draw(landscape: Landscape, current: str = "") -> SafeString:
    """Both charts; `current` is the address of the model to mark."""
    return render_to_string(
        "leaderboard/charts/landscape.html",
        {
            "cost": _figure(landscape.cost, charts.COST, current),
            "speed": _figure(landscape.speed, charts.SPEED, current),
            "lead": _BETTER,
        },
    )


def _figure(side: Side, axis: charts.Axis, current: str) -> dict[str, object]:
    points = [replace(point, current=point.url == current) for point in side.points]
    return {
        "wide": charts.scatter(points, axis, charts.WIDE),
        "narrow": charts.scatter(points, axis, charts.NARROW),
        "points": points,
        "notes": side.notes,
        "axis": axis,
    }


def _of_category(category: Category) -> Landscape:
    ratings = list(category.ratings.select_related("image_model").order_by("-elo", "image_model__name"))
    found = facts.of_models([rating.image_model_id for rating in ratings], category.mode)
    known = [(rating, found.get(rating.image_model_id, facts.Facts())) for rating in ratings]
    priced = [(rating, fact) for rating, fact in known if fact.price]
    timed = [(rating, fact) for rating, fact in known if fact.seconds]
    free = sum(fact.price == 0 for _, fact in known)
    unpriced = len(known) - len(priced) - free
    waiting = len(known) - len(timed)
    cost_notes = [
        f"{_models(unpriced)} without pricing omitted." if unpriced else "",
        f"{_models(free)} free of charge omitted: a log scale has no zero." if free else "",
    ]
    speed_notes = [f"{_models(waiting)} waiting for enough speed data." if waiting else ""]
    return Landscape(
        Side(
            tuple(_point(r, float(f.price or 0), "estimated price" if f.is_estimated else "") for r, f in priced),
            tuple(filter(None, cost_notes)),
        ),
        Side(
            tuple(_point(r, f.seconds or 0.0, "simulated" if _is_simulated(f) else "") for r, f in timed),
            tuple(filter(None, speed_notes)),
        ),
        len(known),
    )


def _models(count: int) -> str:
    return "1 model" if count == 1 else f"{count} models"


def _is_simulated(known: facts.Facts) -> bool:
    """Whether the quickest seller is our own simulator."""
    return any(is_simulated(each.provider) for each in known.sellers if each.seconds == known.seconds)


def _point(rating: Rating, x: float, note: str) -> charts.Point:
    model = rating.image_model
    origin = "sample" if model.is_sample else "imported" if model.origin == ImageModel.Origin.IMPORTED else ""
    return charts.Point(
        name=model.name,
        url=model.get_absolute_url(),
        x=x,
        elo=rating.elo,
        lower=rating.lower,
        upper=rating.upper,
        note=", ".join(filter(None, (origin, note))),
        provisional=rating.status == "provisional",
    )
