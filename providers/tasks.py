"""Hints for the workers; each is harmless the second time, and losing one loses nothing."""

from __future__ import annotations

from datetime import UTC, timedelta

from celery import shared_task
from django.db import connection
from django.utils import timezone

from providers.gateway import signed_files
from providers.performance import summaries
from providers.spending import daily_cap

from .playground import trials


@shared_task
def prune_gateway() -> None:
    try:
        signed_files.prune()
        trials.prune()
    finally:
        connection.close()


@shared_task
def dispatch_trials() -> None:
    try:
        for pk in trials.take_due():
            try_out.apply_async((pk,), expires=trials.SEND_AGAIN)
    finally:
        connection.close()


@shared_task
def try_out(pk: str) -> None:
    try:
        trials.run(pk)
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
        daily_cap.close_dead()
    finally:
        connection.close()


@shared_task
def recount_spending() -> None:
    """Today and yesterday, whose last calls may have ended after midnight."""
    try:
        now = timezone.now().astimezone(UTC)
        for day in (now - timedelta(days=1), now):
            daily_cap.recount(day.date())
    finally:
        connection.close()
