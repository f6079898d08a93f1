"""Making the images: plan, hand out, claim, run, store.

The rows are the queue. A worker owns a generation by moving it to `running` in one UPDATE (compare-and-set) and keeps
it for the length of its lease; when a worker dies, the lease runs out and the row is due again. Whatever a worker
brings home is stored only while its own attempt still owns the row, so nothing is ever stored twice.
"""

from __future__ import annotations

import logging
import random
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import cast

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone

from providers import routing
from providers.errors import ProviderError
from providers.models import ImageModel
from providers.request import ImageRequest, Mode, SourceImage

from . import images
from .models import Competition, Entry, Generation, Prompt

log = logging.getLogger(__name__)

REDISPATCH_SECONDS = 10  # a hint that nobody acted on for this long was lost: it is sent again
DISPATCH_LIMIT = 200  # hints in one go; what is left waits for the next tick
RESOLUTION = "1K"


# Plan ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Quote:
    """What asking one model for its missing images of a competition would mean. `cost` is None without a price."""

    image_model: ImageModel
    missing: int
    cost: Decimal | None
    estimated: bool
    provider: str


def plan(prompt: Prompt, image_models: Iterable[ImageModel]) -> int:
    """Queue what is missing of these models' answers to the prompt; returns how many were queued. Again: 0."""
    with transaction.atomic():
        before = prompt.generations.count()
        Generation.objects.bulk_create(
            [
                Generation(prompt=prompt, image_model=image_model, attempts_left=settings.GENERATION_ATTEMPTS)
                for image_model in image_models
            ],
            ignore_conflicts=True,
        )
        return prompt.generations.count() - before


def quote(competition: Competition) -> list[Quote]:
    """For every model that can be asked in the competition's mode: how many images are missing and their price."""
    prompts = list(competition.prompts.current())
    existing = set(Generation.objects.filter(prompt__in=prompts, sample=0).values_list("prompt_id", "image_model_id"))
    mode = cast(Mode, competition.category.mode)
    wanted = ImageRequest(prompt="", mode=mode, aspect_ratio=competition.shape, resolution=RESOLUTION)
    quotes = []
    for image_model in ImageModel.objects.askable(mode).select_related("lab"):
        missing = sum((prompt.pk, image_model.pk) not in existing for prompt in prompts)
        offering = routing.candidates(image_model, wanted)[0]
        price = routing.estimate(offering, wanted)
        quotes.append(
            Quote(
                image_model,
                missing,
                None if price is None else price * missing,
                offering.price_estimated,
                offering.provider,
            )
        )
    return quotes


def ask_again(generations: Iterable[Generation]) -> int:
    """Queue failed generations once more; returns how many. The row keeps its count of attempts, which fences it."""
    return Generation.objects.filter(pk__in=[each.pk for each in generations], status="failed").update(
        status="queued",
        due_at=timezone.now(),
        attempts_left=settings.GENERATION_ATTEMPTS,
        dispatched_at=None,
        started_at=None,
        finished_at=None,
    )


# Hand out ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def take_due() -> list[int]:
    """The generations to send out hints for: due, and not hinted at in the last few seconds."""
    now = timezone.now()
    due = (
        Generation.objects.due()
        .filter(Q(dispatched_at=None) | Q(dispatched_at__lte=now - timedelta(seconds=REDISPATCH_SECONDS)))
        .order_by("due_at")
    )
    with transaction.atomic():
        pks = list(due.select_for_update(skip_locked=True).values_list("pk", flat=True)[:DISPATCH_LIMIT])
        Generation.objects.filter(pk__in=pks).update(dispatched_at=now)
    return pks


# Run ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def run(pk: int) -> None:
    """Run one generation if it is due, and leave it succeeded, failed or queued again. Safe to call any time, twice."""
    generation = claim(pk)
    if generation is None:
        return
    try:
        generated = routing.generate(
            generation.image_model,
            request_for(generation.prompt),
            "arena",
            time_limit=settings.GENERATION_TIME_LIMIT,
        )
        derivatives = images.normalise(generated.image.data, generation.prompt.competition.shape)
    except ProviderError as error:
        # What may have been charged already is tried once more, and not until the attempts are used up.
        again = error.retry and not (error.possibly_charged and generation.attempt > 1)
        _settle(generation, error.outcome, str(error), retry=again, retry_after=error.retry_after)
    except images.BadImage as error:
        _settle(generation, "bad_output", str(error), retry=False)
    except Exception as error:  # whatever it is, the row must say so instead of waiting for its lease to run out
        log.exception("generation %s", pk)
        _settle(generation, "internal", f"{type(error).__name__}: {error}", retry=True)
    else:
        store(generation, generated, derivatives)


