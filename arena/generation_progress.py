"""How far the models have come with the images of a category, while they are at work: what a voter waits for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Max, Q
from django.utils import timezone

from arena.models import Category, Competition, Generation

PATIENCE = timedelta(minutes=2)  # without a sign of life for so long, nobody is at work, and pages must not say so


@dataclass(frozen=True, slots=True)
class Making:
    """Images of open competitions: made, and asked for. What failed is neither."""

    done: int
    of: int


def of(category: Category) -> Making | None:
    """None where no images are being made."""
    return of_all([category]).get(category.pk)


def of_all(categories: Iterable[Category | int] | None = None) -> dict[int, Making]:
    """The categories whose images are being made now, by key. One small query where there are none, else two.

    At work means: one of its images is being made or due about now, or one was finished a moment ago. What waits for
    a spending cap or for workers that are gone is not being made.
    """
    now = timezone.now()
    soon = Q(due_at__gte=now - PATIENCE, due_at__lte=now + PATIENCE)
    asked = Generation.objects.filter(
        prompt__competition__in=Competition.objects.open(), prompt__retired_at=None, image_model__retired_at=None
    ).order_by()
    if categories is not None:
        asked = asked.filter(prompt__competition__category__in=categories)
    waiting = {
        category: (left, alive)
        for category, left, alive in asked.unfinished()
        .values_list("prompt__competition__category")
        .annotate(
            left=Count("pk"),
            alive=Count("pk", filter=Q(status="queued") & soon | Q(status="running", lease_expires_at__gt=now)),
        )
    }
    if not waiting:
        return {}
    found: dict[int, Making] = {}
    over = dict.fromkeys(waiting, (0, None)) | {
        category: (done, last)
        for category, done, last in asked.filter(prompt__competition__category__in=waiting)
        .filter(status__in=["succeeded", "failed"])
        .values_list("prompt__competition__category")
        .annotate(done=Count("pk", filter=Q(status="succeeded")), last=Max("finished_at"))
    }
    for category, (left, alive) in waiting.items():
        done, last = over[category]
        if alive or (last is not None and last > now - PATIENCE):
            found[category] = Making(done, done + left)
    return found


def together(each: Iterable[Making]) -> Making | None:
    """Of several categories as one; None for none."""
    makings = list(each)
    return Making(sum(making.done for making in makings), sum(making.of for making in makings)) if makings else None
