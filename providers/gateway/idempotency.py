"""A client's own retry gets the first answer, not a second image and a second bill.

The official clients send no idempotency key, but count their retries in `X-Stainless-Retry-Count`. So a request is a
repetition when it carries the `Idempotency-Key` of an earlier one, or when it says that it is a retry and the same
key has asked exactly the same within the last minutes. It then waits for the first to be done and is answered like it.

A client that hangs up has its job cancelled – at once, or, when it is one that will ask again in a moment, after
`PATIENCE` seconds in which nobody has.
"""

from __future__ import annotations

import contextlib
import threading
from datetime import timedelta
from decimal import Decimal

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Case, IntegerField, Value, When
from django.utils import timezone

from providers.db import release_connection
from providers.gateway import keys
from providers.gateway.disconnect import Client
from providers.gateway.errors import Refusal
from providers.gateway.lookup_cache import Changed
from providers.gateway.wire import Asked
from providers.models import ApiKey, GatewayRequest, ImageModel

PATIENCE = 3.0  # seconds; the official clients come back after 0.4 to 0.5 s, then after up to 1 s
LOOK_AGAIN = 0.15  # seconds between two looks at a request that another thread or process is working on


# Confirms what was kept of key and model. Written by hand, because every image waits for it: one round trip.
_WRITE_DOWN = """
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


def claim(
    key: ApiKey,
    asked: Asked,
    image_model: ImageModel,
    *,
    idempotency_key: str,
    retries: int,
    price: Decimal | None,
) -> tuple[GatewayRequest, bool]:
    """(the request, is it new?). Raises Refusal when the key's budget is used up, or its idempotency key; Changed when
    key or model are no longer what they were."""
    fingerprint = asked.fingerprint()
    exclusive = key.monthly_budget is not None or idempotency_key or retries
    with transaction.atomic() if exclusive else contextlib.nullcontext():
        if exclusive:  # one at a time for each key, so that neither a budget nor a repetition is seen too late
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(hashint8extended(%s, 7))", [key.pk])
            found = _earlier(key, fingerprint, idempotency_key, retries)
            if found is not None:
                return found, False
            keys.check_budget(key, price)
        row = GatewayRequest(
            api_key=key,
            mode=asked.mode,
            model=asked.model,
            n=asked.n,
            fingerprint=fingerprint,
            idempotency_key=idempotency_key,
            reserved=price or Decimal(0),
        )
        _write_down(row, key, image_model)
    return row, True


def _write_down(row: GatewayRequest, key: ApiKey, image_model: ImageModel) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            _WRITE_DOWN,
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


def _earlier(key: ApiKey, fingerprint: str, idempotency_key: str, retries: int) -> GatewayRequest | None:
    since = timezone.now() - timedelta(seconds=settings.GATEWAY_RETRY_WINDOW)
    found: GatewayRequest | None
    if idempotency_key:
        found = key.requests.filter(idempotency_key=idempotency_key).first()
        if found is not None and found.fingerprint != fingerprint:
            message = "This Idempotency-Key was used for another request. Use a new one for each request."
            raise Refusal(422, "idempotency_key_reused", message, param="Idempotency-Key")
    elif retries:
        # Of several that are alike, the one whose client is gone; else the latest.
        left_first = Case(When(wanted_until=None, then=Value(1)), default=Value(0), output_field=IntegerField())
        same = key.requests.filter(fingerprint=fingerprint, asked_at__gte=since, status__in=["running", "ok"])
        found = same.order_by(left_first, "-asked_at").first()
    else:
        found = None
    if found is not None:
        found.repeats += 1
        fields = ["repeats"]
        if found.wanted_until is not None:
            found.wanted_until = timezone.now() + timedelta(seconds=PATIENCE)
            fields.append("wanted_until")
        found.save(update_fields=fields)
    return found


def wait_for(row: GatewayRequest, client: Client, *, seconds: float) -> GatewayRequest:
    """The request once it is over; as it stands when its time is up, or when the one who waits is gone too."""
    end = timezone.now() + timedelta(seconds=seconds)
    while row.status == GatewayRequest.Status.RUNNING and timezone.now() < end:
        release_connection()
        if client.gone.wait(LOOK_AGAIN):
            break
        soon = timezone.now() + timedelta(seconds=PATIENCE)
        GatewayRequest.objects.filter(pk=row.pk, wanted_until__lt=soon - timedelta(seconds=1)).update(wanted_until=soon)
        row.refresh_from_db()
    return row


def leave_with_patience(row: GatewayRequest, client: Client) -> None:
    """The client is gone and may be back in a moment: give up only when it is not."""
    soon = timezone.now() + timedelta(seconds=PATIENCE)
    GatewayRequest.objects.filter(pk=row.pk, status="running", wanted_until=None).update(wanted_until=soon)
    _look_again(row, client, PATIENCE)
    release_connection()


def _look_again(row: GatewayRequest, client: Client, seconds: float) -> None:
    timer = threading.Timer(max(0.05, seconds), _give_up_unless_wanted, (row, client))
    timer.daemon = True
    timer.start()


def _give_up_unless_wanted(row: GatewayRequest, client: Client) -> None:
    try:
        found = (
            GatewayRequest.objects.filter(pk=row.pk, status="running").values_list("wanted_until", flat=True).first()
        )
        if found is None:
            return  # over
        left = (found - timezone.now()).total_seconds()
        if left > 0:
            _look_again(row, client, left)
        else:
            client.gone.set()
    finally:
        release_connection()
