"""Asynchronous requests: `Prefer: respond-async` gets 202 and the URL of a job, which a worker runs.

For clients behind proxies that cut a connection after a minute or two. Rows are the queue, as everywhere: the request's
row reserves its price as usual, and a `QueuedRequest` beside it has what a worker needs. A periodic task sends task
messages for queued rows, a worker claims one by compare-and-set, and a lost message is sent again. What was requested
is deleted as soon as the job has ended; its images lie at signed URLs, like those of any request.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import timedelta
from decimal import Decimal
from time import monotonic
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from providers.connections.database import connection_released
from providers.files import spool
from providers.gateway import lifecycle, responses
from providers.gateway.disconnect import ClientConnection, prefers
from providers.gateway.errors import ApiError, invalid
from providers.gateway.image_formats import EXTENSIONS
from providers.gateway.lifecycle import ImageJob
from providers.gateway.wire import ApiRequest
from providers.models import ApiKey, GatewayRequest, JobWebhook, QueuedRequest
from providers.request import SourceImage
from providers.routing import open_jobs
from providers.routing.preferences import Preferences
from providers.routing.selection import Target
from providers.webhooks import outgoing as outgoing_webhooks

FOLDER = "gateway-jobs"
RESEND_AFTER = 10  # seconds after which a task message counts as lost
CHECK_INTERVAL = 1.0  # seconds between two looks whether a running job is to be cancelled
RETRY_AFTER = 2  # seconds that a client is asked to wait between two polls


def check(http: HttpRequest, request: ApiRequest) -> None:
    """Raises ApiError: 400 for what cannot be asynchronous: a stream; for a webhook without a job, or of no use."""
    is_asynchronous = prefers(http, "respond-async")
    if is_asynchronous and request.stream:
        raise invalid("stream", "stream: a stream cannot be asynchronous")
    if not request.webhook_url:
        return
    if not is_asynchronous:
        raise invalid("webhook_url", "webhook_url: it needs the header Prefer: respond-async")
    if problem := outgoing_webhooks.problem(request.webhook_url):
        raise invalid("webhook_url", f"webhook_url: {problem}")


def submit(job: ImageJob, origin: str) -> None:
    """Queue a claimed request. `origin` is where its images' URLs begin."""
    payload = {
        field.name: getattr(job.request, field.name)
        for field in fields(ApiRequest)
        if field.name not in ("images", "mask", "preferences")
    }
    preferences = asdict(job.request.preferences)
    preferences["max_price"] = None if preferences["max_price"] is None else str(preferences["max_price"])
    GatewayRequest.objects.filter(pk=job.row.pk).update(process="")  # a worker's, whichever that will be
    if job.request.webhook_url:
        JobWebhook.objects.create(request=job.row, url=job.request.webhook_url, origin=origin)
    QueuedRequest.objects.create(
        request=job.row,
        image_model=job.target.image_model,
        provider=job.target.provider,
        payload={**payload, "response_format": "url", "preferences": preferences},
        sources=[_store(image) for image in job.request.images],
        mask=_store(job.request.mask) if job.request.mask else "",
    )


def take_due() -> list[str]:
    """The jobs whose task messages are to be sent now."""
    now = timezone.now()
    due = QueuedRequest.objects.filter(Q(sent_at=None) | Q(sent_at__lt=now - timedelta(seconds=RESEND_AFTER)))
    waiting = due.filter(Q(started_at=None) | Q(request__status="running", request__in=open_jobs.orphans()))
    pks = [str(pk) for pk in waiting.order_by("pk").values_list("pk", flat=True)[:50]]
    QueuedRequest.objects.filter(pk__in=pks).update(sent_at=now)
    return pks


def run(pk: str) -> None:
    """Generate the images, unless another worker is at it; of one that died, the provider's jobs are taken over.

    Retired models and revoked keys are not called for.
    """
    waiting = QueuedRequest.objects.filter(pk=pk, started_at=None, request__status="running")
    is_new = waiting.update(started_at=timezone.now())
    rows = QueuedRequest.objects.select_related("request__api_key", "image_model")
    queued: QueuedRequest | None = rows.filter(pk=pk).first()
    if queued is None or not (is_new or open_jobs.take_over(queued.request_id, settings.GATEWAY_TIME_LIMIT)):
        return
    row = queued.request
    connection = ClientConnection()
    connection.started_at = monotonic() - (timezone.now() - row.asked_at).total_seconds()
    is_done = threading.Event()
    try:
        target = Target(queued.image_model, queued.provider)
        job = ImageJob(row.api_key, _request(queued), target, row, is_retry=False, is_resumable=True)
        if queued.image_model.retired_at is not None or not ApiKey.objects.usable().filter(pk=row.api_key_id).exists():
            error = ApiError(404, "model_not_available", "The model was retired or the key revoked meanwhile.")
            lifecycle.fail(job, connection, error)
            return
        threading.Thread(target=_watch, args=(queued.pk, connection, is_done), daemon=True).start()
        lifecycle.generate(job, connection)
    except ApiError:
        pass  # the row has it
    finally:
        is_done.set()
        _forget(queued)


