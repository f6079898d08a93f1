"""One request for images from its first header to its bill, in five steps.

    1  authenticate   whose key it is, and whether it may call now      → ApiKey          keys
    2  read           the body, checked, and the model it names         → ApiRequest      uploads, wire
    3  claim          a row, with its highest price reserved – or, for  → ImageJob        names, budgets, idempotency
                      a client's own retry, the row of the first try
    4  generate       the images, in the format asked for               → images          routing, image_formats
    5  settle         outcome and cost into the row, images into files                    budgets, signed_files

Every step raises ApiError; from `claim` on, the row has the same error. Errors before `claim` leave no row.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from time import monotonic

from django.conf import settings
from django.http import HttpRequest
from django.utils import timezone

from providers import routing
from providers.errors import BadOutput, NotFound, ProviderError
from providers.files import spool
from providers.gateway import (
    auto_model,
    budgets,
    errors,
    idempotency,
    image_formats,
    keys,
    names,
    responses,
    signed_files,
    uploads,
    wire,
)
from providers.gateway.disconnect import ClientConnection, connection_of
from providers.gateway.errors import ApiError
from providers.gateway.lookup_cache import Changed
from providers.gateway.wire import ApiRequest
from providers.models import ApiKey, GatewayRequest
from providers.request import GeneratedImage, Mode, OnPartial
from providers.routing.results import Attempt, Generated
from providers.routing.selection import Target

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ImageJob:
    """A request on its way: who pays, what was requested, which model answers, and the row in the key's log."""

    key: ApiKey
    request: ApiRequest
    target: Target
    row: GatewayRequest
    is_retry: bool  # the row is that of an earlier try
    is_settled: bool = False
    unrecorded: Callable[[], None] | None = None  # records the calls that brought its images
    is_resumable: bool = False  # should this process die, another one takes its provider's jobs over


# 1 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def identify(http: HttpRequest) -> ApiKey:
    """The key of a request that makes nothing and does not count; the limit's headers go onto the connection.

    Raises ApiError: 401 without a usable key.
    """
    key = keys.authenticate(http)
    connection_of(http).headers |= keys.count_request(key, 0).headers()
    return key


def show_limit(http: HttpRequest) -> None:
    """The limit's headers onto the response to an unknown URL or method, which needs no key but may come with one."""
    if "Authorization" in http.headers and "x-ratelimit-limit-requests" not in connection_of(http).headers:
        with contextlib.suppress(ApiError, *errors.OUTAGES):
            identify(http)


def authenticate(http: HttpRequest) -> ApiKey:
    """The key, counted against its requests per minute; the limit's headers go onto the connection.

    Raises ApiError: 401 without a usable key, 429 above the limit.
    """
    connection = connection_of(http)
    key = connection.key = keys.authenticate_cached(http)
    limit = connection.limit or keys.count_request(key)
    connection.headers |= limit.headers()
    limit.check()
    return key


# 2 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def read(http: HttpRequest, key: ApiKey, mode: Mode, defaults: Mapping[str, str]) -> ApiRequest:
    """The body as typed, checked values; `defaults` stand for what is absent. Raises ApiError: 400, 413, 415."""
    fields, images, mask = uploads.read(http, largest=settings.GATEWAY_LARGEST_REQUEST)
    given = {name: value for name, value in fields.items() if value not in (None, "")}
    return wire.parse({**defaults, **given}, mode, images, mask, default_model=key.default_model)


# 3 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def claim(http: HttpRequest, key: ApiKey, request: ApiRequest, *, streamed: bool) -> ImageJob:
    """A new row, or the earlier one of a client's own retry. Raises ApiError: 402, 403, 404, 422.

    Key and model come from a cache; the insert confirms them, and when they have changed they are looked up again.

    A row is on disk before a provider is called. Usually the commit of what `daily_cap` reserves sees to that, because
    what is on disk has all that was committed before it; so one wait for the disk does for both. Should Postgres crash
    between them, the session ends, and with it the request. Where the two may be of different sessions – a response
    that is `streamed` is made by other threads, and a pooler has sessions of its own –, the row is waited for itself.
    """
    target, request = _resolve(key, request)
    flush = streamed or settings.DATABASE_POOLER
    try:
        return _claim(http, key, request, target, flush=flush)
    except Changed:
        key, target, request = look_up_again(http, key, request)
        return _claim(http, key, request, target, flush=flush)


def look_up_again(http: HttpRequest, key: ApiKey, request: ApiRequest) -> tuple[ApiKey, Target, ApiRequest]:
    """Key and model as the database has them now. Raises ApiError where one is gone or no longer allowed."""
    keys.forget(http)
    names.forget(key, request.model)
    key = keys.authenticate_cached(http)
    return key, *_resolve(key, request)


