"""Periodic tasks and task messages; each is harmless the second time, and losing one loses nothing."""

from __future__ import annotations

from datetime import UTC, timedelta

from celery import shared_task
from django.utils import timezone

from providers.catalog import ends
from providers.connections.clock import needs_right_clock
from providers.connections.database import connection_released
from providers.files import spool
from providers.gateway import budgets, job_webhooks, jobs, signed_files
from providers.performance import summaries
from providers.routing import open_jobs
from providers.spending import daily_cap, price_check

from .playground import trials


@shared_task
@connection_released()
@needs_right_clock
def prune_gateway() -> None:
    spool.flush()
    signed_files.prune()
    jobs.prune()
    job_webhooks.prune()
    trials.prune()
    open_jobs.prune()


@shared_task
@connection_released()
@needs_right_clock
def dispatch_trials() -> None:
    for pk in trials.take_due():
        try_out.apply_async((pk,), expires=trials.RESEND_AFTER)
    for pk in jobs.take_due():
        run_image_job.apply_async((pk,), expires=jobs.RESEND_AFTER)
    for pk, attempts in job_webhooks.take_due():
        send_job_webhook.apply_async((pk, attempts), expires=job_webhooks.RESEND_AFTER)


@shared_task
@connection_released()
@needs_right_clock
def try_out(pk: str) -> None:
    trials.run(pk)


@shared_task
@connection_released()
@needs_right_clock
def run_image_job(pk: str) -> None:
    """An asynchronous request of the gateway."""
    jobs.run(pk)


@shared_task
@connection_released()
def send_job_webhook(pk: str, attempts: int) -> None:
    """That an asynchronous request has ended."""
    job_webhooks.send(pk, attempts)


@shared_task
@connection_released()
def keep_summaries() -> None:
    summaries.refresh()


@shared_task
@connection_released()
@needs_right_clock
def close_dead_reservations() -> None:
    daily_cap.close_dead()


@shared_task
@connection_released()
def recount_spending() -> None:
    """Today and yesterday, whose last calls may have ended after midnight."""
    now = timezone.now().astimezone(UTC)
    for day in (now - timedelta(days=1), now):
        daily_cap.recount(day.date())
        budgets.recount(day.date())


@shared_task
@connection_released()
def check_prices() -> None:
    """Nightly: what providers billed beside our price list, and what ends soon."""
    price_check.alarm()
    ends.warn()