def describe(row: GatewayRequest, origin: str) -> dict[str, Any]:
    """The job as JSON: its state and, once it has ended, the response or the error of the request."""
    is_queued = row.status == "running" and QueuedRequest.objects.filter(request=row, started_at=None).exists()
    states = {"ok": "completed", "running": "queued" if is_queued else "running"}
    job: dict[str, Any] = {
        "id": id_of(row),
        "object": "image.job",
        "status": states.get(row.status, row.status),
        "created": int(row.asked_at.timestamp()),
        "model": row.model,
        "request_id": row.request_id,
    }
    if row.status == GatewayRequest.Status.OK and row.answer:
        job["response"] = responses.with_urls(row, origin)
    elif row.error_code:
        job["error"] = {"message": row.error, "code": row.error_code}
    if webhook := JobWebhook.objects.filter(request=row).first():
        job["webhook"] = _describe(webhook)
    return job


def _describe(webhook: JobWebhook) -> dict[str, Any]:
    """What a failed connection met is for staff: it may name our network."""
    answer = int(webhook.answer) if webhook.answer.isdecimal() else None
    return {"status": webhook.status, "attempts": webhook.attempts, "last_status": answer}


def id_of(row: GatewayRequest) -> str:
    return f"job_{row.pk.hex}"


def find(key: ApiKey, name: str) -> GatewayRequest:
    """The request of a job of this key. Raises ApiError: 404."""
    try:
        pk = uuid.UUID(hex=name.removeprefix("job_"))
    except ValueError:
        pk = uuid.UUID(int=0)
    row: GatewayRequest | None = key.requests.filter(pk=pk).first()
    if row is None:
        raise ApiError(404, "job_not_found", "This key has no such job.")
    return row


def cancel(row: GatewayRequest) -> None:
    """Cancel a job that has not ended: at once when it is queued, within some seconds when it runs."""
    with transaction.atomic():
        queued = QueuedRequest.objects.select_for_update().filter(request=row).first()
        if queued is None:
            return
        if queued.started_at is not None:
            QueuedRequest.objects.filter(pk=queued.pk).update(cancel=True)
            return
        job = ImageJob(row.api_key, _request(queued), Target(queued.image_model), row, is_retry=False)
        lifecycle.fail(job, ClientConnection(), ApiError(499, "cancelled", "The job was cancelled before it ran."))
        queued.delete()  # with it no worker can claim the job any more
    _delete_files(queued)


def prune() -> None:
    """Delete what was requested of jobs that have ended otherwise: their worker died."""
    for queued in QueuedRequest.objects.exclude(request__status="running")[:1000]:
        _forget(queued)


def _request(queued: QueuedRequest) -> ApiRequest:
    payload: Mapping[str, Any] = queued.payload
    preferences: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in payload["preferences"].items()
    }
    if preferences["max_price"] is not None:
        preferences["max_price"] = Decimal(preferences["max_price"])
    return ApiRequest(
        **{name: value for name, value in payload.items() if name != "preferences"},
        images=tuple(map(_source, queued.sources)),
        mask=_source(queued.mask) if queued.mask else None,
        preferences=Preferences(**preferences),
    )


def _store(image: SourceImage) -> str:
    name = f"{FOLDER}/{uuid.uuid4().hex}.{EXTENSIONS[image.content_type]}"
    spool.save(name, image.data)
    return name


def _source(name: str) -> SourceImage:
    types = {extension: content_type for content_type, extension in EXTENSIONS.items()}
    return SourceImage(spool.read(name), types[name.rpartition(".")[2]])


def _forget(queued: QueuedRequest) -> None:
    open_jobs.forget(queued.request_id)
    QueuedRequest.objects.filter(pk=queued.pk).delete()
    _delete_files(queued)


def _delete_files(queued: QueuedRequest) -> None:
    for name in [*queued.sources, queued.mask]:
        if name:
            spool.delete(name)


def _watch(pk: int, connection: ClientConnection, is_done: threading.Event) -> None:
    while not is_done.wait(CHECK_INTERVAL):
        with connection_released():
            if QueuedRequest.objects.filter(pk=pk, cancel=True).exists():
                connection.gone.set()
                return
