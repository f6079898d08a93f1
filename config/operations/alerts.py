"""What needs a person, said once when it begins, once a day while it lasts, and once when it is over.

Beat sends it to ALERT_WEBHOOK_URL as {"text": …}, which Slack, Mattermost, Teams and their like take, and to
ALERT_EMAIL. A site without beat or workers cannot send anything: let something outside watch /readyz.
"""

from __future__ import annotations

import json
import logging
from typing import Any

import httpx
from django.conf import settings
from django.core.mail import send_mail

from config.operations.state import SiteState
from providers.connections import valkey_client

log = logging.getLogger(__name__)

SENT = "arena:alerts"  # in Valkey: what was said and holds still, as JSON
REPEATED_AFTER = 24 * 3600  # seconds
WAITING_SECONDS = 600  # of the oldest due image
CAP_SHARE = 0.9
TIMEOUT = 10.0


def problems(site: SiteState) -> dict[str, str]:
    """What needs a person, by a key that stays the same while it lasts."""
    waiting = site.oldest_due.total_seconds() if site.oldest_due else 0.0
    silent = [report.name for report in site.worker_reports if report.is_silent]
    wrong_clocks = [report for report in site.worker_reports if report.has_wrong_clock]
    mute = [report for report in site.worker_reports if report.log_fault]
    strangers = [report.name for report in site.worker_reports if not report.knows_secret]
    candidates = {
        "store": site.store and f"Images cannot be stored: {site.store}.",
        "workers": silent and f"{len(silent)} workers have died or hang.",
        "clocks": wrong_clocks
        and "Clocks are wrong: " + ", ".join(f"{row.name} by {row.ahead:+.0f} s" for row in wrong_clocks) + ".",
        "secrets": strangers and f"Another SECRET_KEY than here: {', '.join(strangers)}.",
        "logs": mute and "Logs cannot be written: " + ", ".join(f"{row.name}: {row.log_fault}" for row in mute) + ".",
        "eviction": site.evicts
        and f"Valkey drops keys when it is full, and with them tasks and limits: its policy is {site.evicts}. "
        "Set maxmemory-policy noeviction.",
        "queue": waiting > WAITING_SECONDS and f"The oldest image has been due for {waiting / 60:.0f} minutes.",
        "migrations": site.migrations and f"{len(site.migrations)} migrations are not applied.",
        "partitions": site.partitions and f"Votes will be refused: {site.partitions}.",
        "cap": site.cap
        and float(site.spent) >= CAP_SHARE * float(site.cap)
        and f"{site.spent:.2f} of the day's {site.cap:.2f} US dollars are spent or reserved.",
    }
    sentences = {key: text for key, text in candidates.items() if isinstance(text, str) and text}
    for board in site.boards:
        if board.trouble:
            sentences[f"board:{board.category.slug}"] = f"The board {board.category.slug}: {board.trouble}."
    return sentences


def send(site: SiteState) -> list[str]:
    """Send what is new and what is over; returns the sentences. Raises redis.RedisError."""
    if not (settings.ALERT_WEBHOOK_URL or settings.ALERT_EMAIL):
        return []
    now = problems(site)
    with valkey_client.connect() as valkey:
        stored: Any = valkey.get(SENT)
        before: dict[str, str] = json.loads(stored or "{}")
        sentences = [text for key, text in now.items() if key not in before]
        sentences += [f"Over: {text}" for key, text in before.items() if key not in now]
        if sentences and _deliver("\n".join(sentences)):
            valkey.set(SENT, json.dumps(now), ex=REPEATED_AFTER)
    return sentences


def _deliver(text: str) -> bool:
    """Whether it went out somewhere; what did not is tried again with the next run."""
    delivered = False
    if settings.ALERT_WEBHOOK_URL:
        try:
            message = {"text": f"{settings.SITE_NAME}:\n{text}"}
            httpx.post(settings.ALERT_WEBHOOK_URL, json=message, timeout=TIMEOUT).raise_for_status()
            delivered = True
        except httpx.HTTPError as error:
            log.error("ALERT_WEBHOOK_URL does not take alerts: %s", type(error).__name__)
    if settings.ALERT_EMAIL:
        try:
            send_mail(f"{settings.SITE_NAME} needs a person", text, settings.DEFAULT_FROM_EMAIL, settings.ALERT_EMAIL)
            delivered = True
        except OSError as error:  # smtplib's are, too
            log.error("The alert cannot be mailed: %s", error)
    return delivered
