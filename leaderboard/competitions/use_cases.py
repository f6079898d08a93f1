"""Uses: what prompts are about, by their tags."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Count, QuerySet

from arena.models import Category, Competition, Prompt
from leaderboard.board import image_records
from leaderboard.competitions import overview
from leaderboard.competitions.overview import PromptAnswers

EXAMPLES, BEST = 3, 3  # prompts with pictures, and pictures of each: one row


def category_of(tag: str) -> Category | None:
    """The category with the most votes on published prompts about this; without votes, with the most such prompts."""
    prompts = _about(tag).order_by().values("competition__category")
    counted = prompts.annotate(votes=image_records.VOTES, prompts=Count("pk", distinct=True))
    first = counted.order_by("-votes", "-prompts", "competition__category").first()
    return Category.objects.get(pk=first["competition__category"]) if first else None


def examples(category: Category, tag: str, hidden: Collection[int] = ()) -> list[PromptAnswers]:
    """Some of the category's prompts about this, with their best images; none of prompts the reader is asked about."""
    prompts = _about(tag).filter(competition__category=category).select_related("competition__category")
    first = prompts.order_by("competition", "position", "pk")[:EXAMPLES]
    return overview.best_answers(list(first), BEST, hidden)


def _about(tag: str) -> QuerySet[Prompt]:
    shown: QuerySet[Prompt] = Prompt.objects.current().filter(competition__in=Competition.objects.unveiled())
    return shown.filter(tags__contains=[tag])
