"""Trials: planned within a budget, run by the workers, deleted after a day.

Rows are the queue, as in the arena: a periodic task sends task messages for queued rows, a worker claims one by
compare-and-set, and a lost message is sent again. A trial whose worker died fails; its visitor can press the button
again.

Without a key, sample models are free and other models run only within PLAYGROUND_DAILY_BUDGET. With a key its own
budget holds, and its log lists the trial.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from time import monotonic
from typing import Any, cast

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F, Q, Sum
from django.db.models.functions import Coalesce
from django.utils import timezone

from providers import routing
from providers.accounts import is_simulated
from providers.errors import ProviderError
from providers.files import file_store, spool
from providers.gateway import budgets, keys, responses
from providers.gateway.errors import ApiError
from providers.gateway.image_formats import EXTENSIONS
from providers.gateway.wire import ApiRequest
from providers.models import ApiKey, GatewayRequest, ImageModel, Trial
from providers.offering.pricing import usd
from providers.request import ImageRequest, Mode, SourceImage
from providers.routing import open_jobs
from providers.routing.results import Attempt
from providers.routing.selection import Target
from providers.spending import daily_cap
from providers.spending.daily_cap import midnight
from providers.transfer.image_type import measured

from .forms import FormError, TrialForm
from .visitors import LIFETIME

FOLDER = "playground"
RESEND_AFTER = 10  # seconds after which a task message counts as lost


def price_of(model: ImageModel, request: ApiRequest) -> tuple[Decimal | None, bool]:
    """(USD that one image will probably cost by the price list, is that real money?)"""
    offerings = routing.candidates(model, request.request())
    if not offerings:
        return None, False
    return routing.estimate(offerings[0], request.request()), not is_simulated(offerings[0].provider)


def most_money(model: ImageModel, request: ApiRequest) -> Decimal | None:
    """USD of real money that one image may cost: at the dearest provider that routing may try. None when one of them
    has no known price; 0 where all are simulated."""
    offerings = routing.candidates(model, request.request())
    prices = [routing.estimate(one, request.request()) for one in offerings if not is_simulated(one.provider)]
    return None if None in prices else max(filter(None, prices), default=Decimal(0))


def plan(form: TrialForm, visitor: str, ip: str) -> uuid.UUID:
    """Queue one trial for each model and return their group. Raises FormError above the rate limit or the budget."""
    _throttle(form, visitor, ip)
    prices = {model: most_money(model, request) for model, request in form.requests.items()}
    sources = _store_sources(next(iter(form.requests.values())).images)
    group = uuid.uuid4()
    rows = [
        Trial(
            group=group,
            position=position,
            visitor=visitor,
            api_key=form.key,
            image_model=model,
            mode=request.mode,
            prompt=request.prompt,
            size=request.size or "",
            seed=request.seed,
            sources=sources,
            price=prices[model],
        )
        for position, (model, request) in enumerate(form.requests.items())
    ]
    with transaction.atomic():
        if form.key is not None:
            _reserve(form.key, rows, form.requests)
        else:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('playground budget', 0))")
            _check_free_budget(list(prices.values()))
        Trial.objects.bulk_create(rows)
    return group


def _throttle(form: TrialForm, visitor: str, ip: str) -> None:
    if form.key is not None:
        try:
            keys.count_request(form.key).check()
        except ApiError as error:
            raise FormError(error.message, status=429) from error
        return
    for bucket, per_minute in ((visitor, settings.PLAYGROUND_RATE), (ip, settings.PLAYGROUND_RATE * 3)):
        limit = keys.count(f"playground:{bucket}", per_minute)
        if limit.is_exceeded:
            message = f"{per_minute} trials per minute are free. Wait {limit.reset:.0f} s, or use an API key."
            raise FormError(message, status=429)


def _reserve(key: ApiKey, trials: Sequence[Trial], requests: Mapping[ImageModel, ApiRequest]) -> None:
    """Insert a row into the key's log for each trial, which reserves its price of the key's budgets."""
    budgets.lock(key)
    for trial in trials:
        if not key.may_use(trial.image_model):
            raise FormError(f"This key may not use {trial.image_model.name}.", "model", 403)
        price = budgets.highest_price(Target(trial.image_model), requests[trial.image_model].request())
        try:
            budgets.check(key, price)
        except ApiError as error:
            raise FormError(error.message, "key", 402) from error
        trial.request = GatewayRequest(
            api_key=key, mode=trial.mode, model=trial.image_model.slug, reserved=price, fingerprint="0" * 64
        )
        budgets.reserve(trial.request)


def _check_free_budget(prices: Sequence[Decimal | None]) -> None:
    if not any(price is None or price for price in prices):
        return
    left = free_budget() - spent_today()
    if None in prices or sum(filter(None, prices), Decimal(0)) > left:
        raise FormError(
            f"This costs more than what is left of today's free budget ({usd(max(left, Decimal(0)))}). Try a "
            "sample model, retry tomorrow, or use an API key.",
            "model",
            402,
        )


def free_budget() -> Decimal:
    budget: Decimal = settings.PLAYGROUND_DAILY_BUDGET or Decimal(0)
    return budget


def spent_today() -> Decimal:
    """Real money (USD) of today's trials without a key; one that is not over counts with the most it may cost."""
    today = Trial.objects.filter(api_key=None, asked_at__gte=midnight())
    over = today.aggregate(total=Sum("spent"))["total"] or Decimal(0)
    unfinished = today.filter(status__in=["queued", "running"])
    reserved = unfinished.aggregate(total=Sum(Coalesce(F("price"), Decimal(0))))["total"] or Decimal(0)
    return Decimal(over) + Decimal(reserved)


