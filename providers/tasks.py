"""Hints for the workers; each is harmless the second time."""

from __future__ import annotations

from celery import shared_task
from django.db import connection

from .gateway import files


@shared_task
def prune_gateway() -> None:
    try:
        files.prune()
    finally:
        connection.close()
