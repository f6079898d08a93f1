"""The heads of all boards at once, and which categories can be voted on: what overview pages ask, in few queries."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.db.models import Count, Exists, F, OuterRef, QuerySet, Subquery, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from arena.generation import progress as making
from arena.generation.progress import GenerationProgress
from arena.models import Category, Competition, Entry, Tally
from leaderboard.board.standings import Standing
from leaderboard.models import BY_ELO, Board, Rating

# A board follows its votes within seconds; later than this, nobody is computing it.
RATING_TIMEOUT = timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Start:
    """What a board without ratings waits for, as far as somebody is at it."""

    making: GenerationProgress | None = None  # the images that the first votes will be about
    computing: bool = False  # the first votes are in


@dataclass(frozen=True, slots=True)
class Head:
    """A category with the first rows of its board."""

    category: Category
    board: Board | None
    standings: list[Standing]
    models: int  # how many the whole board rates
    start: Start  # of a board that has no rows


def starts(categories: list[Category]) -> dict[int, Start]:
    """What each of these categories, which have no ratings, waits for."""
    if not categories:
        return {}
    images = making.of_all(categories)
    moved = Tally.objects.filter(category__in=categories, changed_at__gt=timezone.now() - RATING_TIMEOUT)
    voted = set(moved.order_by().values_list("category", flat=True).distinct())
    return {category.pk: Start(images.get(category.pk), category.pk in voted) for category in categories}


def all_boards(rows: int) -> list[Head]:
    """Every category in the site's order, boards without ratings last. A few queries, however many there are."""
    sizes = dict(Rating.objects.order_by().values_list("category").annotate(n=Count("*")))
    row = Window(RowNumber(), partition_by=F("category"), order_by=[*BY_ELO])
    ranked = Rating.objects.annotate(row=row).filter(row__lte=rows).order_by("row")
    by_category: dict[int, list[Standing]] = {}
    for rating in ranked.select_related("image_model__lab"):
        by_category.setdefault(rating.category_id, []).append(Standing(rating, sizes[rating.category_id]))
    categories = list(Category.objects.select_related("board"))
    beginning = starts([category for category in categories if category.pk not in sizes])
    heads = [
        Head(
            category, getattr(category, "board", None), by_category.get(category.pk, []), sizes.get(category.pk, 0),
            beginning.get(category.pk, Start()),
        )
        for category in categories
    ]  # fmt: skip
    return sorted(heads, key=lambda head: not head.standings)


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
