"""One request from beginning to end: who asks, what, is it a repetition, the images, the bill.

`begin` refuses what can be refused before a provider is asked; `finish` asks, or waits for whoever is asking the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from providers import routing
from providers.errors import BadOutput, NotFound, ProviderError
from providers.gateway import errors, idempotency, image_formats, keys, responses, signed_files, uploads, wire
from providers.gateway import lookup_cache as kept
from providers.gateway.disconnect import Client
from providers.gateway.errors import Refusal
from providers.gateway.wire import Asked
from providers.models import ApiKey, GatewayRequest
from providers.request import GeneratedImage, Mode, OnPartial
from providers.routing.generate import Target
from providers.routing.results import Attempt, Generated

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Job:
    """A request that will be answered with images, unless something goes wrong on the way."""

    asked: Asked
    target: Target
    row: GatewayRequest
    is_new: bool
    headers: dict[str, str]
    begun: float


@dataclass(frozen=True, slots=True)
class Done:
    """The images, and what is to be done once they are on their way."""

    row: GatewayRequest
    images: tuple[GeneratedImage, ...]
    afterwards: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks, and what: checked, but not yet begun. `written` is what the request itself says."""

    key: ApiKey
    asked: Asked
    written: Asked
    target: Target
    headers: dict[str, str]


def read(request: HttpRequest, mode: Mode) -> Question:
    """Raises Refusal."""
    key = keys.recognise(request)
    allowance = keys.admit(key)
    fields, images, mask = uploads.read(request, largest=settings.GATEWAY_LARGEST_REQUEST)
    written = wire.parse(fields, mode, images, mask)
    return _question(
        key, written, kept.targets.get_or_compute(written.model, lambda: find(written.model)), allowance.headers()
    )


def _question(key: ApiKey, written: Asked, target: Target, headers: dict[str, str]) -> Question:
    default = "b64_json" if written.stream else key.response_format
    asked = replace(written, response_format=wire.response_format(written, default))
    return Question(key, asked, written, target, headers)


def look_again(request: HttpRequest, question: Question) -> Question:
    """The same question to what key and model are now. Raises Refusal where one of them is gone."""
    kept.api_keys.delete(question.key.digest)
    kept.targets.delete(question.asked.model)
    return _question(keys.authenticate(request), question.written, find(question.asked.model), question.headers)


def find(name: str) -> Target:
    try:
        return routing.find(name)
    except NotFound as error:
        raise Refusal(404, "model_not_found", str(error), param="model") from error


def begin(request: HttpRequest, question: Question, client: Client, begun: float) -> Job:
    """Raises Refusal; Changed where key or model are no longer what they were (lookup_cache.py)."""
    key, asked = question.key, question.asked
    price = None
    if key.monthly_budget is not None:
        price = price_of(question)
    retries = request.headers.get("X-Stainless-Retry-Count", "")
    row, is_new = idempotency.claim(
        key,
        asked,
        question.target.image_model,
        idempotency_key=_idempotency_key(request),
        retries=int(retries) if retries.isdecimal() and len(retries) < 4 else 0,
        price=price,
    )
    if is_new and retries:  # a client that counts its retries may be back in a moment
        client.when_gone(lambda: idempotency.leave_with_patience(row, client))
    return Job(asked, question.target, row, is_new, question.headers, begun)


def price_of(question: Question) -> Decimal | None:
    """What the images will probably cost, by the price list of the offering that will probably be asked."""
    request = question.asked.request()
    offerings = routing.candidates(question.target.image_model, request, question.target.provider)
    each = routing.estimate(offerings[0], request) if offerings else None
    return None if each is None else each * request.n


def _idempotency_key(request: HttpRequest) -> str:
    found = request.headers.get("Idempotency-Key", "")
    if len(found) > 255 or not found.isprintable():
        raise errors.invalid("Idempotency-Key", "Idempotency-Key: write at most 255 printable characters.")
    return found


def finish(job: Job, client: Client, on_partial: OnPartial | None = None) -> Done:
    """The images. Raises Refusal; the request's row says the same afterwards."""
    if not job.is_new:
        return _repeated(job, client)
    tried: Sequence[Attempt] = ()
    try:
        generated = _generate(job, client, on_partial)
        tried = generated.attempts
        return _close(job, generated, _converted(job.asked, generated))
    except ProviderError as error:
        tried = error.attempts or tried
        refusal = _refusal(job, error)
        refusal.more = {"metadata": {"request_id": job.row.request_id, "attempts": responses.attempts(tried)}}
        _close_failed(job, refusal, tried)
        raise refusal from error
    except Exception:
        refusal = Refusal(500, "internal_error", "Something failed here, and it is in our log.", kind="server_error")
        _close_failed(job, refusal, tried)
        raise


