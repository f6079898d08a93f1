"""Hints for the workers; each is harmless the second time, and losing one loses nothing."""

from __future__ import annotations

from celery import shared_task
from django.db import connection

from .gateway import files
from .playground import trials


@shared_task
def prune_gateway() -> None:
    try:
        files.prune()
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
