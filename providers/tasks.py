"""Hints for the workers; each is harmless the second time."""

from __future__ import annotations

from datetime import UTC, timedelta

from celery import shared_task
from django.db import connection
from django.utils import timezone

from . import spending, summaries
from .gateway import files


@shared_task
def prune_gateway() -> None:
    try:
        files.prune()
    finally:
        connection.close()


@shared_task
def keep_summaries() -> None:
    try:
        summaries.keep()
    finally:
        connection.close()


@shared_task
def close_dead_reservations() -> None:
    try:
        spending.close_dead()
    finally:
        connection.close()


@shared_task
def recount_spending() -> None:
    """Today and yesterday, whose last calls may have ended after midnight."""
    try:
        now = timezone.now().astimezone(UTC)
        for day in (now - timedelta(days=1), now):
            spending.recount(day.date())
    finally:
        connection.close()
