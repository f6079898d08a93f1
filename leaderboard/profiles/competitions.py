"""How a model did in each competition: its record, its images."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import F, OuterRef, QuerySet
from django.db.models.functions import JSONObject

from arena.models import Competition, Entry
from leaderboard.board.image_records import Score
from leaderboard.board_page.pictures import BEST, WORST, RatedImage
from leaderboard.models import Record
from providers.models import ImageModel

IMAGES = 6  # shown of one competition
ORDERS = ("new", "best", "worst")  # of a gallery
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


def with_records(image_models: QuerySet[ImageModel]) -> QuerySet[ImageModel]:
    """With how each one's images did, prompt by prompt, read in the query that finds it."""
    records = Record.objects.filter(image_model=OuterRef("pk")).order_by()
    tied = F("tied") + F("both_bad")
    row = JSONObject(prompt="prompt", competition="prompt__competition", won="won", tied=tied, lost="lost")
    return image_models.annotate(own_records=ArraySubquery(records.values(row=row)))


def results_and_uses(
    image_model: ImageModel, entries: Sequence[Entry], hidden: Collection[int] = ()
) -> tuple[list[CompetitionResult], list[TagScore], list[RatedImage]]:
    """Every competition among the model's entries, the best share first; how it does by tag; and its most and least
    preferred images."""
    own, by_competition = _records(image_model)
    scores = {pk: _added(of_prompts) for pk, of_prompts in by_competition.items()}
    return _results(entries, scores, hidden), _uses(entries, own), _extremes(shown(entries, hidden), own)


def gallery(image_model: ImageModel, entries: Sequence[Entry], order: str) -> list[RatedImage]:
    """The entries with their votes in one of `ORDERS`; those without votes come after the best or worst."""
    images = _rated(entries, _records(image_model)[0])
    if order == "new":
        return images
    sign = 1 if order == "worst" else -1
    return sorted(images, key=lambda image: (not image.votes, sign * image.surely, -image.votes, image.entry.pk))


def _records(image_model: ImageModel) -> tuple[dict[int, Score], dict[int, list[Score]]]:
    """Its score by prompt, and its scores on the prompts of each competition."""
    if not hasattr(image_model, "own_records"):
        image_model = with_records(ImageModel.objects.all()).get(pk=image_model.pk)
    by_prompt: dict[int, Score] = {}
    by_competition: dict[int, list[Score]] = {}
    for row in image_model.own_records:  # type: ignore[attr-defined]  # annotated
        by_prompt[row["prompt"]] = CompetitionScore(row["won"], row["tied"], row["lost"])
        by_competition.setdefault(row["competition"], []).append(by_prompt[row["prompt"]])
    return by_prompt, by_competition


def _added(scores: Collection[Score]) -> CompetitionScore:
    return CompetitionScore(
        sum(score.won for score in scores), sum(score.tied for score in scores), sum(score.lost for score in scores)
    )


def _extremes(entries: Iterable[Entry], scores: dict[int, Score]) -> list[RatedImage]:
    rated = [image for image in _rated(entries, scores) if image.votes]
    rated.sort(key=lambda image: (-image.surely, -image.votes, image.entry.pk))
    return rated if len(rated) <= BEST + WORST else [*rated[:BEST], *rated[-WORST:]]


def _rated(entries: Iterable[Entry], scores: Mapping[int, Score]) -> list[RatedImage]:
    own = [(entry, scores.get(entry.prompt_id, CompetitionScore())) for entry in entries]
    return [RatedImage(entry, score.points, score.votes) for entry, score in own]


def _results(entries: Iterable[Entry], scores: Mapping[int, Score], hidden: Collection[int]) -> list[CompetitionResult]:
    grouped: dict[int, list[Entry]] = {}
    for entry in entries:
        grouped.setdefault(entry.prompt.competition_id, []).append(entry)
    results = []
    for pk, rows in grouped.items():
        visible = shown(rows, hidden)
        results.append(
            CompetitionResult(
                competition=rows[0].prompt.competition,
                score=scores.get(pk, CompetitionScore()),
                entries=tuple(visible[:IMAGES]),
                hidden=len(visible) < len(rows),
            )
        )
    return sorted(results, key=lambda result: (not result.score.votes, -result.score.points, -result.score.votes))


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
    added = [TagScore(tag, len(of_prompts), _added(of_prompts)) for tag, of_prompts in scores_by_tag.items()]
    enough = sorted((use for use in added if use.score.votes >= ENOUGH), key=lambda use: -use.score.votes)
    return sorted(enough[:USES], key=lambda use: (-use.score.points, use.tag))
