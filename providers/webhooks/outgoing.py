"""Attempts to deliver webhooks. Rows are the queue.

A row is claimed by moving its next attempt into the future, so a worker that dies in the middle only delays it. Its id
is the same in every attempt, by which a receiver knows what it has already seen.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from django.utils import timezone

from providers.errors import BadOutput
from providers.models import OutgoingWebhook
from providers.transfer import signed_post
from providers.transfer.addresses import is_inside, origin_of
from providers.transfer.download import check_url

MAX_ATTEMPTS = 10
FIRST_PAUSE = 10.0  # seconds before the second attempt; trebles, so that the last one comes after about a day
MAX_PAUSE = 12 * 3600.0
TRUSTED: Collection[str] = ()  # origins that need not be public https ones


def problem(url: str) -> str:
    """Why nothing is sent to this URL, as its text shows; "" where only the connection can show."""
    try:
        check_url(url, TRUSTED)
    except BadOutput:
        return "write a URL that begins with https:// and has no password"
    if is_inside(url) and origin_of(url) not in TRUSTED:
        return "write a URL of a public host"
    return ""


def attempt(
    row: OutgoingWebhook,
    url: str,
    payload: Mapping[str, Any],
    *,
    secret: str,
    message_id: str,
    last: bool = False,
) -> bool:
    """One attempt, unless another worker makes it. True when it was taken: any 2xx status.

    410 says that the receiver wants no more; after `last` no other attempt follows either.
    """
    number = row.attempts + 1
    pause = min(MAX_PAUSE, FIRST_PAUSE * 3 ** (number - 1))
    mine = type(row)._default_manager.filter(pk=row.pk, status="waiting", attempts=row.attempts)
    if not mine.update(attempts=number, due_at=timezone.now() + timedelta(seconds=pause)):
        return False
    status, answer = signed_post.post(url, payload, secret=secret, message_id=message_id, trusted=TRUSTED)
    taken = 200 <= status < 300
    row.attempts, row.answer = number, answer
    if taken or last or number >= MAX_ATTEMPTS or status == 410:
        row.status = OutgoingWebhook.Status.DELIVERED if taken else OutgoingWebhook.Status.FAILED
        row.ended_at = timezone.now()
    row.save(update_fields=["status", "answer", "ended_at"])
    return taken