def _generate(job: Job, client: Client, on_partial: OnPartial | None) -> Generated:
    return routing.generate(
        job.target.image_model,
        replace(job.asked.request(), on_partial=on_partial),
        "gateway",
        time_limit=settings.GATEWAY_TIME_LIMIT,
        provider=job.target.provider,
        stop=client.gone,
        id=job.row.pk,
    )


def _converted(asked: Asked, generated: Generated) -> tuple[GeneratedImage, ...]:
    by_call = {each.call.pk: each.offering for each in generated.attempts if each.call is not None}
    images = []
    for each in generated.images:
        takes = {row["name"] for row in by_call[each.call.pk].parameters.get("accepts", ())}
        ours = None if "output_compression" in takes else asked.output_compression
        images.append(image_formats.convert(each.image, asked.output_format, ours))
    return tuple(images)


def _refusal(job: Job, error: ProviderError) -> Refusal:
    if isinstance(error, NotFound) and not error.attempts:
        modes = set(job.target.image_model.offerings.open().values_list("mode", flat=True))
        if modes and job.asked.mode not in modes:
            name = job.target.image_model.slug
            where = "images/edits" if "edit" in modes else "images/generations"
            verb = "only edits images" if "edit" in modes else "does not edit images"
            return errors.invalid("model", f"{name} {verb} here. Ask POST /openai/v1/{where}.", "wrong_endpoint")
    if isinstance(error, BadOutput) and not error.possibly_charged and not error.attempts:
        return errors.invalid("output_format", str(error))
    return errors.of_provider_error(error, timeout=settings.GATEWAY_TIME_LIMIT)


# The row ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _close(job: Job, generated: Generated, images: tuple[GeneratedImage, ...]) -> Done:
    """The request is over. What it cost is already recorded, call by call, and reserved in the row until this is.

    Images behind addresses are stored first. Images that go out with the answer are kept only for a client that loses
    it, so nobody waits for that: a repetition waits until the row says that they are there.
    """
    row = job.row
    by_url = job.asked.response_format == "url"
    kept_for = settings.GATEWAY_FILE_LIFETIME if by_url else settings.GATEWAY_RETRY_WINDOW
    row.files_expire_at = timezone.now() + timedelta(seconds=kept_for) if kept_for else None
    row.answer = responses.describe(generated, job.asked, images)
    row.status, row.http_status = GatewayRequest.Status.OK, 200
    row.provider = generated.provider
    _measure(job, generated.attempts)

    def keep() -> None:
        row.files = signed_files.store(row, images) if kept_for else [{}] * len(images)
        row.save(update_fields=_SETTLED)

    if by_url:
        keep()
        return Done(row, images)
    return Done(row, images, keep)


def _close_failed(job: Job, refusal: Refusal, tried: Sequence[Attempt]) -> None:
    row = job.row
    cancelled = refusal.status == 499
    row.status = GatewayRequest.Status.CANCELLED if cancelled else GatewayRequest.Status.FAILED
    row.http_status, row.error_code, row.error = refusal.status, refusal.code, refusal.message
    row.answer = {
        "refusal": {"param": refusal.param, "kind": refusal.kind, "headers": refusal.headers, "more": refusal.more}
    }
    row.provider = tried[-1].provider if tried else ""
    row.idempotency_key = ""  # nothing was made: the same key may try again
    _measure(job, tried)
    row.save(update_fields=_SETTLED)


def _measure(job: Job, tried: Sequence[Attempt]) -> None:
    row = job.row
    row.attempts = len(tried)
    row.cost = responses.cost_of(tried)
    row.duration = timedelta(seconds=monotonic() - job.begun)
    row.overhead = max(timedelta(), row.duration - responses.provider_time(tried))


_SETTLED = (
    "status", "http_status", "error_code", "error", "provider", "attempts", "duration", "overhead", "cost", "answer",
    "files", "files_expire_at", "idempotency_key",
)  # fmt: skip


# Repetitions ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _repeated(job: Job, client: Client) -> Done:
    row = idempotency.wait_for(job.row, client, seconds=settings.GATEWAY_TIME_LIMIT * 2)
    match row.status:
        case GatewayRequest.Status.OK:
            found = [signed_files.read(file["name"].rpartition("/")[2]) for file in row.files if file]
            if found and all(found):
                return Done(row, tuple(_image(file, each) for file, each in zip(row.files, found, strict=True)))
            message = "The images of this request were deleted meanwhile. Ask anew, without its Idempotency-Key."
            raise Refusal(410, "answer_expired", message, headers=errors.DONT_RETRY)
        case GatewayRequest.Status.RUNNING:
            raise Refusal(
                504, "provider_timeout", "The request that this one repeats is not done yet.", kind="server_error"
            )
        case _:
            kept: dict[str, Any] = row.answer.get("refusal", {})
            raise Refusal(row.http_status or 502, row.error_code, row.error, **kept)


def _image(file: dict[str, Any], found: tuple[bytes, str] | None) -> GeneratedImage:
    assert found is not None
    return GeneratedImage(found[0], found[1], file["width"], file["height"])
