"""Requests to offerings, each a row: what it was asked, how it ended, how long it took, what it cost."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib.postgres.functions import RandomUUID
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from providers.errors import OUTCOMES

from .offerings import Offering


class CallQuerySet(models.QuerySet["Call"]):
    def recent(self, days: int = 30) -> CallQuerySet:
        return self.filter(started_at__gte=timezone.now() - timedelta(days=days))


class Call(models.Model):
    """One request to one offering, for any caller, recorded also when it failed: speed and refusals are read from here.

    A caller's request may take several: other offerings after the first (`attempt` counts them), and several calls at
    once for more images than one brings. They share a `request_id`, and exactly one of them has `ends_request`.
    """

    CALLERS = ("arena", "gateway", "playground")

    offering = models.ForeignKey(Offering, models.PROTECT, related_name="calls")
    caller = models.CharField(max_length=12, choices=[(name, name) for name in CALLERS])
    outcome = models.CharField(max_length=20, choices=[(name, name.replace("_", " ")) for name in OUTCOMES])
    error = models.TextField(blank=True, help_text="What may be shown to the caller.")
    detail = models.TextField(
        blank=True, db_default="", help_text="What the provider said, without secrets: for staff, shown only here."
    )
    request_id = models.UUIDField(db_default=RandomUUID())
    attempt = models.PositiveSmallIntegerField(default=1)
    ends_request = models.BooleanField(default=True)
    n = models.PositiveSmallIntegerField(default=1, help_text="Images asked for in this one call.")
    started_at = models.DateTimeField()
    duration = models.DurationField(
        help_text="From sending the request to holding the image's bytes; 0 where another process took the job up."
    )
    ttfb = models.DurationField(null=True, blank=True)
    provider_time = models.DurationField(null=True, blank=True, help_text="As the provider reports it.")
    cost = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True, help_text="USD")
    cost_estimated = models.BooleanField(default=True)
    spent = models.DecimalField(
        max_digits=12,
        decimal_places=6,
        null=True,
        blank=True,
        help_text="USD that spending caps count: the cost if it is or may be charged, UNKNOWN_PRICE_CEILING where the "
        "cost is unknown, 0 for a simulated provider; empty in calls of earlier releases.",
    )
    billed_units = models.DecimalField(
        max_digits=14, decimal_places=6, null=True, blank=True, help_text="In the units of the provider's price list."
    )
    usage = models.JSONField(null=True, blank=True, help_text="The tokens it counted, in the provider's words.")
    possibly_charged = models.BooleanField(default=False)
    requested_size = models.CharField(max_length=20, blank=True)
    resolved_size = models.CharField(max_length=20, blank=True)
    delivered_size = models.CharField(max_length=20, blank=True)
    provider_request_id = models.CharField(max_length=120, blank=True)

    objects: ClassVar[Any] = CallQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(
                F("offering"),
                F("started_at").desc(),
                include=["outcome", "duration", "ttfb", "provider_time", "n", "ends_request"],
                name="call_offering_times",
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(outcome="ok", error="") | (~Q(outcome="ok") & ~Q(error="")),
                name="a call has an error exactly when it is not ok",
            ),
            models.CheckConstraint(condition=Q(detail="") | ~Q(outcome="ok"), name="only a failed call has a detail"),
            models.CheckConstraint(condition=Q(outcome__in=OUTCOMES), name="call outcome is known"),
            models.CheckConstraint(condition=Q(caller__in=["arena", "gateway", "playground"]), name="caller is known"),
            models.CheckConstraint(condition=Q(duration__gte=timedelta(0)), name="a call lasts no negative time"),
            models.CheckConstraint(
                condition=Q(ttfb=None) | Q(ttfb__gte=timedelta(0), ttfb__lte=F("duration")),
                name="first byte comes before the last",
            ),
            models.CheckConstraint(
                condition=Q(cost=None) | Q(cost__gte=Decimal(0)), name="a call costs nothing negative"
            ),
            models.CheckConstraint(
                condition=Q(spent=None) | Q(spent__gte=Decimal(0)), name="a call spends nothing negative"
            ),
            models.CheckConstraint(
                condition=Q(billed_units=None) | Q(billed_units__gte=Decimal(0)),
                name="no provider bills fewer than none",
            ),
            models.CheckConstraint(condition=Q(n__gte=1, attempt__gte=1), name="a call asks for an image, and counts"),
            models.UniqueConstraint(fields=["request_id"], condition=Q(ends_request=True), name="a request ends once"),
        ]

    def __str__(self) -> str:
        return f"{self.offering_id} {self.outcome} {self.started_at:%Y-%m-%d %H:%M:%S}"
