"""Deliveries of webhooks: planned from events, sent until they are taken, signed as Standard Webhooks says.

Rows are the queue. A delivery is claimed by moving its next attempt into the future, so a worker that dies in the
middle only delays it. Its id is the same in every attempt, by which a receiver knows what it has already seen.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Collection
from datetime import timedelta

import httpcore
from django.utils import timezone

from leaderboard.models.webhooks import Delivery, Webhook
from leaderboard.notifications import events
from providers.errors import ProviderError
from providers.transfer import upload
from providers.transfer.deadline import Deadline

MAX_ATTEMPTS = 10
FIRST_PAUSE = 10.0  # seconds before the second attempt; trebles, so that the last one comes after more than a day
MAX_PAUSE = 12 * 3600.0
TIME_LIMIT = 10.0  # seconds for one attempt
AT_ONCE = 20  # deliveries of one run
TRUSTED: Collection[str] = ()  # origins that need not be public https ones


def plan() -> int:
    """A delivery for each event that a webhook has not had yet; returns how many."""
    before = Delivery.objects.count()
    for webhook in Webhook.objects.filter(is_active=True):
        rows = [
            Delivery(webhook=webhook, key=f"{event}:{entry.key}", event=event, payload=events.payload(event, entry))
            for event in webhook.events
            for entry in events.since(event, webhook.created_at)
        ]
        Delivery.objects.bulk_create(rows, ignore_conflicts=True)
    return Delivery.objects.count() - before


def send_due() -> int:
    """Send what is due, of active webhooks; returns how many were delivered."""
    due = Delivery.objects.filter(status="waiting", due_at__lte=timezone.now(), webhook__is_active=True)
    return sum(map(send, due.select_related("webhook").order_by("due_at")[:AT_ONCE]))


def test(webhook: Webhook) -> Delivery:
    """Send a test event now, once; the row says what was answered."""
    payload = {"type": "test", "timestamp": timezone.now().isoformat(), "data": {"title": "A test of this webhook"}}
    delivery = Delivery.objects.create(webhook=webhook, key=f"test:{time.time_ns()}", event="test", payload=payload)
    send(delivery, last=True)
    return delivery


def send(delivery: Delivery, *, last: bool = False) -> bool:
    """One attempt, unless another worker makes it. True when it was taken: any 2xx status."""
    attempt = delivery.attempts + 1
    pause = min(MAX_PAUSE, FIRST_PAUSE * 3 ** (attempt - 1))
    claimed = Delivery.objects.filter(pk=delivery.pk, status="waiting", attempts=delivery.attempts).update(
        attempts=attempt, due_at=timezone.now() + timedelta(seconds=pause)
    )
    if not claimed:
        return False
    status, answer = _post(delivery)
    taken = 200 <= status < 300
    delivery.attempts, delivery.answer = attempt, answer
    if taken or last or attempt >= MAX_ATTEMPTS or status == 410:
        delivery.status = Delivery.Status.DELIVERED if taken else Delivery.Status.FAILED
        delivery.ended_at = timezone.now()
    delivery.save(update_fields=["status", "answer", "ended_at"])
    return taken


def _post(delivery: Delivery) -> tuple[int, str]:
    """(status, 0 without one; what to show of it). The answer's body is not read."""
    body = json.dumps(delivery.payload, ensure_ascii=False).encode()
    name, now = f"msg_{delivery.pk}", int(time.time())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": name,
        "webhook-timestamp": str(now),
        "webhook-signature": signature(delivery.webhook.secret, name, now, body),
    }
    try:
        url, deadline = delivery.webhook.url, Deadline(TIME_LIMIT)
        status = upload.send("POST", url, body, headers, deadline=deadline, trusted=TRUSTED)
    except (ProviderError, httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException) as error:
        detail = getattr(error, "detail", "") or str(error) or type(error).__name__
        return 0, f"no answer: {detail}"[:200]
    return status, str(status)


def signature(secret: str, name: str, timestamp: int, body: bytes) -> str:
    """Of version 1: HMAC-SHA256 over id, time and body, in base64. https://www.standardwebhooks.com"""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{name}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
