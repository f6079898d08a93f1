"""The images that a model's best and worst images met."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db.models import F, Q

from arena.models import Entry, ImageTally
from leaderboard.board_page.pictures import RatedImage

GONE = ("hidden_at", "retired_at", "image_model__retired_at")  # set: an image competes no more


@dataclass(frozen=True, slots=True)
class OpponentImage:
    own: RatedImage
    opponent: Entry | None  # None: no image that still competes met it


@dataclass(frozen=True, slots=True)
class Opponents:
    """`results` with the image that each met most often; `by_model` an opponent's image by its model's id.

    The latter are of the first result's prompt where they met there, so that most of them answer the same one.
    """

    results: Sequence[OpponentImage] = ()
    by_model: Mapping[int, Entry] = field(default_factory=dict)


def of_results(results: Sequence[RatedImage]) -> Opponents:
    """In the order of `results`, in one query; none without results."""
    if not results:
        return Opponents()
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
    met: dict[int, list[Entry]] = defaultdict(list)
    for tally in tallies:  # the pair with the most votes comes last
        mine, theirs = (tally.low, tally.high) if tally.low_id in own else (tally.high, tally.low)
        met[mine.pk].append(theirs)
    results_met = [(result, met[result.entry.pk]) for result in results]
    return Opponents(
        [OpponentImage(result, images[-1] if images else None) for result, images in results_met],
        {image.image_model_id: image for _, images in reversed(results_met) for image in images},
    )
