"""How many images of a category exist while others are still being generated: what a waiting voter is shown."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Count, Max, Q
from django.utils import timezone

from arena.models import Category, Competition, Generation

Status = Generation.Status
MOST_SQUARES = 240
IDLE_AFTER = timedelta(minutes=2)  # without activity for so long, no worker is at it, and pages must not say so


@dataclass(frozen=True, slots=True)
class GenerationProgress:
    """Images of open competitions that exist, and that were asked for; those that failed stay in the second number,
    so that neither number ever shrinks while a voter watches. `running` and `failed` are among these."""

    done: int
    of: int
    running: int = field(default=0, compare=False)
    failed: int = field(default=0, compare=False)

    @property
    def marks(self) -> tuple[str, ...]:
        """A class for each image, to draw one square each; none where they would be too many."""
        if self.of > MOST_SQUARES:
            return ()
        rest = max(0, self.of - self.done - self.running - self.failed)
        squares = (("is-done", self.done), ("is-running", self.running), ("is-failed", self.failed), ("", rest))
        return tuple(mark for mark, count in squares for _ in range(count))


def of(category: Category) -> GenerationProgress | None:
    """None where no images are being generated."""
    return of_all([category]).get(category.pk)


def of_all(categories: Iterable[Category | int] | None = None) -> dict[int, GenerationProgress]:
    """The categories whose images are being generated now, by id. One small query where there are none, else two.

    A category counts when one of its images is running or due about now, or one was finished a moment ago. What waits
    for a spending cap, or for workers that are gone, does not.
    """
    now = timezone.now()
    soon = Q(due_at__gte=now - IDLE_AFTER, due_at__lte=now + IDLE_AFTER)
    competitions = Competition.objects.open() if categories is None else Competition.everything.open()
    planned = Generation.objects.filter(
        prompt__competition__in=competitions, prompt__retired_at=None, image_model__retired_at=None
    ).order_by()
    if categories is not None:
        planned = planned.filter(prompt__competition__category__in=categories)
    is_active = Q(status=Status.QUEUED) & soon | Q(status=Status.RUNNING, lease_expires_at__gt=now)
    category = "prompt__competition__category"
    waiting = dict(planned.unfinished().values_list(category).annotate(active=Count("pk", filter=is_active)))
    if not waiting:
        return {}
    # All numbers by one statement: an image that ends between two would be in both, and the sum would shrink again.
    counts = (
        planned.filter(prompt__competition__category__in=waiting)
        .exclude(status=Status.CANCELLED)
        .values_list(category)
        .annotate(
            done=Count("pk", filter=Q(status=Status.SUCCEEDED)),
            total=Count("pk"),
            running=Count("pk", filter=Q(status=Status.RUNNING)),
            failed=Count("pk", filter=Q(status=Status.FAILED)),
            last=Max("finished_at", filter=Q(status__in=[Status.SUCCEEDED, Status.FAILED])),
        )
    )
    progress: dict[int, GenerationProgress] = {}
    for pk, done, total, running, failed, last in counts:
        if waiting[pk] or (last is not None and last > now - IDLE_AFTER):
            progress[pk] = GenerationProgress(done, total, running, failed)
    return progress


def combined(progress: Iterable[GenerationProgress]) -> GenerationProgress | None:
    """Several categories as one; None for none."""
    rows = list(progress)
    totals = (sum(getattr(row, name) for row in rows) for name in ("done", "of", "running", "failed"))
    return GenerationProgress(*totals) if rows else None
