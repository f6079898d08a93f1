"""Periodic tasks of Celery beat."""

from __future__ import annotations

from datetime import UTC, timedelta

from celery import shared_task
from django.utils import timezone

from arena import integrity
from leaderboard.board import by_tag, drift_watch, image_records, overall, pair_counts, ratings, register, snapshots
from leaderboard.news import deliveries
from providers.connections.database import connection_released


@shared_task
@connection_released()
def recompute() -> None:
    ratings.recompute_moved()
    overall.refresh_pooled()


@shared_task
@connection_released()
def refresh_tags() -> None:
    by_tag.refresh()


@shared_task
@connection_released()
def check_tallies() -> None:
    pair_counts.check(every=timedelta(days=1))
    integrity.roll_up(timezone.now().astimezone(UTC).date())


@shared_task
@connection_released()
def take_snapshots() -> None:
    snapshots.take_due()
    drift_watch.check_due()
    register.update()


@shared_task
@connection_released()
def plan_deliveries() -> None:
    deliveries.plan()


@shared_task
@connection_released()
def send_deliveries() -> None:
    deliveries.send_due()


@shared_task
@connection_released()
def recount_records() -> None:
    image_records.recount_moved()
