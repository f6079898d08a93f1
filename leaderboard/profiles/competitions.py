"""How a model did in each competition: its place, its record, its images."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from django.db.models import F, Sum

from arena.models import Competition, Entry
from leaderboard.models import Record
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
    hidden: bool  # some are held back because this voter is asked about their prompts


def entries_of(image_model: ImageModel) -> list[Entry]:
    """All its public images, the newest first."""
    return list(
        Entry.objects.current()
        .filter(image_model=image_model, prompt__competition__is_published=True)
        .select_related("prompt__competition__category", "image_model", "call__offering")
        .order_by("-created_at", "-pk")
    )


def shown(entries: Iterable[Entry], hidden: Collection[int]) -> list[Entry]:
    """Without those of `hidden` prompts: the reader is asked about them and must stay blind."""
    return [entry for entry in entries if entry.prompt_id not in hidden]


def results(image_model: ImageModel, entries: Iterable[Entry], hidden: Collection[int] = ()) -> list[Result]:
    """Every competition among the model's entries, the best place first. One query."""
    grouped: dict[int, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(entry.prompt.competition_id, []).append(entry)
    scores = _scores(grouped)
    found = []
    for pk, rows in grouped.items():
        of = scores.get(pk, {})
        own = of.get(image_model.pk, Score())
        better = sum(each.points > own.points for each in of.values())
        visible = shown(rows, hidden)
        found.append(
            Result(
                competition=rows[0].prompt.competition,
                score=own,
                place=better + 1 if own.votes else None,
                of=len(of),
                entries=tuple(visible[:IMAGES]),
                hidden=len(visible) < len(rows),
            )
        )
    return sorted(found, key=lambda each: (each.place is None, each.place or 0, -each.score.votes))


def _scores(competitions: Iterable[int]) -> dict[int, dict[int, Score]]:
    """Competition → model → its score there; models without votes are absent."""
    found: dict[int, dict[int, Score]] = {}
    rows = (
        Record.objects.filter(prompt__competition__in=list(competitions))
        .order_by()
        .values_list("prompt__competition", "image_model")
        .annotate(w=Sum("won"), t=Sum(F("tied") + F("both_bad")), n=Sum("lost"))
    )
    for competition, model, won, tied, lost in rows:
        if won + tied + lost:
            found.setdefault(competition, {})[model] = Score(won, tied, lost)
    return found
