"""Jobs that providers have accepted, stored so that none is bought a second time when the process that waits dies.

An adapter reports a job as soon as it is accepted (`recorder`). The next one that works on the same request – another
worker, after the first one's lease; the same, after an outage of the provider or of our database – asks for that job
instead of submitting one (`take_up`, routing/resumed_jobs.py). The row goes when its request has ended well (`forget`),
when the provider has said that no image will come, or an hour later, by when no provider keeps the result.

Only callers that work in the background record jobs: nobody could take up a request whose client waits for its answer.
"""

from __future__ import annotations

import logging
import uuid
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import F
from django.utils import timezone

from providers.accounts import account_of
from providers.connections.database import release_connection
from providers.models import Call, Offering, ProviderJob
from providers.models.jobs import LIFETIME
from providers.request import OnSubmitted, Ticket
from providers.routing.results import CallResult

log = logging.getLogger(__name__)


def recorder(
    offering: Offering, *, request_id: uuid.UUID, attempt: int, part: int, n: int, seconds: float
) -> OnSubmitted:
    """What an adapter calls with the ticket of an accepted job, which is awaited for `seconds` at most.

    A database that does not take it costs no image: the job is awaited all the same.
    """
    adapter = account_of(offering.provider).adapter
    started_at = timezone.now()

    def record(ticket: Ticket) -> None:
        try:
            ProviderJob.objects.create(
                offering=offering,
                request_id=request_id,
                attempt=attempt,
                part=part,
                n=n,
                adapter=adapter,
                ticket=dict(ticket),
                submitted_at=started_at,
                lease_expires_at=started_at + _lease(seconds),
            )
        except DatabaseError as error:
            log.warning("A job at %s is not recorded: %s", offering.provider, error)
        finally:
            release_connection()

    return record


def exist(request_id: uuid.UUID | None) -> bool:
    """Can a request be gone on with, instead of buying its images once more?"""
    return request_id is not None and ProviderJob.objects.open().filter(request_id=request_id).exists()


def take_up(request_id: uuid.UUID, seconds: float) -> list[ProviderJob]:
    """The open jobs of a request that the caller owns; they are awaited for `seconds` at most."""
    rows = ProviderJob.objects.open().filter(request_id=request_id)
    jobs = list(rows.select_related("offering__image_model", "call").order_by("attempt", "part"))
    if jobs:
        lease_expires_at = timezone.now() + _lease(seconds)
        ProviderJob.objects.filter(pk__in=[job.pk for job in jobs]).update(
            takeovers=F("takeovers") + 1, lease_expires_at=lease_expires_at
        )
    return jobs


def take_over(request_id: uuid.UUID, seconds: float) -> bool:
    """Own a request whose worker died with open jobs, for `seconds`: True for one of those that call at once."""
    orphans = ProviderJob.objects.open().filter(request_id=request_id, lease_expires_at__lt=timezone.now())
    return bool(orphans.update(lease_expires_at=timezone.now() + _lease(seconds)))


def orphans() -> set[uuid.UUID]:
    """The requests whose workers have died while they waited for jobs that are open."""
    rows = ProviderJob.objects.open().filter(lease_expires_at__lt=timezone.now())
    return set(rows.values_list("request_id", flat=True))


def settle(result: CallResult, call: Call, request_id: uuid.UUID, attempt: int) -> None:
    """Inside the transaction that records `call`: its job stays while it may bring an image that is not stored yet."""
    rows = ProviderJob.objects.filter(request_id=request_id, attempt=attempt, part=result.part)
    if result.error is None or result.error.job_is_open:
        rows.update(call=call)
    else:
        rows.delete()


def forget(request_id: uuid.UUID) -> None:
    """The request has ended, and its images are stored or given up."""
    ProviderJob.objects.filter(request_id=request_id).delete()


def prune() -> None:
    """Delete what nobody will ask for any more."""
    ProviderJob.objects.filter(submitted_at__lt=timezone.now() - LIFETIME).delete()


def _lease(seconds: float) -> timedelta:
    return timedelta(seconds=seconds + settings.GENERATION_LEASE_GRACE)
