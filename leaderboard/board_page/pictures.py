"""The images that a board shows beside its models, by how often voters preferred them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_

from django.db.models import ExpressionWrapper, F, FloatField, Q, Window
from django.db.models.functions import RowNumber

from arena.models import Category, Entry
from leaderboard.models import Record

BEST, WORST = 3, 2  # of each model


@dataclass(frozen=True, slots=True)
class RatedImage:
    """An image with the share of its votes that it won, a tie being half."""

    entry: Entry
    share: float
    votes: int

    @property
    def surely(self) -> float:
        """What the image is ranked by: its share with a vote won and a vote lost added, for one vote is little."""
        return (self.share * self.votes + 1) / (self.votes + 2)

    @property
    def is_poster(self) -> bool:
        """Taller than wide: a square cut from it would lose the lettering that is judged."""
        return self.entry.height > self.entry.width


def of_models(
    category: Category | None, models: Sequence[int], hidden: Collection[int] = ()
) -> dict[int, list[RatedImage]]:
    """By model id, its most preferred images and then its least; none twice, none of `hidden` prompts. Two queries.

    Without a category, of all that rate votes cast here.
    """
    votes = F("won") + F("tied") + F("both_bad") + F("lost")
    won = F("won") + (F("tied") + F("both_bad")) / 2.0
    share = ExpressionWrapper(won / (1.0 * votes), FloatField())
    surely = ExpressionWrapper((won + 1.0) / (2.0 + votes), FloatField())  # as RatedImage.surely
    records = (
        Record.objects.filter(prompt__competition__is_published=True, image_model__in=models)
        .filter(**({"prompt__competition__category": category} if category else {}))
        .exclude(prompt__in=list(hidden))
        .annotate(votes=votes)
        .filter(votes__gt=0)
        .annotate(share=share, surely=surely)
        .annotate(
            best=Window(
                RowNumber(), partition_by=F("image_model"), order_by=[F("surely").desc(), F("votes").desc(), "pk"]
            ),
            worst=Window(RowNumber(), partition_by=F("image_model"), order_by=[F("surely"), F("votes").desc(), "pk"]),
        )
        .filter(Q(best__lte=BEST) | Q(worst__lte=WORST))
        .order_by("image_model", "best")
    )
    rows = list(records)
    prompts: dict[int, list[int]] = defaultdict(list)
    for row in rows:
        prompts[row.image_model_id].append(row.prompt_id)
    # Each model's own: the images of all models on all these prompts would be thirty times as many.
    of_rows = reduce(or_, (Q(image_model=model, prompt__in=own) for model, own in prompts.items()), Q(pk=None))
    entries = {
        (entry.prompt_id, entry.image_model_id): entry
        for entry in Entry.objects.current()
        .filter(of_rows, generation__sample=0)
        .select_related("prompt", "image_model", "call__offering")
    }
    pictures: dict[int, list[RatedImage]] = defaultdict(list)
    for row in rows:
        if entry := entries.get((row.prompt_id, row.image_model_id)):
            pictures[row.image_model_id].append(RatedImage(entry, row.share, row.votes))
    return dict(pictures)
