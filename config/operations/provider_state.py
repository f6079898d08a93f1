"""What each provider has to do: images that wait for it, calls under way, jobs it has accepted."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from django.db.models import Count, Min, Q

from arena.models import Generation
from providers import routing
from providers.models import ImageModel, ProviderJob, Reservation
from providers.request import ImageRequest, Mode

NOBODY = "nobody sells it"  # in the place of a provider


@dataclass(frozen=True)
class ProviderState:
    """`provider` is its key in settings.PROVIDERS: the account, where one company has several."""

    provider: str
    queued: int  # generations that would be sent to it next
    oldest_due: timedelta | None  # how long the oldest of them that is due has waited
    calls: int  # under way, of all callers
    jobs: int  # that it has accepted and whose image is not stored yet
    orphaned: int  # of these: their worker died, and nobody has taken them up
    oldest_job: timedelta | None


@dataclass
class _Waiting:
    queued: int = 0
    due_at: datetime | None = None

    def add(self, queued: int, due_at: datetime | None) -> None:
        self.queued += queued
        self.due_at = min(filter(None, (self.due_at, due_at)), default=None)


def of_all(now: datetime) -> list[ProviderState]:
    """Every provider that has something to do, by name."""
    waiting = _waiting(now)
    calls = dict(
        Reservation.objects.filter(expires_at__gt=now)
        .values_list("offering__provider")
        .annotate(n=Count("pk"))
        .order_by()
    )
    jobs = {
        provider: (count, orphaned, submitted_at)
        for provider, count, orphaned, submitted_at in ProviderJob.objects.open()
        .values_list("offering__provider")
        .annotate(n=Count("pk"), orphaned=Count("pk", filter=Q(lease_expires_at__lt=now)), at=Min("submitted_at"))
        .order_by()
    }
    states = []
    for provider in sorted({*waiting, *calls, *jobs}):
        rows, (count, orphaned, submitted_at) = waiting[provider], jobs.get(provider, (0, 0, None))
        states.append(
            ProviderState(
                provider,
                rows.queued,
                age(now, rows.due_at),
                calls.get(provider, 0),
                count,
                orphaned,
                age(now, submitted_at),
            )
        )
    return states


def age(now: datetime, at: datetime | None) -> timedelta | None:
    """In whole seconds."""
    return timedelta(seconds=round((now - at).total_seconds())) if at else None


def _waiting(now: datetime) -> dict[str, _Waiting]:
    """Provider → queued generations. A model of several sellers waits for the one that would be called first."""
    queued = (
        Generation.objects.filter(status=Generation.Status.QUEUED)
        .values_list("image_model", "provider", "prompt__competition__category__mode")
        .annotate(n=Count("pk"), due=Min("due_at", filter=Q(due_at__lte=now)))
        .order_by()
    )
    groups = list(queued)
    first = {
        mode: _first_provider(mode, {model for model, *_ in groups}) for mode in {mode for _, _, mode, *_ in groups}
    }
    waiting: dict[str, _Waiting] = defaultdict(_Waiting)
    for model, forced, mode, count, due_at in groups:
        waiting[forced or first[mode].get(model, NOBODY)].add(count, due_at)
    return waiting


def _first_provider(mode: str, models: Iterable[int]) -> dict[int, str]:
    offerings = routing.candidates_of_many(
        ImageModel.objects.filter(pk__in=models), ImageRequest("", cast("Mode", mode))
    )
    return {pk: rows[0].provider for pk, rows in offerings.items() if rows}
