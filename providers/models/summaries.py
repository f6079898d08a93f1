"""What many calls add up to, stored so that pages need not count millions of them."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class CallSummary(models.Model):
    """Calls of one offering, model or provider: of one day (UTC), or of the last 30 days when `day` is empty.

    Derived: may be emptied any time, `performance/summaries.py` computes it again. `key` is the offering's id or the
    provider's key. Percentiles are exact and in seconds, whatever the number of samples.
    """

    SCOPES = ("offering", "model", "provider")

    scope = models.CharField(max_length=10, choices=[(name, name) for name in SCOPES])
    key = models.CharField(max_length=60)
    day = models.DateField(null=True, blank=True)
    as_of = models.DateTimeField(help_text="Calls begun before this are counted.")
    timed = models.PositiveIntegerField(default=0, help_text="Successful calls for one image.")
    p50 = models.FloatField(null=True, blank=True)
    p95 = models.FloatField(null=True, blank=True)
    ttfb_timed = models.PositiveIntegerField(default=0)
    ttfb_p50 = models.FloatField(null=True, blank=True)
    ttfb_p95 = models.FloatField(null=True, blank=True)
    provider_timed = models.PositiveIntegerField(
        default=0, db_default=0, help_text="With a time of the provider's own."
    )
    provider_p50 = models.FloatField(null=True, blank=True)
    succeeded = models.PositiveIntegerField(default=0)
    failed = models.PositiveIntegerField(default=0)
    refused = models.PositiveIntegerField(default=0)
    rate_limited = models.PositiveIntegerField(default=0)
    account_errors = models.PositiveIntegerField(default=0)
    bad_requests = models.PositiveIntegerField(default=0)
    cancelled = models.PositiveIntegerField(default=0)
    requests = models.PositiveIntegerField(default=0, help_text="That ended here, well or by a provider's fault.")
    requests_succeeded = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("scope", "key", "day")
        constraints = [
            models.UniqueConstraint(
                fields=["scope", "key", "day"], nulls_distinct=False, name="one summary per subject and day"
            ),
            models.CheckConstraint(condition=Q(scope__in=["offering", "model", "provider"]), name="scope is known"),
            models.CheckConstraint(
                condition=Q(requests_succeeded__lte=F("requests")), name="no more requests succeed than are made"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.scope} {self.key} {self.day or 'last 30 days'}"
