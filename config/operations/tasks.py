"""The operator's periodic tasks."""

from __future__ import annotations

import logging

from celery import shared_task
from django.conf import settings

from config.operations import alerts, partitions, retention, state
from providers.connections.database import connection_released

log = logging.getLogger(__name__)

LIMIT = 20_000  # rows of each kind in one run


@shared_task
@connection_released()
def prune() -> None:
    deleted = {kind: count for kind, count in retention.prune(LIMIT).items() if count}
    if deleted:
        log.info("Pruned: %s", deleted)


@shared_task
@connection_released()
def add_months() -> None:
    """Where battles and votes are partitioned, the months to come."""
    if added := partitions.add_months():
        log.info("Partitions made: %s", ", ".join(added))


@shared_task
@connection_released()
def alert() -> None:
    """Send what needs a person to where the operator looks."""
    if settings.ALERT_WEBHOOK_URL or settings.ALERT_EMAIL:
        alerts.send(state.current())
