"""What it would cost to ask the models, shown before anything is asked, and how far they have come."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, cast

from django.db.models import Count, Q, Sum
from django.utils import timezone

from arena.models import Competition, Generation
from providers import routing
from providers.accounts import is_simulated
from providers.models import ImageModel
from providers.performance import recent
from providers.request import ImageRequest, Mode
from providers.spending import costs

RESOLUTION = "1K"
RATE_WINDOW = timedelta(minutes=10)  # over which images a minute are counted
Status = Generation.Status


@dataclass(frozen=True, slots=True)
class Counts:
    """How many of a model's images of a competition's current prompts are where, and what they have cost so far."""

    queued: int = 0
    running: int = 0
    storing: int = 0
    done: int = 0
    failures: dict[str, int] = field(default_factory=dict)  # outcome → images, refusals of the content included
    spent: Decimal = Decimal(0)  # US dollars, of all attempts
    recent_images: int = 0  # done within RATE_WINDOW

    @property
    def planned(self) -> int:
        return self.unfinished + self.done + self.failed

    @property
    def unfinished(self) -> int:
        return self.queued + self.running + self.storing

    @property
    def failed(self) -> int:
        return sum(self.failures.values())

    @property
    def refused(self) -> int:
        return self.failures.get("content_policy", 0)

    @property
    def failed_otherwise(self) -> list[tuple[str, int]]:
        """(outcome, images), the most frequent first; what the provider refused to draw is an answer and not here."""
        rows = [row for row in self.failures.items() if row[0] != "content_policy"]
        return sorted(rows, key=lambda row: (-row[1], row[0]))

    @property
    def a_minute(self) -> float:
        """Images a minute, over the last RATE_WINDOW."""
        return self.recent_images / (RATE_WINDOW.total_seconds() / 60)

    @property
    def time_left(self) -> timedelta | None:
        """At the present rate; None where nothing moves or nothing is left."""
        if not self.unfinished or not self.recent_images:
            return None
        return timedelta(minutes=self.unfinished / self.a_minute)

    @property
    def time_left_text(self) -> str:
        """In minutes, rounded up; in hours from two on; “–” where it is unknown."""
        if self.time_left is None:
            return "–"
        minutes = math.ceil(self.time_left.total_seconds() / 60)
        return f"{minutes} min" if minutes < 120 else f"{minutes / 60:.0f} h"


@dataclass(frozen=True, slots=True)
class Quote:
    """What asking one model for its missing images of a competition would mean. `price` is of one image, if known."""

    image_model: ImageModel
    missing: int
    price: Decimal | None
    estimated: bool
    provider: str  # "" when nobody can be asked for it any more
    simulated: bool  # costs nothing, whatever the price list says
    trouble: str = ""  # why the offering is unhealthy now, "" when it is not
    counts: Counts = field(default_factory=Counts)

    @property
    def queued(self) -> int:
        return self.counts.queued

    @property
    def failed(self) -> int:
        return self.counts.failed

    @property
    def cost(self) -> Decimal | None:
        """Of what is missing, by the price list."""
        return None if self.price is None else self.price * self.missing

    @property
    def real_price(self) -> Decimal:
        """USD that caps count for one image: UNKNOWN_PRICE_CEILING where its price is unknown."""
        return Decimal(0) if self.simulated else costs.budgeted(self.price)

    @property
    def is_unpriced(self) -> bool:
        return self.price is None and not self.simulated

    def asks(self, again: bool) -> int:
        """How many images would be queued; with `again`, failed ones too."""
        return self.missing + (self.failed if again else 0)


def of(competition: Competition) -> list[Quote]:
    """For every model that can be asked in the competition's mode, and for those that were asked before: how many
    images are missing, at what price, and how far the others are. The number of queries does not grow with either."""
    prompts = competition.prompts.current().count()
    counts = counts_of(competition)
    request = request_of(competition)
    askable = list(ImageModel.everything.askable(request.mode).select_related("lab").order_by("name"))
    candidates = routing.candidates_of_many(askable, request)
    first = {image_model: candidates[image_model.pk][0] for image_model in askable if candidates[image_model.pk]}
    troubles = recent.troubles(offering.pk for offering in first.values())
    quotes = [
        Quote(
            image_model,
            missing=prompts - counts.get(image_model.pk, Counts()).planned,
            price=routing.estimate(offering, request),
            estimated=offering.price_estimated,
            provider=offering.provider,
            simulated=is_simulated(offering.provider),
            trouble=troubles.get(offering.pk, ""),
            counts=counts.get(image_model.pk, Counts()),
        )
        for image_model, offering in first.items()
    ]
    gone = counts.keys() - {image_model.pk for image_model in askable}
    return quotes + [
        Quote(image_model, 0, None, estimated=False, provider="", simulated=True, counts=counts[image_model.pk])
        for image_model in ImageModel.everything.filter(pk__in=gone).select_related("lab").order_by("name")
    ]


def counts_of(competition: Competition) -> dict[int, Counts]:
    """Image model → counts, of the models that were ever asked. One query; what was cancelled is not counted."""
    rows = (
        Generation.objects.filter(prompt__competition=competition, prompt__retired_at=None, sample=0)
        .exclude(status=Status.CANCELLED)
        .order_by()
        .values("image_model", "status", "outcome")
        .annotate(
            n=Count("pk"),
            dollars=Sum("spent"),
            recent_images=Count("pk", filter=Q(status=Status.SUCCEEDED, finished_at__gte=timezone.now() - RATE_WINDOW)),
        )
    )
    by_model: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        by_model.setdefault(row["image_model"], []).append({**row})
    return {image_model: _counts(groups) for image_model, groups in by_model.items()}


def _counts(groups: list[dict[str, Any]]) -> Counts:
    def total(status: str) -> int:
        return sum(row["n"] for row in groups if row["status"] == status)

    failures: dict[str, int] = {}
    for row in groups:
        if row["status"] == Status.FAILED:
            outcome = row["outcome"] or "internal"
            failures[outcome] = failures.get(outcome, 0) + row["n"]
    return Counts(
        queued=total(Status.QUEUED),
        running=total(Status.RUNNING),
        storing=total(Status.STORING),
        done=total(Status.SUCCEEDED),
        failures=failures,
        spent=sum((row["dollars"] for row in groups), Decimal(0)),
        recent_images=sum(row["recent_images"] for row in groups),
    )


def request_of(competition: Competition) -> ImageRequest:
    """The request of every prompt of the competition without text and source image: enough to know the price."""
    mode = cast(Mode, competition.category.mode)
    return ImageRequest(prompt="", mode=mode, aspect_ratio=competition.shape, resolution=RESOLUTION)
