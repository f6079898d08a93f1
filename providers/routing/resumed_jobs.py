"""Jobs that were accepted earlier, for a request whose worker has died or that lost sight of them: awaited again."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from providers.accounts import account_of
from providers.adapters.base import Deadline
from providers.connections.database import release_connection
from providers.errors import AccountError, AnswerLost, NotFound, ProviderError
from providers.models import ProviderJob, Reservation
from providers.request import Answer, ProviderCall
from providers.routing import offering_calls
from providers.routing.offering_calls import Dispatch
from providers.routing.results import CallResult, OfferingResult

FETCH_SECONDS = 30.0  # that a job is awaited for at least, whatever its age: what is done must still be fetched


def resume(dispatch: Dispatch, jobs: Sequence[ProviderJob]) -> OfferingResult:
    """The result of jobs of one offering. Nothing is submitted: what no job brings is missing.

    Their time counts from when they were submitted. Neither our limits nor the circuit breaker have a say: questions
    about a job cost the provider nothing.
    """
    reservation = (
        Reservation.objects.filter(request_id=dispatch.request_id, attempt=dispatch.number)
        .values_list("pk", flat=True)
        .first()
    )
    release_connection()
    with ThreadPoolExecutor(min(offering_calls.PARALLEL_CALLS, len(jobs)), thread_name_prefix="job") as pool:
        return OfferingResult(tuple(pool.map(lambda job: _await(dispatch, job), jobs)), reservation)


def _await(dispatch: Dispatch, job: ProviderJob) -> CallResult:
    request = replace(dispatch.request, n=job.n)
    provider_call = ProviderCall(endpoint=job.offering.endpoint, arguments={}, ticket=job.ticket)
    age = timezone.now() - job.submitted_at
    seconds = max(dispatch.time_limit - age.total_seconds(), FETCH_SECONDS)
    answer: Answer | None = None
    error: ProviderError | None = None
    try:
        answer = _answer(job, provider_call, Deadline(seconds, stop=dispatch.stop))
    except ProviderError as caught:
        error = caught
    duration: timedelta = timezone.now() - job.submitted_at
    return CallResult(request, provider_call, job.submitted_at, duration, answer, error, part=job.part, job=job)


def _answer(job: ProviderJob, provider_call: ProviderCall, deadline: Deadline) -> Answer:
    """Raises AnswerLost where the account is not the one that submitted the job, or the provider does not know it."""
    name = job.offering.provider
    if name not in settings.PROVIDERS or account_of(name).adapter != job.adapter:
        raise AnswerLost(f"{name} was configured otherwise when it accepted the job.", possibly_charged=True)
    try:
        return offering_calls.ask(name, provider_call, deadline)
    except (NotFound, AccountError) as error:
        raise offering_calls.job_lost(account_of(name).name, error) from error