def _store_sources(images: Sequence[SourceImage]) -> list[str]:
    names = [f"{FOLDER}/{uuid.uuid4().hex}.{EXTENSIONS[image.content_type]}" for image in images]
    for name, image in zip(names, images, strict=True):
        spool.save(name, image.data)
    return names


# Running ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def take_due() -> list[str]:
    """The trials whose task messages are to be sent now."""
    now = timezone.now()
    waiting = Trial.objects.waiting() | Trial.objects.filter(status="running").filter(_asked_for(open_jobs.orphans()))
    due = waiting.filter(Q(sent_at=None) | Q(sent_at__lt=now - timedelta(seconds=RESEND_AFTER)))
    pks = [str(pk) for pk in due.order_by("asked_at").values_list("pk", flat=True)[:50]]
    Trial.objects.filter(pk__in=pks).update(sent_at=now)
    return pks


def run(pk: str) -> None:
    """Generate the image, unless another worker is at it; of one that died, the provider's job is taken over."""
    is_new = Trial.objects.filter(pk=pk, status="queued").update(status="running", started_at=timezone.now())
    trial: Trial | None = Trial.objects.select_related("image_model", "request", "api_key").filter(pk=pk).first()
    if trial is None or not (is_new or open_jobs.take_over(trial.call_request_id, settings.GENERATION_TIME_LIMIT)):
        return
    started = monotonic()
    if file_store.trouble():
        error = "Images cannot be stored just now, so no provider was asked. Try it again in a minute."
        _end(trial, started, (), status="failed", error=error, spent=Decimal(0))
        return
    try:
        generated = routing.generate(
            trial.image_model,
            _request(trial),
            "playground",
            time_limit=settings.GENERATION_TIME_LIMIT,
            request_id=trial.call_request_id,
            is_resumable=True,
            party="visitors" if trial.api_key is None else keys.party_of(trial.api_key),
        )
        image = generated.image
        name = f"{FOLDER}/{trial.pk.hex}.{EXTENSIONS[image.content_type]}"
        spool.save(name, image.data)
    except Exception as error:
        message = str(error) if isinstance(error, ProviderError) else "Internal error; it has been logged."
        spent = error.spent if isinstance(error, ProviderError) else Decimal(0)
        attempts = error.attempts if isinstance(error, ProviderError) else ()
        _end(trial, started, attempts, status="failed", error=message or type(error).__name__, spent=spent)
        if not isinstance(error, ProviderError):
            raise
        return
    _end(
        trial,
        started,
        generated.attempts,
        status="done",
        file=name,
        width=image.width,
        height=image.height,
        provider=generated.provider,
        spent=generated.spent,
    )


def _asked_for(request_ids: Collection[uuid.UUID]) -> Q:
    return Q(request_id__in=request_ids) | Q(request_id=None, pk__in=request_ids)


def _request(trial: Trial) -> ImageRequest:
    images = []
    for name in trial.sources:
        image = measured(spool.read(name))
        images.append(SourceImage(image.data, image.content_type))
    return ImageRequest(
        prompt=trial.prompt, mode=cast(Mode, trial.mode), size=trial.size or None, seed=trial.seed, images=tuple(images)
    )


def _end(trial: Trial, started: float, attempts: Sequence[Attempt], **fields: Any) -> None:
    """End a running trial and settle its row in the key's log; a trial that was given up meanwhile stays failed."""
    duration = timedelta(seconds=monotonic() - started)
    cost, counted = budgets.cost_of(attempts)
    Trial.objects.filter(pk=trial.pk, status="running").update(duration=duration, cost=cost, **fields)
    open_jobs.forget(trial.call_request_id)
    if trial.request is None:
        return
    row = trial.request
    is_done = fields["status"] == "done"
    row.status, row.http_status = ("ok", 200) if is_done else ("failed", 502)
    row.error_code, row.error = ("", "") if is_done else ("playground", fields["error"])
    row.provider = fields.get("provider", "")
    row.attempts, row.duration = sum(attempt.is_sent for attempt in attempts), duration
    row.overhead = max(timedelta(), duration - responses.provider_time(attempts))
    row.cost = cost
    if cost is None:
        row.reserved = counted
    budgets.settle(row)


def _give_up(trial: Trial) -> None:
    """Fail a trial that waits for nobody any more. What was requested for it counts: the provider may bill it."""
    message = "No worker has finished it. Try again."
    spent = daily_cap.spent_on(trial.call_request_id)
    given_up = Trial.objects.filter(pk=trial.pk, status=trial.status).update(
        status="failed", error=message, spent=spent
    )
    if given_up and trial.request is not None:
        row = trial.request
        row.status, row.http_status, row.error_code, row.error = "failed", 504, "playground", message
        row.cost, counted = budgets.cost_of_lost(row.pk, trial.asked_at)
        row.reserved = counted if row.cost is None else row.reserved
        row.duration = timezone.now() - trial.asked_at
        budgets.settle(row)


# Pruning ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def prune() -> None:
    """Fail what no worker has started or finished, delete what is older than a day."""
    now = timezone.now()
    lost = now - timedelta(seconds=settings.GENERATION_TIME_LIMIT * 4 + 60)
    open_trials = Trial.objects.filter(status__in=["queued", "running"]).select_related("request")
    for trial in open_trials.annotate(since=Coalesce("started_at", "asked_at")).filter(since__lt=lost):
        _give_up(trial)
    # Real money is counted by the day, so no row goes before its day is over.
    old = Trial.objects.filter(asked_at__lt=min(now - timedelta(seconds=LIFETIME), midnight()))
    for trial in old.exclude(status__in=["queued", "running"])[:1000]:
        for name in [trial.file, *trial.sources]:
            if name:
                spool.delete(name)
        trial.delete()
