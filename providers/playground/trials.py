"""Trials: planned within what visitors may cost, run by the workers, forgotten after a day.

Rows are the queue, as in the arena: beat tells the workers which rows wait, a worker claims one by compare-and-set, and
a lost message is sent again. A trial whose worker died has failed: whoever waits for it presses the button again.

Without a key, sample models are free and other models are asked only within PLAYGROUND_DAILY_BUDGET. With a key its own
budget holds, and its log shows the trial.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from time import monotonic
from typing import cast

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection, transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from providers import routing
from providers.accounts import is_simulated
from providers.errors import ProviderError
from providers.gateway import keys, responses
from providers.gateway.errors import Refusal
from providers.gateway.image_formats import EXTENSIONS
from providers.gateway.wire import Asked
from providers.models import ApiKey, GatewayRequest, ImageModel, Trial
from providers.request import ImageRequest, Mode, SourceImage
from providers.routing.results import Generated
from providers.spending.daily_cap import dollars, midnight
from providers.transfer.image_type import measured

from .forms import NotTried, Wanted
from .visitors import KEPT

FOLDER = "playground"
SEND_AGAIN = 10  # seconds after which a message counts as lost


def price_of(model: ImageModel, asked: Asked) -> tuple[Decimal | None, bool]:
    """(what one image will probably cost by the price list, is that real money?)"""
    offerings = routing.candidates(model, asked.request())
    if not offerings:
        return None, False
    return routing.estimate(offerings[0], asked.request()), not is_simulated(offerings[0].provider)


def plan(wanted: Wanted, visitor: str, address: str) -> uuid.UUID:
    """Queue one trial for each model; the group they share. Raises NotTried when it would be too much."""
    _throttle(wanted, visitor, address)
    priced = {model: price_of(model, asked) for model, asked in wanted.asked.items()}
    sources = _store_sources(next(iter(wanted.asked.values())).images)
    group = uuid.uuid4()
    rows = [
        Trial(
            group=group,
            position=position,
            visitor=visitor,
            api_key=wanted.key,
            image_model=model,
            mode=asked.mode,
            prompt=asked.prompt,
            size=asked.size or "",
            seed=asked.seed,
            sources=sources,
            price=priced[model][0],
        )
        for position, (model, asked) in enumerate(wanted.asked.items())
    ]
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('playground budget', 0))")
        _check_budget(wanted.key, list(priced.values()))
        Trial.objects.bulk_create(rows)
    return group


def _throttle(wanted: Wanted, visitor: str, address: str) -> None:
    if wanted.key is not None:
        try:
            keys.admit(wanted.key)
        except Refusal as refusal:
            raise NotTried(refusal.message, status=429) from refusal
        return
    for place, limit in ((visitor, settings.PLAYGROUND_RATE), (address, settings.PLAYGROUND_RATE * 3)):
        allowance = keys.take(f"playground:{place}", limit)
        if allowance.remaining is not None and allowance.remaining < 0:
            message = (
                f"That was quick: {limit} tries a minute are free. Wait {allowance.reset:.0f} s, or use an API key."
            )
            raise NotTried(message, status=429)


def _check_budget(key: ApiKey | None, prices: Sequence[tuple[Decimal | None, bool]]) -> None:
    if key is not None:
        try:
            keys.check_budget(key, sum((price or Decimal(0) for price, _ in prices), Decimal(0)))
        except Refusal as refusal:
            raise NotTried(refusal.message, "key", 402) from refusal
        return
    real = [price for price, is_real in prices if is_real]
    if not real:
        return
    left = free_budget() - spent_today()
    if any(price is None for price in real) or sum(filter(None, real), Decimal(0)) > left:
        raise NotTried(
            f"This costs more than what is left of today's free budget ({dollars(max(left, Decimal(0)))}). Try a "
            "sample model, come back tomorrow, or use an API key.",
            "model",
            402,
        )


def free_budget() -> Decimal:
    found: Decimal = settings.PLAYGROUND_DAILY_BUDGET or Decimal(0)
    return found


def spent_today() -> Decimal:
    """Real money of today's trials without a key; those not over count with their price."""
    today = Trial.objects.filter(api_key=None, asked_at__gte=midnight())
    over = today.aggregate(total=Sum("spent"))["total"] or Decimal(0)
    open_models = today.filter(status__in=["queued", "running"]).exclude(image_model__origin="sample")
    under_way = open_models.aggregate(total=Sum(Coalesce(F("price"), Decimal(0))))["total"] or Decimal(0)
    return Decimal(over) + Decimal(under_way)


