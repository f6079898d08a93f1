"""Records: how each model's image of each prompt did, counted from the votes whenever they moved.

Competitions, their galleries and uses are read from here; at millions of votes nobody may count them per page.
In a large category they are added up from the tallies of images, whose number does not grow with votes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from time import monotonic
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Func, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from arena.models import Category, Competition, Prompt
from leaderboard.board import pair_counts, prompt_tallies, raw_votes
from leaderboard.models import Record, RecordCount
from providers.models import ImageModel

_LOCK_CLASS = 0x5245434F  # "RECO": the first key of the advisory lock; the second is the category
SHARE_OF_TIME = 0.1  # counting a category takes at most this part of the database's time

# Both sides of every counted vote, added up. A model that met itself, as in checks of providers, has no record of it.
_COUNT = """
INSERT INTO leaderboard_record (prompt_id, image_model_id, won, tied, both_bad, lost)
SELECT prompt_id, model_id,
       coalesce(sum(n) FILTER (WHERE result = 'won'), 0), coalesce(sum(n) FILTER (WHERE result = 'tie'), 0),
       coalesce(sum(n) FILTER (WHERE result = 'both_bad'), 0), coalesce(sum(n) FILTER (WHERE result = 'lost'), 0)
FROM (
    SELECT pairs.prompt_id, side.model_id, side.result, pairs.n
    FROM (
        SELECT b.prompt_id, v.left_model_id, v.right_model_id, v.outcome, count(*) AS n
        FROM arena_vote v JOIN arena_battle b ON b.id = v.battle_id
        WHERE v.category_id = %(category)s AND v.excluded_reason = '' AND v.left_model_id <> v.right_model_id
        GROUP BY 1, 2, 3, 4
    ) pairs,
    LATERAL (VALUES
        (left_model_id, CASE outcome WHEN 'left' THEN 'won' WHEN 'right' THEN 'lost' ELSE outcome END),
        (right_model_id, CASE outcome WHEN 'left' THEN 'lost' WHEN 'right' THEN 'won' ELSE outcome END)
    ) AS side (model_id, result)
) counted
GROUP BY 1, 2
"""
_ADD_UP = f"""
INSERT INTO leaderboard_record (prompt_id, image_model_id, won, tied, both_bad, lost)
SELECT low.prompt_id, side.model_id, sum(won), sum(t.ties), sum(t.both_bad), sum(lost) {prompt_tallies.SIDES}
GROUP BY 1, 2 HAVING sum(won + t.ties + t.both_bad + lost) > 0
"""


# Votes on prompts, in an aggregate: every one of them is in two records.
VOTES = Coalesce(Sum(F("records__won") + F("records__tied") + F("records__both_bad") + F("records__lost")) / 2, 0)


class Score:
    """What a model's votes come to. A both-bad vote is a tie that pleased nobody."""

    __slots__ = ()
    won: int
    tied: int  # both-bad votes included
    lost: int

    @property
    def votes(self) -> int:
        return self.won + self.tied + self.lost

    @property
    def points(self) -> float:
        """Share of the votes won, 0 to 1, a tie being half; 0 without votes."""
        return (self.won + self.tied / 2) / self.votes if self.votes else 0.0


@dataclass(frozen=True, slots=True)
class ImageRecord(Score):
    """A model's votes added up over some prompts."""

    image_model: ImageModel
    won: int = 0
    tied: int = 0
    both_bad: int = 0
    lost: int = 0

    @property
    def keeper_rate(self) -> float | None:
        """Share of its votes (0 to 1) in which it was not one of two bad images; None without votes."""
        return 1 - self.both_bad / self.votes if self.votes else None


def recount_moved() -> list[Category]:
    """Recount every category whose tallies moved; returns those that were."""
    return [category for category in Category.everything.all() if recount(category)]


def recount(category: Category, *, force: bool = False) -> bool:
    """Bring the category's records up to date. False when they are, when it is too soon, or somebody else is at it."""
    with transaction.atomic():
        if not _locked(category):
            return False
        last = RecordCount.objects.filter(category=category).first()
        moved = pair_counts.state(category)
        if not force and last is not None:
            if last.tallies_changed_at == moved.changed_at:
                return False
            if timezone.now() < last.counted_at + last.took / SHARE_OF_TIME:
                return False
        began = monotonic()
        Record.everything.filter(prompt__competition__category=category).delete()
        with connection.cursor() as cursor:
            cursor.execute(_COUNT if moved.votes < raw_votes.LARGE else _ADD_UP, {"category": category.pk})
        RecordCount.objects.update_or_create(
            category=category,
            defaults={
                "tallies_changed_at": moved.changed_at,
                "counted_at": timezone.now(),
                "took": timedelta(seconds=monotonic() - began),
            },
        )
    return True


def of_competition(competition: Competition) -> list[ImageRecord]:
    """Every model with an entry in the competition and its record there, best share first; no votes, last."""
    added = Record.everything.filter(prompt__competition=competition).order_by().values("image_model")
    sums: dict[int, dict[str, Any]] = {row["image_model"]: {**row} for row in added.annotate(**_SUMS)}
    models = ImageModel.everything.filter(entries__prompt__competition=competition).select_related("lab").distinct()
    return in_order(_result(model, sums.get(model.pk, {})) for model in models)


def on_prompts(prompts: Iterable[int], models: Iterable[ImageModel] | None = None) -> dict[int, dict[int, ImageRecord]]:
    """Prompt → model → how that model's image did; of all models, or of these."""
    by_prompt: dict[int, dict[int, ImageRecord]] = {}
    rows = Record.everything.filter(prompt__in=list(prompts)).select_related("image_model")
    for row in rows if models is None else rows.filter(image_model__in=models):
        result = ImageRecord(row.image_model, row.won, row.tied + row.both_bad, row.both_bad, row.lost)
        by_prompt.setdefault(row.prompt_id, {})[row.image_model_id] = result
    return by_prompt


def tags(category: Category) -> list[tuple[str, int]]:
    """The tags of the category's published prompts with the votes cast on them, most first."""
    published = Prompt.objects.current().filter(competition__category=category, competition__is_published=True)
    tag = Func(F("tags"), function="unnest")
    return list(published.order_by().values_list(tag).annotate(votes=VOTES).order_by("-votes", tag))


def in_order(results: Iterable[ImageRecord]) -> list[ImageRecord]:
    return sorted(
        results, key=lambda result: (not result.votes, -result.points, -result.votes, result.image_model.name)
    )


_SUMS = {f"all_{name}": Sum(name) for name in ("won", "tied", "both_bad", "lost")}


def _result(image_model: ImageModel, sums: Mapping[str, int]) -> ImageRecord:
    won, tied, both_bad, lost = (sums.get(name, 0) for name in _SUMS)
    return ImageRecord(image_model, won, tied + both_bad, both_bad, lost)


def _locked(category: Category) -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, %s)", [_LOCK_CLASS, category.pk])
        return bool(cursor.fetchone()[0])
