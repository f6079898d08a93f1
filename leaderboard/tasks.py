"""Clockwork: what beat asks for."""

from __future__ import annotations

from datetime import UTC, timedelta

from celery import shared_task
from django.db import connection
from django.utils import timezone

from arena import integrity

from . import ratings, results, slices, snapshots, tagged, tallies


@shared_task
def recompute() -> None:
    try:
        ratings.recompute_moved()
        slices.refresh_pooled()
    finally:
        connection.close()


@shared_task
def refresh_tags() -> None:
    try:
        tagged.refresh()
    finally:
        connection.close()


@shared_task
def check_tallies() -> None:
    try:
        tallies.check(every=timedelta(days=1))
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
        results.recount_moved()
    finally:
        connection.close()