def _resolve(key: ApiKey, request: ApiRequest) -> tuple[Target, ApiRequest]:
    """What the name means; for "auto", the model chosen now, with the reason in the request."""
    if auto_model.is_auto(request.model):
        image_model, reason = auto_model.choose(key, request)
        return Target(image_model), replace(request, auto=reason)
    if request.max_seconds is not None:
        message = "max_seconds: it chooses among models, so it needs the model auto or auto:<category>"
        raise errors.invalid("max_seconds", message)
    return names.resolve(key, request.model), request


def _claim(http: HttpRequest, key: ApiKey, request: ApiRequest, target: Target, *, flush: bool) -> ImageJob:
    request = replace(request, response_format=wire.response_format(request, key.response_format))
    connection = connection_of(http)
    connection.fingerprint = request.fingerprint()
    retries = http.headers.get("X-Stainless-Retry-Count", "")
    row, is_new = idempotency.claim(
        key,
        request,
        target.image_model,
        request_id=connection.request_id,
        idempotency_key=idempotency.key_of(http),
        retries=int(retries) if retries.isdecimal() and len(retries) < 4 else 0,
        fingerprint=connection.fingerprint,
        price=budgets.highest_price(target, request.request(), request.preferences) if key.has_budget else Decimal(0),
        flush=flush,
    )
    if is_new and retries:  # a client that counts its retries may reconnect in a moment
        connection.on_disconnect(lambda: idempotency.cancel_after_grace(row, connection))
    return ImageJob(key, request, target, row, is_retry=not is_new)


# 4 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def generate(job: ImageJob, connection: ClientConnection, on_partial: OnPartial | None = None) -> list[GeneratedImage]:
    """The images; of a retry, those of its first try. Raises ApiError, after the row has been settled with it.

    What an image behind a URL needs is stored before this returns. Images inside the response need no file but for a
    client that loses it, so the caller settles those after the response has been sent, calls and all.
    """
    if job.is_retry:
        return _images_of_first_try(job, connection)
    if job.request.response_format == "url" and spool.is_full():
        error = _cannot_store()
        fail(job, connection, error)
        raise error
    attempts: Sequence[Attempt] = ()
    connection.is_generating = True
    try:
        generated = _generate(job, connection, on_partial)
        attempts, job.unrecorded = generated.attempts, generated.unrecorded
        images = _converted(job.request, generated)
        _describe(job, connection, generated, images)
        if job.request.response_format == "url":
            settle(job, images)
        return images
    except ProviderError as error:
        attempts = error.attempts or attempts
        api_error = _api_error(job, error)
        api_error.metadata = {"request_id": job.row.request_id, **responses.attempts(attempts)}
        _settle_failed(job, connection, api_error, attempts)
        raise api_error from error
    except Exception:
        _settle_failed(job, connection, errors.internal_error(), attempts)
        raise


def _cannot_store() -> ApiError:
    message = (
        "Images cannot be stored just now, so no provider was called. With response_format b64_json they can be had."
    )
    return ApiError(503, "storage_unavailable", message, kind="server_error", headers={"Retry-After": "60"})


def _generate(job: ImageJob, connection: ClientConnection, on_partial: OnPartial | None) -> Generated:
    return routing.generate(
        job.target.image_model,
        replace(job.request.request(), on_partial=on_partial),
        "gateway",
        time_limit=settings.GATEWAY_TIME_LIMIT,
        provider=job.target.provider,
        preferences=job.request.preferences,
        stop=connection.gone,
        request_id=job.row.pk,
        party=keys.party_of(job.key),
        is_resumable=job.is_resumable,
        record_later=not job.is_resumable,
    )


def _converted(request: ApiRequest, generated: Generated) -> list[GeneratedImage]:
    images = []
    for delivered in generated.images:
        takes = {row["name"] for row in delivered.call.offering.parameters.get("accepts", ())}
        compression = None if "output_compression" in takes else request.output_compression
        images.append(image_formats.convert(delivered.image, request.output_format, compression))
    return images


def _api_error(job: ImageJob, error: ProviderError) -> ApiError:
    if isinstance(error, NotFound) and not error.attempts:
        modes = set(job.target.image_model.offerings.open().values_list("mode", flat=True))
        if modes and job.request.mode not in modes:
            name = job.target.image_model.slug
            path = "images/edits" if "edit" in modes else "images/generations"
            verb = "only edits images" if "edit" in modes else "does not edit images"
            return errors.invalid("model", f"{name} {verb} here. Use POST /openai/v1/{path}.", "wrong_endpoint")
    if isinstance(error, BadOutput) and not error.possibly_charged and not error.attempts:
        return errors.invalid("output_format", str(error))
    return errors.of_provider_error(error, timeout=settings.GATEWAY_TIME_LIMIT)


