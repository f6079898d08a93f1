"""How a model did in each competition: its record, its images."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from django.db.models import BigIntegerField, F, Sum, Value

from arena.models import Competition, Entry
from leaderboard.board.image_records import Score
from leaderboard.board_page.pictures import BEST, WORST, RatedImage
from leaderboard.models import Record
from providers.models import ImageModel

IMAGES = 6  # shown of one competition
USES, ENOUGH = 12, 20  # those with the most votes; with fewer votes a share says nothing


@dataclass(frozen=True, slots=True)
class CompetitionScore(Score):
    """Of one model in one competition, or on the prompts of one tag."""

    won: int = 0
    tied: int = 0
    lost: int = 0


@dataclass(frozen=True, slots=True)
class CompetitionResult:
    competition: Competition
    score: Score
    entries: tuple[Entry, ...]
    hidden: bool  # some are left out because this voter is asked about their prompts


def entries_of(image_model: ImageModel) -> list[Entry]:
    """All its public images, the newest first."""
    return list(
        Entry.objects.current()
        .filter(image_model=image_model, prompt__competition__in=Competition.objects.unveiled())
        .select_related("prompt__competition__category", "image_model", "call__offering")
        .order_by("-created_at", "-pk")
    )


def shown(entries: Iterable[Entry], hidden: Collection[int]) -> list[Entry]:
    """Without those of `hidden` prompts: the reader is asked about them and must stay blind."""
    return [entry for entry in entries if entry.prompt_id not in hidden]


def results_and_uses(
    image_model: ImageModel, entries: Sequence[Entry], hidden: Collection[int] = ()
) -> tuple[list[CompetitionResult], list[TagScore], list[RatedImage]]:
    """Every competition among the model's entries, the best share first; how it does by tag; and its most and least
    preferred images. One query."""
    scores, own = _scores(image_model, {entry.prompt.competition_id for entry in entries})
    return _results(image_model, entries, scores, hidden), _uses(entries, own), _extremes(shown(entries, hidden), own)


def _extremes(entries: Iterable[Entry], scores: dict[int, Score]) -> list[RatedImage]:
    rated = [
        RatedImage(entry, scores[entry.prompt_id].points, scores[entry.prompt_id].votes)
        for entry in entries
        if entry.prompt_id in scores and scores[entry.prompt_id].votes
    ]
    rated.sort(key=lambda image: (-image.share, -image.votes, image.entry.pk))
    return rated if len(rated) <= BEST + WORST else [*rated[:BEST], *rated[-WORST:]]


def _results(
    image_model: ImageModel, entries: Iterable[Entry], scores: dict[int, dict[int, Score]], hidden: Collection[int]
) -> list[CompetitionResult]:
    grouped: dict[int, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(entry.prompt.competition_id, []).append(entry)
    results = []
    for pk, rows in grouped.items():
        of = scores.get(pk, {})
        own = of.get(image_model.pk, CompetitionScore())
        visible = shown(rows, hidden)
        results.append(
            CompetitionResult(
                competition=rows[0].prompt.competition,
                score=own,
                entries=tuple(visible[:IMAGES]),
                hidden=len(visible) < len(rows),
            )
        )
    return sorted(results, key=lambda result: (not result.score.votes, -result.score.points, -result.score.votes))


def _scores(
    image_model: ImageModel, competitions: Collection[int]
) -> tuple[dict[int, dict[int, Score]], dict[int, Score]]:
    """Competition → model → its score there, models without votes are absent; and prompt → this model's score."""
    if not competitions:
        return {}, {}
    records = Record.objects.order_by()
    added = {"w": Sum("won"), "t": Sum(F("tied") + F("both_bad")), "n": Sum("lost")}
    of_all = records.filter(prompt__competition__in=competitions).values_list("prompt__competition", "image_model")
    own = records.filter(image_model=image_model).values_list("prompt", Value(None, BigIntegerField()))
    by_competition: dict[int, dict[int, Score]] = {}
    by_prompt: dict[int, Score] = {}
    for key, model, won, tied, lost in of_all.annotate(**added).union(own.annotate(**added), all=True):
        if model is None:
            by_prompt[key] = CompetitionScore(won, tied, lost)
        elif won + tied + lost:
            by_competition.setdefault(key, {})[model] = CompetitionScore(won, tied, lost)
    return by_competition, by_prompt


@dataclass(frozen=True, slots=True)
class TagScore:
    """How the model does on prompts of one kind."""

    tag: str
    prompts: int
    score: Score


def _uses(entries: Iterable[Entry], scores: dict[int, Score]) -> list[TagScore]:
    """By tag of the prompts it answered: those with votes enough, the best share first."""
    prompts = {entry.prompt_id: entry.prompt for entry in entries}
    scores_by_tag: dict[str, list[Score]] = {}
    for pk, prompt in prompts.items():
        for tag in prompt.tags:
            scores_by_tag.setdefault(tag, []).append(scores.get(pk, CompetitionScore()))
    added = [
        TagScore(
            tag,
            len(tag_scores),
            CompetitionScore(
                sum(s.won for s in tag_scores), sum(s.tied for s in tag_scores), sum(s.lost for s in tag_scores)
            ),
        )
        for tag, tag_scores in scores_by_tag.items()
    ]
    enough = sorted((use for use in added if use.score.votes >= ENOUGH), key=lambda use: -use.score.votes)
    return sorted(enough[:USES], key=lambda use: (-use.score.points, use.tag))
