"""Jobs at providers that accept work first and answer later: stored before they are awaited."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar, Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from .calls import Call
from .offerings import Offering

LIFETIME = timedelta(hours=1)  # for which providers keep a result: afterwards a job is not asked about any more
MAX_TAKEOVERS = 10  # of one job: an image that kills every worker that reads it must not do so for ever


class ProviderJobQuerySet(models.QuerySet["ProviderJob"]):
    def open(self) -> Self:
        """Those whose result can still be had."""
        return self.filter(submitted_at__gt=timezone.now() - LIFETIME, takeovers__lt=MAX_TAKEOVERS)


class ProviderJob(models.Model):
    """A job that a provider has accepted, stored before it is awaited and deleted once its image is stored.

    When the worker that waits for it dies, another one asks the provider for the same job, and no image is bought
    twice. Rows that nobody takes up are deleted by their age.
    """

    offering = models.ForeignKey(Offering, models.CASCADE, related_name="+")
    request_id = models.UUIDField(help_text="As of its call.")
    attempt = models.PositiveSmallIntegerField(help_text="As of its call.")
    part = models.PositiveSmallIntegerField(help_text="Of the parallel calls of the attempt.")
    n = models.PositiveSmallIntegerField(help_text="Images asked for.")
    adapter = models.CharField(max_length=40, help_text="Which reads the ticket.")
    ticket = models.JSONField(help_text="What finds the job again: its id and URLs, and no secret.")
    submitted_at = models.DateTimeField()
    lease_expires_at = models.DateTimeField(help_text="When the worker that awaits it has ended or died.")
    takeovers = models.PositiveSmallIntegerField(default=0, help_text="How often it was asked about anew.")
    call = models.OneToOneField(
        Call, models.CASCADE, null=True, blank=True, related_name="+", help_text="Its call, once one is recorded."
    )

    objects: ClassVar[models.Manager[ProviderJob]] = ProviderJobQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["submitted_at"], name="provider_job_age")]
        constraints = [
            models.UniqueConstraint(fields=["request_id", "attempt", "part"], name="a call submits one job"),
            models.CheckConstraint(condition=Q(n__gte=1, attempt__gte=1), name="a job makes an image, and counts"),
            models.CheckConstraint(
                condition=Q(lease_expires_at__gt=F("submitted_at")), name="a job is awaited for a while"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offering_id} since {self.submitted_at:%H:%M:%S}"
