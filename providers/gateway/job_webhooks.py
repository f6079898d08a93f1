"""The end of an asynchronous request, sent to the client's `webhook_url` until it is taken.

Rows are the queue: a periodic task sends task messages for what is due, and a lost message is sent again. Signed as
Standard Webhooks says, with the API key's `webhook_secret`.
"""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from providers.gateway import jobs, keys
from providers.models import JobWebhook
from providers.webhooks import outgoing as outgoing_webhooks

RESEND_AFTER = 10  # seconds after which a task message counts as lost
STORED_FOR = timedelta(days=7)


def take_due() -> list[tuple[str, int]]:
    """(webhook, attempts so far) of requests that have ended, for the task messages to be sent now."""
    now = timezone.now()
    due = JobWebhook.objects.filter(status="waiting", due_at__lte=now).exclude(request__status="running")
    rows = list(due.order_by("due_at").values_list("pk", "attempts")[:50])
    later = now + timedelta(seconds=RESEND_AFTER)
    JobWebhook.objects.filter(pk__in=[pk for pk, _ in rows], status="waiting", due_at__lte=now).update(due_at=later)
    return [(str(pk), attempts) for pk, attempts in rows]


def send(pk: str, attempts: int) -> bool:
    """One attempt more, unless that has been made. True when the receiver took it."""
    rows = JobWebhook.objects.select_related("request__api_key").filter(pk=pk, attempts=attempts, status="waiting")
    webhook: JobWebhook | None = rows.first()
    if webhook is None:
        return False
    job = jobs.describe(webhook.request, webhook.origin)
    payload = {"type": f"image.job.{job['status']}", "timestamp": _ended_at(webhook), "data": job}
    secret, message_id = keys.webhook_secret(webhook.request.api_key), f"msg_{webhook.request_id.hex}"
    return outgoing_webhooks.attempt(webhook, webhook.url, payload, secret=secret, message_id=message_id)


def _ended_at(webhook: JobWebhook) -> str:
    return (webhook.request.asked_at + (webhook.request.duration or timedelta())).isoformat()


def prune() -> None:
    JobWebhook.objects.filter(ended_at__lt=timezone.now() - STORED_FOR).delete()
