"""Hints for the workers; each is harmless the second time."""

from __future__ import annotations

from celery import shared_task
from django.db import connection

from . import summaries
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
