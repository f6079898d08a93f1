"""Task messages for the workers. The rows are the queue: losing any of these messages loses nothing."""

from __future__ import annotations

from celery import shared_task

from arena import blinding, generation, orphans
from arena.voting import recount
from providers.connections.clock import needs_right_clock
from providers.connections.database import connection_released

from .integrity import alarm, caps, networks, watch


@shared_task
@connection_released()
@needs_right_clock
def dispatch() -> None:
    for pk in generation.take_due():
        generate.apply_async((pk,), expires=generation.REDISPATCH_SECONDS)


@shared_task
@connection_released()
@needs_right_clock
def generate(pk: int) -> None:
    generation.run(pk)


@shared_task
@connection_released()
def sweep_orphans() -> None:
    orphans.sweep()


@shared_task
@connection_released()
def re_encode_images() -> None:
    generation.re_encode_next()


@shared_task
@connection_released()
def check_votes() -> None:
    recount.check()


@shared_task
@connection_released()
def watch_votes() -> None:
    watch.run()
    blinding.complete_prompts()


@shared_task
@connection_released()
def follow_caps() -> None:
    caps.follow()


@shared_task
@connection_released()
def check_integrity() -> None:
    networks.forget_old()
    alarm.raise_new()