def _store_sources(images: Sequence[SourceImage]) -> list[str]:
    return [
        default_storage.save(f"{FOLDER}/{uuid.uuid4().hex}.{EXTENSIONS[image.content_type]}", ContentFile(image.data))
        for image in images
    ]


# Running ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def take_due() -> list[str]:
    """The trials to tell the workers of now."""
    now = timezone.now()
    due = Trial.objects.waiting().filter(Q(sent_at=None) | Q(sent_at__lt=now - timedelta(seconds=SEND_AGAIN)))
    found = [str(pk) for pk in due.order_by("asked_at").values_list("pk", flat=True)[:50]]
    Trial.objects.filter(pk__in=found).update(sent_at=now)
    return found


def run(pk: str) -> None:
    """Make the image, if nobody else has begun to."""
    if not Trial.objects.filter(pk=pk, status="queued").update(status="running", started_at=timezone.now()):
        return
    trial: Trial = Trial.objects.select_related("image_model", "api_key").get(pk=pk)
    begun = monotonic()
    try:
        generated = routing.generate(
            trial.image_model, _request(trial), "playground", time_limit=settings.GENERATION_TIME_LIMIT
        )
    except ProviderError as error:
        took = timedelta(seconds=monotonic() - begun)
        cost = responses.cost_of(error.attempts)
        _end(trial, status="failed", error=_told(error), duration=took, spent=error.spent, cost=cost)
        _log(trial, took, cost, error=error)
        return
    image = generated.image
    name = default_storage.save(f"{FOLDER}/{trial.pk.hex}.{EXTENSIONS[image.content_type]}", ContentFile(image.data))
    _end(
        trial,
        status="done",
        file=name,
        width=image.width,
        height=image.height,
        duration=timedelta(seconds=monotonic() - begun),
        provider=generated.provider,
        cost=generated.cost,
        spent=generated.spent,
    )
    _log(trial, timedelta(seconds=monotonic() - begun), generated.cost or Decimal(0), generated=generated)


def _request(trial: Trial) -> ImageRequest:
    images = []
    for name in trial.sources:
        with default_storage.open(name, "rb") as file:
            found = measured(file.read())
        images.append(SourceImage(found.data, found.content_type))
    return ImageRequest(
        prompt=trial.prompt, mode=cast(Mode, trial.mode), size=trial.size or None, seed=trial.seed, images=tuple(images)
    )


def _told(error: ProviderError) -> str:
    return str(error) or type(error).__name__


def _end(trial: Trial, **fields: object) -> None:
    """Only who has it at work may end it: what was given up meanwhile stays so."""
    Trial.objects.filter(pk=trial.pk, status="running").update(**fields)


def _log(
    trial: Trial,
    took: timedelta,
    cost: Decimal,
    *,
    generated: Generated | None = None,
    error: ProviderError | None = None,
) -> None:
    """What a key has paid for stands in its log, wherever it was asked for."""
    if trial.api_key is None:
        return
    attempts = generated.attempts if generated else error.attempts if error else ()
    GatewayRequest.objects.create(
        api_key=trial.api_key,
        mode=trial.mode,
        model=trial.image_model.slug,
        status="ok" if generated else "failed",
        http_status=200 if generated else 502,
        error_code="" if generated else "playground",
        error="" if error is None else _told(error),
        provider=generated.provider if generated else "",
        attempts=len(attempts),
        asked_at=trial.asked_at,
        duration=took,
        overhead=max(timedelta(), took - responses.provider_time(attempts)),
        cost=cost,
        fingerprint="0" * 64,
    )


# Forgetting ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def prune() -> None:
    """Give up what no worker finished, forget what is older than a day."""
    now = timezone.now()
    lost = now - timedelta(seconds=settings.GENERATION_TIME_LIMIT * 4 + 60)
    Trial.objects.filter(status__in=["queued", "running"], asked_at__lt=lost).update(
        status="failed", error="No worker has finished it. Try it again."
    )
    # Real money is counted by the day, so no row goes before its day is over.
    old = Trial.objects.filter(asked_at__lt=min(now - timedelta(seconds=KEPT), midnight()))
    for trial in old.exclude(status__in=["queued", "running"])[:1000]:
        for name in [trial.file, *trial.sources]:
            if name:
                default_storage.delete(name)
        trial.delete()
