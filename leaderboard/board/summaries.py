"""Which boards there are, what those without ratings wait for, and where votes can be cast, in few queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.utils import timezone

from arena.generation import progress as making
from arena.generation.progress import GenerationProgress
from arena.models import Category, Competition, Entry, Tally
from leaderboard.models import Rating

# A board follows its votes within seconds; later than this, nobody is computing it.
RATING_TIMEOUT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Start:
    """What a board without ratings waits for, as far as somebody is at it."""

    making: GenerationProgress | None = None  # the images that the first votes will be about
    computing: bool = False  # the first votes are in


def starts(categories: list[Category]) -> dict[int, Start]:
    """What each of these categories, which have no ratings, waits for."""
    if not categories:
        return {}
    images = making.of_all(categories)
    moved = Tally.objects.filter(category__in=categories, changed_at__gt=timezone.now() - RATING_TIMEOUT)
    voted = set(moved.order_by().values_list("category", flat=True).distinct())
    return {category.pk: Start(images.get(category.pk), category.pk in voted) for category in categories}


@dataclass(frozen=True, slots=True)
class Tab:
    """A board among those that its page links to."""

    category: Category
    models: int


def tabs() -> tuple[list[Tab], list[Tab]]:
    """Boards of votes cast here, and those of imported votes, each in the site's order. One query."""
    rated = Rating.objects.filter(category=OuterRef("pk")).order_by().values("category").annotate(n=Count("*"))
    categories = Category.objects.annotate(rated=Subquery(rated.values("n")))
    tabs = [Tab(category, category.rated or 0) for category in categories]
    own = [tab for tab in tabs if not tab.category.source_name]
    return own, [tab for tab in tabs if tab.category.source_name]


def playable() -> QuerySet[Category]:
    """Categories in which two images of one prompt can meet now."""
    entries = Entry.objects.current().filter(
        prompt__competition__in=Competition.objects.open(), prompt__competition__category=OuterRef("pk")
    )
    other = Entry.objects.filter(prompt=OuterRef("prompt"), retired_at=None).exclude(
        image_model=OuterRef("image_model")
    )
    categories: QuerySet[Category] = Category.objects.filter(Exists(entries.filter(Exists(other))))
    return categories
