"""A client's own retry gets the first response, not a second image and a second bill.

The official clients send no idempotency key, but count their retries in `X-Stainless-Retry-Count`. So a request is a
retry when it carries the `Idempotency-Key` of an earlier one, or when it says that it is a retry and an equal request
of the same key was answered in vain within the last minutes: its client had disconnected. It then waits for that first
try to end and gets the same response.

An equal request whose client is still connected is ambiguous: perhaps a proxy hides that its client is gone, perhaps
the retry is of another request that *we* rejected (429, 5xx). Rejections are noted in Valkey for `REJECTION_TTL`; a
retry that finds one takes it and is a new request, one that finds none joins the running request.

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
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone

from providers.admission import valkey
from providers.connections.database import release_connection
from providers.gateway import budgets, process
from providers.gateway.disconnect import ClientConnection
from providers.gateway.errors import ApiError, invalid
from providers.gateway.lookup_cache import Changed
from providers.gateway.wire import ApiRequest
from providers.models import ApiKey, GatewayRequest, ImageModel

RETRY_GRACE = 3.0  # seconds; the official clients retry after 0.4 to 0.5 s, then after up to 1 s
POLL_INTERVAL = 0.15  # seconds between two reads of a row that another thread or process is working on
REJECTION_TTL = 120  # seconds; clients wait up to a minute or two before they retry


# Confirms what was cached of key and model. Written by hand, because every image waits for it: one round trip.
_INSERT = """
WITH request AS (
    INSERT INTO providers_gatewayrequest
        (id, api_key_id, mode, model, n, status, error_code, error, provider, attempts, asked_at, reserved, fingerprint,
         idempotency_key, repeats, answer, files, tag, process)
    SELECT %(id)s, key.id, %(mode)s, %(model)s, %(n)s, 'running', '', '', '', 0, %(now)s, %(reserved)s, %(fingerprint)s,
        %(idempotency_key)s, 0, '{}', '[]', %(tag)s, %(process)s
    FROM providers_apikey key
    WHERE key.id = %(key)s AND key.xmin::text::bigint = %(version)s AND (expires_at IS NULL OR expires_at > %(now)s)
        AND EXISTS (
            SELECT FROM providers_imagemodel WHERE id = %(image_model)s AND slug = %(slug)s AND retired_at IS NULL
        )
    RETURNING api_key_id, reserved, (asked_at AT TIME ZONE 'UTC')::date AS day
), spending AS (
    INSERT INTO providers_keyspending AS spending (api_key_id, day, amount)
    SELECT api_key_id, day, reserved FROM request WHERE reserved > 0
    ON CONFLICT (api_key_id, day) DO UPDATE SET amount = spending.amount + excluded.amount
)
SELECT count(*), CASE WHEN NOT %(flush)s THEN set_config('synchronous_commit', 'off', true) END FROM request
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
    price: Decimal,
    fingerprint: str,
    flush: bool,
) -> tuple[GatewayRequest, bool]:
    """(row, is it new?). A new row reserves `price` (USD for all images) of the key's budgets. Without `flush` its
    commit does not wait for the disk: another one of the same session has to follow before anything depends on it.

    Raises ApiError: 402 when a budget does not allow it, 422 when the idempotency key stands for another request;
    Changed when key or model are no longer what they were when they were cached.
    """
    exclusive = key.has_budget or idempotency_key or retries
    with transaction.atomic() if exclusive else contextlib.nullcontext():
        if exclusive:  # one at a time for each key, so that neither a budget nor a retry is seen too late
            budgets.lock(key)
            first_try = _first_try(key, fingerprint, idempotency_key, retries)
            if first_try is not None:
                return first_try, False
            budgets.check(key, price)
        row = GatewayRequest(
            id=request_id,
            api_key=key,
            mode=request.mode,
            model=request.model,
            n=request.n,
            fingerprint=fingerprint,
            idempotency_key=idempotency_key,
            reserved=price,
            tag=request.tag,
            process=process.name(),
        )
        _insert(row, key, image_model, flush=flush)
    return row, True


