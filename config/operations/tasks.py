"""The nightly task of the operator."""

from __future__ import annotations

import logging

from celery import shared_task

from config.operations import pruning
from providers.db import connection_released

log = logging.getLogger(__name__)

LIMIT = 20_000  # rows of each kind in one run


@shared_task
@connection_released()
def prune() -> None:
    deleted = {kind: count for kind, count in pruning.prune(LIMIT).items() if count}
    if deleted:
        log.info("Pruned: %s", deleted)