def claim(pk: int) -> Generation | None:
    """Own the generation for one attempt, or None when it is not due (any more) or out of attempts."""
    now = timezone.now()
    lease = timedelta(seconds=settings.GENERATION_TIME_LIMIT + settings.GENERATION_LEASE_GRACE)
    due = Generation.objects.due().filter(pk=pk)
    claimed = due.filter(attempts_left__gt=0).update(
        status="running",
        attempt=F("attempt") + 1,
        attempts_left=F("attempts_left") - 1,
        started_at=now,
        lease_expires_at=now + lease,
        outcome="",
        error="",
    )
    if not claimed:
        # Only a generation whose every worker died can be due without attempts left.
        due.filter(status="running", attempts_left=0).update(
            status="failed",
            finished_at=now,
            lease_expires_at=None,
            outcome="internal",
            error="Every worker that tried this died before it was done.",
        )
        return None
    return Generation.objects.select_related("prompt__competition__category", "image_model").get(pk=pk)


def request_for(prompt: Prompt) -> ImageRequest:
    """What every model is asked for this prompt: the same words, shape and scale."""
    sources: tuple[SourceImage, ...] = ()
    if prompt.source_image:
        with prompt.source_image.open("rb") as file:
            sources = (SourceImage(file.read(), "image/jpeg"),)
    return ImageRequest(
        prompt=prompt.text,
        mode="edit" if sources else "text-to-image",
        aspect_ratio=prompt.competition.shape,
        resolution=RESOLUTION,
        images=sources,
    )


def store(generation: Generation, generated: routing.Generated, derivatives: images.Derivatives) -> Entry | None:
    """Make the entry, unless this attempt has lost the row meanwhile: then its files are thrown away again."""
    data = generated.image.data
    files = {
        "image": _save("battle", "webp", derivatives.image),
        "small": _save("battle", "webp", derivatives.small),
        "thumbnail": _save("public", "webp", derivatives.thumbnail),
        "original": _save("originals", images.extension(data), data),
    }
    with transaction.atomic():
        if _owned(generation).update(status="succeeded", finished_at=timezone.now(), lease_expires_at=None):
            return Entry.objects.create(
                generation=generation,
                prompt=generation.prompt,
                image_model=generation.image_model,
                call=generated.call,
                width=derivatives.width,
                height=derivatives.height,
                **files,
            )
    log.warning("generation %s: attempt %s came too late", generation.pk, generation.attempt)
    for name in files.values():
        default_storage.delete(name)
    return None


def _save(folder: str, extension: str, data: bytes) -> str:
    """Store under a name that says nothing."""
    return default_storage.save(f"{folder}/{secrets.token_hex(16)}.{extension}", ContentFile(data))


def _settle(generation: Generation, outcome: str, error: str, *, retry: bool, retry_after: float | None = None) -> None:
    """No image: queue the row again after a growing pause, or fail it with the reason."""
    again = retry and generation.attempts_left > 0
    now = timezone.now()
    if again:
        _owned(generation).update(
            status="queued",
            due_at=now + _pause(generation.attempt, retry_after),
            dispatched_at=None,
            started_at=None,
            lease_expires_at=None,
            outcome=outcome,
            error=error,
        )
    else:
        _owned(generation).update(status="failed", finished_at=now, lease_expires_at=None, outcome=outcome, error=error)


def _owned(generation: Generation) -> models.QuerySet[Generation]:
    """The row, as long as this attempt owns it."""
    return cast(
        "models.QuerySet[Generation]",
        Generation.objects.filter(pk=generation.pk, status="running", attempt=generation.attempt),
    )


def _pause(attempt: int, retry_after: float | None) -> timedelta:
    """5, 10, 20 … seconds with jitter, so that a provider's bad minute is not answered by a thundering herd."""
    seconds = settings.GENERATION_BACKOFF * 2 ** (attempt - 1) * random.uniform(0.75, 1.25)  # noqa: S311 – jitter
    return timedelta(seconds=max(seconds, retry_after or 0))