def _images_of_first_try(job: ImageJob, connection: ClientConnection) -> list[GeneratedImage]:
    row = job.row = idempotency.wait_for(job.row, connection, seconds=settings.GATEWAY_TIME_LIMIT * 2)
    match row.status:
        case GatewayRequest.Status.OK:
            files = [signed_files.read(file["name"].rpartition("/")[2]) for file in row.files if file]
            if files and all(files):
                return [
                    GeneratedImage(*content, file["width"], file["height"])
                    for file, content in zip(row.files, files, strict=True)
                    if content is not None
                ]
            message = "The images of this request were deleted meanwhile. Send it again without its Idempotency-Key."
            raise ApiError(410, "answer_expired", message, headers=errors.NO_RETRY)
        case GatewayRequest.Status.FAILED if row.error_code == "process_lost":
            headers = {"x-should-retry": "true", "Retry-After": "1"}
            raise ApiError(503, row.error_code, row.error, kind="server_error", headers=headers)
        case GatewayRequest.Status.RUNNING:
            message = "The original request is still running."
            raise ApiError(504, "provider_timeout", message, kind="server_error")
        case _:
            raise ApiError(row.http_status or 502, row.error_code, row.error, **row.answer.get("error", {}))


# 5 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────


def settle(job: ImageJob, images: Sequence[GeneratedImage]) -> None:
    """Store the images and save the row. Does nothing the second time, nor for a retry: its first try settles."""
    if job.is_retry or job.is_settled:
        return
    _record(job)
    row = job.row
    row.files = signed_files.store(row, images) if row.files_expire_at else [{}] * len(images)
    budgets.settle(row)
    job.is_settled = True


def _record(job: ImageJob) -> None:
    """The calls, before the row that has their cost. Should this process die before, what was reserved counts."""
    if job.unrecorded is not None:
        job.unrecorded()
        job.unrecorded = None


def end(job: ImageJob, connection: ClientConnection, images: Sequence[GeneratedImage]) -> None:
    """After the response: settle what is not settled, and record whether the client had it (idempotency.py)."""
    if connection.is_delivered:
        job.row.delivered_at = timezone.now()
    if not (job.is_retry or job.is_settled):
        settle(job, images)
    elif connection.is_delivered:
        job.row.save(update_fields=["delivered_at"])


def _describe(
    job: ImageJob, connection: ClientConnection, generated: Generated, images: Sequence[GeneratedImage]
) -> None:
    """Fill in the row, unsaved: the response is made from it."""
    row = job.row
    by_url = job.request.response_format == "url"
    lifetime = settings.GATEWAY_FILE_LIFETIME if by_url else settings.GATEWAY_RETRY_WINDOW
    row.files_expire_at = timezone.now() + timedelta(seconds=lifetime) if lifetime else None
    row.answer = responses.describe(generated, job.request, images)
    row.status, row.http_status = GatewayRequest.Status.OK, 200
    row.provider = generated.provider
    _measure(row, connection, generated.attempts)


def fail(job: ImageJob, connection: ClientConnection, error: ApiError) -> None:
    """Settle a job that ends before a provider is called."""
    _settle_failed(job, connection, error, ())


def _settle_failed(job: ImageJob, connection: ClientConnection, error: ApiError, attempts: Sequence[Attempt]) -> None:
    _record(job)
    row = job.row
    is_cancelled = error.status == 499
    row.status = GatewayRequest.Status.CANCELLED if is_cancelled else GatewayRequest.Status.FAILED
    row.http_status, row.error_code, row.error = error.status, error.code, error.message
    details = {"param": error.param, "kind": error.kind, "headers": error.headers, "metadata": error.metadata}
    row.answer = {"error": details}
    row.provider = next((attempt.provider for attempt in reversed(attempts) if attempt.is_sent), "")
    row.idempotency_key = ""  # nothing was made: the same key may try again
    _measure(row, connection, attempts)
    budgets.settle(row)
    job.is_settled = True


def _measure(row: GatewayRequest, connection: ClientConnection, attempts: Sequence[Attempt]) -> None:
    row.attempts = sum(attempt.is_sent for attempt in attempts)
    row.cost, counted = budgets.cost_of(attempts)
    if row.cost is None:
        row.reserved = counted
    row.duration = timedelta(seconds=monotonic() - connection.started_at)
    row.overhead = max(timedelta(), row.duration - responses.provider_time(attempts))
