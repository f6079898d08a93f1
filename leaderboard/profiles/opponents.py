"""What a model's best and worst images stand against: of each prompt the image that they met most often."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from django.db.models import F, Q

from arena.models import Entry, ImageTally
from leaderboard.board_page.pictures import RatedImage

GONE = ("hidden_at", "retired_at", "image_model__retired_at")  # set: an image competes no more


@dataclass(frozen=True, slots=True)
class OpponentImage:
    own: RatedImage
    opponent: Entry | None  # None: no image that still competes met it


def of_results(results: Sequence[RatedImage]) -> list[OpponentImage]:
    """In the order of `results`, in one query; none without results."""
    if not results:
        return []
    own = {result.entry.pk for result in results}
    model = results[0].entry.image_model_id
    tallies = (
        ImageTally.objects.filter(Q(low__in=own) | Q(high__in=own))
        .filter(low__prompt__in={result.entry.prompt_id for result in results})  # by its index
        .filter(**{f"{side}__{gone}": None for side in ("low", "high") for gone in GONE})
        .exclude(low__image_model=model, high__image_model=model)
        .order_by(F("low_wins") + F("high_wins") + F("ties") + F("both_bad"), "pk")
        .select_related("low__image_model", "high__image_model")
    )
    most: dict[int, Entry] = {}
    for tally in tallies:  # the pair with the most votes comes last
        mine, theirs = (tally.low, tally.high) if tally.low_id in own else (tally.high, tally.low)
        most[mine.pk] = theirs
    return [OpponentImage(result, most.get(result.entry.pk)) for result in results]
