"""Hints for the workers. The rows are the queue: losing any of these messages loses nothing."""

from __future__ import annotations

from celery import shared_task
from django.db import connection

from . import generation


@shared_task
def dispatch() -> None:
    for pk in generation.take_due():
        generate.apply_async((pk,), expires=generation.REDISPATCH_SECONDS)


@shared_task
def generate(pk: int) -> None:
    try:
        generation.run(pk)
    finally:
        connection.close()  # a worker has many threads; an idle one must not hold one of Postgres' connections
