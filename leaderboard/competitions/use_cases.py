"""Pages by use: what prompts are about, and which models do well on those."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Count, F, Func

from arena.models import Category, Competition, Prompt
from leaderboard.board import image_records
from leaderboard.board.image_records import ImageRecord
from leaderboard.competitions import overview as contests
from leaderboard.competitions.overview import PromptAnswers

EXAMPLES, BEST = 4, 4  # prompts with pictures, and pictures of each
ENOUGH = 20  # votes; with fewer a share says nothing


@dataclass(frozen=True, slots=True)
class UseCase:
    tag: str
    prompts: int
    categories: list[tuple[Category, list[ImageRecord]]]  # models with votes enough, best share first
    examples: list[PromptAnswers]


def tags() -> list[tuple[str, int]]:
    """Every tag of published prompts, with how many prompts carry it."""
    tag = Func(F("tags"), function="unnest")
    published = Prompt.objects.current().filter(competition__in=Competition.objects.unveiled())
    return list(published.order_by().values_list(tag).annotate(n=Count("*")).order_by("-n", tag))


@dataclass(frozen=True, slots=True)
class Summary:
    tag: str
    prompts: int
    votes: int
    best: list[ImageRecord]  # the first three with votes enough


def overview() -> list[Summary]:
    """Every use, those with the most prompts first, with its best models over all categories."""
    did = image_records.by_tag()
    return [
        Summary(
            tag,
            prompts,
            sum(result.votes for result in did.get(tag, [])) // 2,
            [result for result in did.get(tag, []) if result.votes >= ENOUGH][:3],
        )
        for tag, prompts in tags()
    ]


def of_tag(tag: str, hidden: Collection[int] = ()) -> UseCase:
    """Results by category, and some of the prompts with their best images."""
    tagged = Prompt.objects.current().filter(competition__in=Competition.objects.unveiled(), tags__contains=[tag])
    prompts = list(tagged.select_related("competition__category").order_by("competition", "position", "pk"))
    by_category = image_records.with_tag(tag)
    boards = [
        (category, [result for result in by_category.get(category.pk, []) if result.votes >= ENOUGH])
        for category in dict.fromkeys(prompt.competition.category for prompt in prompts)
    ]
    boards.sort(key=lambda board: not board[1])  # where there is something to say comes first
    return UseCase(tag, len(prompts), boards, contests.best_answers(prompts[:EXAMPLES], BEST, hidden))
