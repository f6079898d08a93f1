"""Finding models, labs and competitions by a few letters, misspelt ones too.

Names are matched by trigrams (pg_trgm): “flx” finds FLUX, “halogn” finds Halogen. Competitions are found by their title
likewise, and by the words of their prompts, stemmed as English.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from django.contrib.postgres.search import SearchQuery, SearchVector, TrigramWordSimilarity
from django.db.models import Case, FloatField, Q, QuerySet, Value, When
from django.db.models.functions import Greatest
from django.utils.translation import gettext

from arena.models import Competition, Prompt
from providers.models import ImageModel, Lab

SHORTEST, LONGEST = 2, 100  # characters
ALIKE = 0.4  # of the letters' trigrams; below, finds look like accidents
MOST = 20  # of each kind


@dataclass(frozen=True, slots=True)
class Found:
    """What was found, the best match first; `message` says why nothing was looked for."""

    models: list[ImageModel] = field(default_factory=list)
    labs: list[Lab] = field(default_factory=list)
    competitions: list[Competition] = field(default_factory=list)
    message: str = ""

    def __len__(self) -> int:
        return len(self.models) + len(self.labs) + len(self.competitions)


def find(text: str) -> Found:
    """Three queries, or none where the text is too short or too long."""
    text = " ".join(text.replace("\x00", " ").split())
    if len(text) < SHORTEST:
        return Found(message=gettext("Type at least %(n)s letters.") % {"n": SHORTEST} if text else "")
    if len(text) > LONGEST:
        message = gettext("That is %(n)s characters; at most %(most)s can be searched for.")
        return Found(message=message % {"n": len(text), "most": LONGEST})
    words = SearchQuery(text, config="english", search_type="websearch")
    asked = Prompt.objects.current().annotate(vector=SearchVector("text", config="english")).filter(vector=words)
    models = ImageModel.objects.select_related("lab").prefetch_related("ratings__category")
    return Found(
        models=list(_alike(models, text, "name", "slug", "lab__name")),
        labs=list(_alike(Lab.objects.filter(image_models__isnull=False).distinct(), text, "name", "slug")),
        competitions=list(
            _alike(
                Competition.objects.published().select_related("category"), text, "title",
                also=Q(pk__in=asked.values("competition")),
            )
        ),
    )  # fmt: skip


def _alike(rows: QuerySet[Any], text: str, *names: str, also: Q | None = None) -> QuerySet[Any]:
    """Rows with a name that contains the text, or is like it; those that begin with it first."""
    first = names[0]
    contains = Q()
    for name in names:
        contains |= Q(**{f"{name}__icontains": text})
    measures = [TrigramWordSimilarity(text, name) for name in names]
    alike = Greatest(*measures) if len(measures) > 1 else measures[0]
    begins = Case(When(**{f"{first}__istartswith": text}, then=Value(1.0)), default=0.0, output_field=FloatField())
    condition = contains | Q(alike__gte=ALIKE)
    matches: QuerySet[Any] = rows.annotate(alike=alike, begins=begins).filter(
        condition if also is None else condition | also
    )
    return matches.order_by("-begins", "-alike", first)[:MOST]
