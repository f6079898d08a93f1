"""Clockwork: what beat asks for."""

from __future__ import annotations

from datetime import UTC, timedelta

from celery import shared_task
from django.db import connection
from django.utils import timezone

from arena import integrity
from leaderboard.board import by_tag, image_records, overall, pair_counts, ratings, snapshots


@shared_task
def recompute() -> None:
    try:
        ratings.recompute_moved()
        overall.refresh_pooled()
    finally:
        connection.close()


@shared_task
def refresh_tags() -> None:
    try:
        by_tag.refresh()
    finally:
        connection.close()


@shared_task
def check_tallies() -> None:
    try:
        pair_counts.check(every=timedelta(days=1))
        integrity.roll_up(timezone.now().astimezone(UTC).date())
    finally:
        connection.close()


@shared_task
def take_snapshots() -> None:
    try:
        snapshots.take_due()
    finally:
        connection.close()


@shared_task
def recount_records() -> None:
    try:
        image_records.recount_moved()
    finally:
        connection.close()
