"""The heads of all boards at once, and which categories can be voted on: what overview pages ask, in few queries."""

from __future__ import annotations

import math
from dataclasses import dataclass

from django.db.models import Case, Count, Exists, F, OuterRef, QuerySet, When, Window
from django.db.models.functions import RowNumber

from arena.models import Category, Competition, Entry

from .models import Board, Rating
from .standings import Standing


@dataclass(frozen=True, slots=True)
class Head:
    """A category with the first rows of its board."""

    category: Category
    board: Board | None
    standings: list[Standing]
    models: int  # how many the whole board rates


def all_boards(rows: int) -> list[Head]:
    """Every category in the site's order, boards without ratings last. Two queries, however many there are."""
    sizes = dict(Rating.objects.order_by().values_list("category").annotate(n=Count("*")))
    unbounded = Case(When(upper=math.inf, then=1), default=0)  # no interval yet, so no rank: those come last
    place = Window(RowNumber(), partition_by=F("category"), order_by=[F("unbounded"), F("rank"), F("elo").desc()])
    ranked = (
        Rating.objects.annotate(unbounded=unbounded).annotate(place=place).filter(place__lte=rows).order_by("place")
    )
    found: dict[int, list[Standing]] = {}
    for rating in ranked.select_related("image_model__lab"):
        found.setdefault(rating.category_id, []).append(Standing(rating, sizes[rating.category_id]))
    heads = [
        Head(each, getattr(each, "board", None), found.get(each.pk, []), sizes.get(each.pk, 0))
        for each in Category.objects.select_related("board")
    ]
    return sorted(heads, key=lambda head: not head.standings)


def playable() -> QuerySet[Category]:
    """Categories in which two images of one prompt can meet now."""
    entries = Entry.objects.current().filter(
        prompt__competition__in=Competition.objects.open(), prompt__competition__category=OuterRef("pk")
    )
    other = Entry.objects.filter(prompt=OuterRef("prompt"), retired_at=None).exclude(
        image_model=OuterRef("image_model")
    )
    return Category.objects.filter(Exists(entries.filter(Exists(other))))
