"""A client's own retry gets the first response, not a second image and a second bill.

The official clients send no idempotency key, but count their retries in `X-Stainless-Retry-Count`. So a request is a
retry when it carries the `Idempotency-Key` of an earlier one, or when it says that it is a retry and the same key has
sent the same request within the last minutes. It then waits for the first try to end and gets the same response.

When a client disconnects, its job is cancelled – at once, or, when it is a client that retries by itself, after
`RETRY_GRACE` seconds without a retry.
"""

from __future__ import annotations

import contextlib
import threading
import uuid
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import Case, IntegerField, Value, When
from django.http import HttpRequest
from django.utils import timezone

from providers.db import release_connection
from providers.gateway import keys
from providers.gateway.disconnect import ClientConnection
from providers.gateway.errors import ApiError, invalid
from providers.gateway.lookup_cache import Changed
from providers.gateway.wire import ApiRequest
from providers.models import ApiKey, GatewayRequest, ImageModel

RETRY_GRACE = 3.0  # seconds; the official clients retry after 0.4 to 0.5 s, then after up to 1 s
POLL_INTERVAL = 0.15  # seconds between two reads of a row that another thread or process is working on


# Confirms what was cached of key and model. Written by hand, because every image waits for it: one round trip.
_INSERT = """
INSERT INTO providers_gatewayrequest
    (id, api_key_id, mode, model, n, status, error_code, error, provider, attempts, asked_at, reserved, fingerprint,
     idempotency_key, repeats, answer, files)
SELECT %(id)s, api_key.id, %(mode)s, %(model)s, %(n)s, 'running', '', '', '', 0, %(now)s, %(reserved)s, %(fingerprint)s,
    %(idempotency_key)s, 0, '{}', '[]'
FROM providers_apikey api_key
WHERE api_key.id = %(key)s AND revoked_at IS NULL AND monthly_budget IS NOT DISTINCT FROM %(budget)s
    AND requests_per_minute IS NOT DISTINCT FROM %(rate)s AND response_format = %(format)s
    AND EXISTS (
        SELECT FROM providers_imagemodel WHERE id = %(image_model)s AND slug = %(slug)s AND retired_at IS NULL
    )
"""


def key_of(http: HttpRequest) -> str:
    """The Idempotency-Key header, "" without one. Raises ApiError: 400 when it cannot be stored."""
    header = http.headers.get("Idempotency-Key", "")
    if len(header) > 255 or not header.isprintable():
        raise invalid("Idempotency-Key", "Idempotency-Key: write at most 255 printable characters.")
    return header


def claim(
    key: ApiKey,
    request: ApiRequest,
    image_model: ImageModel,
    *,
    request_id: uuid.UUID,
    idempotency_key: str,
    retries: int,
    price: Decimal | None,
) -> tuple[GatewayRequest, bool]:
    """(row, is it new?). A new row reserves `price` (USD for all images) of the key's budget.

    Raises ApiError: 402 when the budget does not allow it, 422 when the idempotency key stands for another request;
    Changed when key or model are no longer what they were when they were cached.
    """
    fingerprint = request.fingerprint()
    exclusive = key.monthly_budget is not None or idempotency_key or retries
    with transaction.atomic() if exclusive else contextlib.nullcontext():
        if exclusive:  # one at a time for each key, so that neither a budget nor a retry is seen too late
            with database.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashint8extended(%s, 7))", [key.pk])
            first_try = _first_try(key, fingerprint, idempotency_key, retries)
            if first_try is not None:
                return first_try, False
            keys.check_budget(key, price)
        row = GatewayRequest(
            id=request_id,
            api_key=key,
            mode=request.mode,
            model=request.model,
            n=request.n,
            fingerprint=fingerprint,
            idempotency_key=idempotency_key,
            reserved=price or Decimal(0),
        )
        _insert(row, key, image_model)
    return row, True


def _insert(row: GatewayRequest, key: ApiKey, image_model: ImageModel) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "id": row.pk, "mode": row.mode, "model": row.model, "n": row.n, "now": row.asked_at, "key": key.pk,
                "reserved": row.reserved, "fingerprint": row.fingerprint, "idempotency_key": row.idempotency_key,
                "budget": key.monthly_budget, "rate": key.requests_per_minute, "format": key.response_format,
                "image_model": image_model.pk, "slug": image_model.slug,
            },
        )  # fmt: skip
        if not cursor.rowcount:
            raise Changed
    row._state.adding = False


def _first_try(key: ApiKey, fingerprint: str, idempotency_key: str, retries: int) -> GatewayRequest | None:
    since = timezone.now() - timedelta(seconds=settings.GATEWAY_RETRY_WINDOW)
    row: GatewayRequest | None
    if idempotency_key:
        row = key.requests.filter(idempotency_key=idempotency_key).first()
        if row is not None and row.fingerprint != fingerprint:
            message = "This Idempotency-Key was used for another request. Use a new one for each request."
            raise ApiError(422, "idempotency_key_reused", message, param="Idempotency-Key")
    elif retries:
        # Of several equal ones, the one whose client has disconnected; else the latest.
        left_first = Case(When(wanted_until=None, then=Value(1)), default=Value(0), output_field=IntegerField())
        same = key.requests.filter(fingerprint=fingerprint, asked_at__gte=since, status__in=["running", "ok"])
        row = same.order_by(left_first, "-asked_at").first()
    else:
        row = None
    if row is not None:
        row.repeats += 1
        fields = ["repeats"]
        if row.wanted_until is not None:
            row.wanted_until = timezone.now() + timedelta(seconds=RETRY_GRACE)
            fields.append("wanted_until")
        row.save(update_fields=fields)
    return row


def wait_for(row: GatewayRequest, connection: ClientConnection, *, seconds: float) -> GatewayRequest:
    """The row once it is settled; as it is when `seconds` have passed or this client has disconnected too."""
    end = timezone.now() + timedelta(seconds=seconds)
    while row.status == GatewayRequest.Status.RUNNING and timezone.now() < end:
        release_connection()
        if connection.gone.wait(POLL_INTERVAL):
            break
        soon = timezone.now() + timedelta(seconds=RETRY_GRACE)
        GatewayRequest.objects.filter(pk=row.pk, wanted_until__lt=soon - timedelta(seconds=1)).update(wanted_until=soon)
        row.refresh_from_db()
    return row


def cancel_after_grace(row: GatewayRequest, connection: ClientConnection) -> None:
    """The client has disconnected and may retry in a moment: cancel its job only when it does not."""
    soon = timezone.now() + timedelta(seconds=RETRY_GRACE)
    GatewayRequest.objects.filter(pk=row.pk, status="running", wanted_until=None).update(wanted_until=soon)
    _check_later(row, connection, RETRY_GRACE)
    release_connection()


def _check_later(row: GatewayRequest, connection: ClientConnection, seconds: float) -> None:
    timer = threading.Timer(max(0.05, seconds), _cancel_unless_wanted, (row, connection))
    timer.daemon = True
    timer.start()


def _cancel_unless_wanted(row: GatewayRequest, connection: ClientConnection) -> None:
    running = GatewayRequest.objects.filter(pk=row.pk, status="running")
    try:
        wanted_until = running.values_list("wanted_until", flat=True).first()
        if wanted_until is None:
            return  # settled
        left = (wanted_until - timezone.now()).total_seconds()
        if left > 0:
            _check_later(row, connection, left)
        else:
            connection.gone.set()
    finally:
        release_connection()
