"""How a model did in each competition: its place, its record, its images."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import Count

from arena.models import Category, Competition, Entry, Vote
from leaderboard.kept import MINUTE, kept, version
from providers.models import ImageModel

IMAGES = 6  # shown of one competition


@dataclass(frozen=True, slots=True)
class Score:
    """Votes of one model in one competition. A both-bad vote is a tie that pleased nobody."""

    won: int = 0
    tied: int = 0
    lost: int = 0

    @property
    def votes(self) -> int:
        return self.won + self.tied + self.lost

    @property
    def points(self) -> float:
        """Share of the votes won, a tie being half."""
        return (self.won + self.tied / 2) / self.votes if self.votes else 0.0


@dataclass(frozen=True, slots=True)
class Result:
    competition: Competition
    score: Score
    place: int | None  # 1 + the models with a better share; None without votes
    of: int  # models with votes
    entries: tuple[Entry, ...]
    images: int  # how many it has in all
    hidden: bool  # some are held back because this voter is asked about their prompts


def of_model(image_model: ImageModel, hidden: Collection[int] = ()) -> list[Result]:
    """Every published competition with an image of the model, the best place first.

    `hidden` are prompts on which the reader must stay blind: their images are left out.
    """
    entries: dict[int, list[Entry]] = {}
    for entry in _entries(image_model):
        entries.setdefault(entry.prompt.competition_id, []).append(entry)
    found = []
    for rows in entries.values():
        competition = rows[0].prompt.competition
        scores = of_category(competition.category).get(competition.pk, {})
        own = scores.get(image_model.pk, Score())
        better = sum(each.points > own.points for each in scores.values())
        shown = tuple(entry for entry in rows if entry.prompt_id not in hidden)
        result = Result(
            competition, own, better + 1 if own.votes else None, len(scores), shown[:IMAGES], len(rows), len(shown) < len(rows)
        )
        found.append(result)
    return sorted(found, key=lambda each: (each.place is None, (each.place or 0) / max(1, each.of), -each.score.votes))


def images(image_model: ImageModel, hidden: Collection[int] = ()) -> Iterable[Entry]:
    """All its public images but those of `hidden` prompts, the newest first."""
    return [entry for entry in _entries(image_model) if entry.prompt_id not in hidden]


def _entries(image_model: ImageModel) -> Iterable[Entry]:
    entries: Iterable[Entry] = (
        Entry.objects.current()
        .filter(image_model=image_model, prompt__competition__is_published=True)
        .select_related("prompt__competition__category__board", "image_model", "call__offering")
        .order_by("-created_at", "-pk")
    )
    return entries


def of_category(category: Category) -> dict[int, dict[int, Score]]:
    """Competition → model → its score there, from one count of the category's votes per board."""
    return kept("scores", version(category), seconds=10 * MINUTE, make=lambda: _of_category(category))


def _of_category(category: Category) -> dict[int, dict[int, Score]]:
    counted = (
        Vote.objects.counted()
        .filter(category=category)
        .values_list("battle__prompt__competition", "left_model", "right_model", "outcome")
        .annotate(total=Count("*"))
        .order_by()
    )
    found: dict[int, dict[int, Score]] = {}
    for competition, left, right, outcome, n in counted:
        for model, won_by in ((left, "left"), (right, "right")):
            scores = found.setdefault(competition, {})
            old = scores.get(model, Score())
            scores[model] = Score(
                old.won + n * (outcome == won_by),
                old.tied + n * (outcome not in ("left", "right")),
                old.lost + n * (outcome in ("left", "right") and outcome != won_by),
            )
    return found
