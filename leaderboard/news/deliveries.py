"""Deliveries of webhooks: planned from events, sent until they are taken."""

from __future__ import annotations

import time

from django.utils import timezone

from leaderboard.models.webhooks import Delivery, Webhook
from leaderboard.news import events
from providers.webhooks import outgoing as outgoing_webhooks

AT_ONCE = 20  # deliveries of one run


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
    """One attempt, unless another worker makes it. True when it was taken."""
    webhook = delivery.webhook
    return outgoing_webhooks.attempt(
        delivery,
        webhook.url,
        delivery.payload,
        secret=webhook.secret,
        message_id=f"msg_{delivery.pk}",
        last=last,
    )