def _insert(row: GatewayRequest, key: ApiKey, image_model: ImageModel, *, flush: bool) -> None:
    version = key.version  # type: ignore[attr-defined]  # keys.of_secret has annotated it
    with database.cursor() as cursor:
        cursor.execute(
            _INSERT,
            {
                "id": row.pk, "mode": row.mode, "model": row.model, "n": row.n, "now": row.asked_at, "key": key.pk,
                "reserved": row.reserved, "fingerprint": row.fingerprint, "idempotency_key": row.idempotency_key,
                "tag": row.tag, "process": row.process, "version": version, "image_model": image_model.pk,
                "slug": image_model.slug, "flush": flush,
            },
        )  # fmt: skip
        if not cursor.fetchone()[0]:
            raise Changed
    row._state.adding = False


def _first_try(key: ApiKey, fingerprint: str, idempotency_key: str, retries: int) -> GatewayRequest | None:
    row: GatewayRequest | None
    if idempotency_key:
        row = key.requests.filter(idempotency_key=idempotency_key).first()
        if row is not None and row.fingerprint != fingerprint:
            message = "This Idempotency-Key was used for another request. Use a new one for each request."
            raise ApiError(422, "idempotency_key_reused", message, param="Idempotency-Key")
    elif retries:
        row = _lost(key, fingerprint)
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


def _lost(key: ApiKey, fingerprint: str) -> GatewayRequest | None:
    """The latest equal request whose response did not reach its client, else one that runs and may be it."""
    now = timezone.now()
    equal = key.requests.filter(
        fingerprint=fingerprint, asked_at__gte=now - timedelta(seconds=settings.GATEWAY_RETRY_WINDOW), delivered_at=None
    )
    answered = Q(status="ok", files_expire_at__gt=now)
    row: GatewayRequest | None = equal.filter(answered | Q(status="running", wanted_until__isnull=False)).first()
    if row is None and (row := equal.filter(status="running").first()) and take_rejection(key.digest, fingerprint):
        return None
    return row


_NOTE_REJECTION = """
redis.call('INCR', KEYS[1])
redis.call('EXPIRE', KEYS[1], ARGV[1])
"""
_TAKE_REJECTION = """
for _, key in ipairs(KEYS) do
    if tonumber(redis.call('GET', key) or 0) > 0 then redis.call('DECR', key) return 1 end
end
return 0
"""


def note_rejection(digest: str, fingerprint: str) -> None:
    """We have rejected a request that its client may retry. Without a fingerprint, its body had not been read."""
    valkey.run(_NOTE_REJECTION, [f"gateway:rejected:{digest}:{fingerprint}"], [REJECTION_TTL])


def take_rejection(digest: str, fingerprint: str) -> bool:
    """Whether a rejection is noted that this retry may follow; it is then no longer noted."""
    names = [f"gateway:rejected:{digest}:{part}" for part in (fingerprint, "")]
    return bool(valkey.run(_TAKE_REJECTION, names, []))


def wait_for(row: GatewayRequest, connection: ClientConnection, *, seconds: float) -> GatewayRequest:
    """The row once it is settled; as it is when `seconds` have passed or this client has disconnected too.

    When the process that works on it has died, the row is failed.
    """
    end = timezone.now() + timedelta(seconds=seconds)
    next_look = timezone.now() + timedelta(seconds=process.INTERVAL)
    while row.status == GatewayRequest.Status.RUNNING and timezone.now() < end:
        if timezone.now() > next_look:
            next_look = timezone.now() + timedelta(seconds=process.INTERVAL)
            if process.is_dead(row.process):
                fail_lost(row)
                break
        release_connection()
        if connection.gone.wait(POLL_INTERVAL):
            break
        soon = timezone.now() + timedelta(seconds=RETRY_GRACE)
        GatewayRequest.objects.filter(pk=row.pk, wanted_until__lt=soon - timedelta(seconds=1)).update(wanted_until=soon)
        row.refresh_from_db()
    return row


def fail_lost(row: GatewayRequest) -> None:
    """Fail a request whose process died. It costs what its calls have cost – they are recorded before it is settled –
    and what was reserved for a call whose answer nobody has: the provider may bill it."""
    row.cost, counted = budgets.cost_of_lost(row.pk, row.asked_at)
    if row.cost is None:
        row.reserved = counted
    row.status, row.http_status = GatewayRequest.Status.FAILED, 500
    row.error_code, row.error = "process_lost", "The process that worked on this request died. Send it again."
    row.duration = timezone.now() - row.asked_at
    row.idempotency_key = ""
    budgets.settle(row)


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
