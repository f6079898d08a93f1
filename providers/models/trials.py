"""Trials of the playground: one row for each image, deleted after a day."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone

from .keys import ApiKey
from .offerings import ImageModel, ModeChoices
from .requests import GatewayRequest


class TrialQuerySet(models.QuerySet["Trial"]):
    def waiting(self) -> TrialQuerySet:
        return self.filter(status=Trial.Status.QUEUED)

    def of(self, visitor: str) -> TrialQuerySet:
        """The trials of one visitor, who sees no others."""
        return self.filter(visitor=visitor)


class Trial(models.Model):
    """One image of one model, requested in the playground. Trials side by side share a `group`."""

    class Status(models.TextChoices):
        QUEUED = "queued", "waiting"
        RUNNING = "running", "running"
        DONE = "done", "done"
        FAILED = "failed", "failed"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    group = models.UUIDField(default=uuid.uuid4, db_index=True)
    position = models.PositiveSmallIntegerField(default=0)
    visitor = models.CharField(max_length=32, db_index=True)
    api_key = models.ForeignKey(ApiKey, models.PROTECT, null=True, blank=True, related_name="trials")
    request = models.OneToOneField(
        GatewayRequest,
        models.PROTECT,
        null=True,
        blank=True,
        related_name="trial",
        help_text="With a key: the row of its log that reserves the price.",
    )
    image_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="trials")
    mode = models.CharField(max_length=20, choices=ModeChoices.choices)
    prompt = models.TextField()
    size = models.CharField(max_length=40, blank=True)
    seed = models.BigIntegerField(null=True, blank=True)
    sources = models.JSONField(default=list, blank=True, help_text="Names of the stored source images.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.QUEUED)
    asked_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When its last task message was sent.")
    started_at = models.DateTimeField(null=True, blank=True)
    duration = models.DurationField(null=True, blank=True)
    provider = models.CharField(max_length=60, blank=True)
    price = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True, help_text="USD, before")
    cost = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True, help_text="USD, by price list")
    spent = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0), help_text="USD, real money")
    file = models.CharField(max_length=100, blank=True)
    width = models.PositiveIntegerField(null=True, blank=True)
    height = models.PositiveIntegerField(null=True, blank=True)
    error = models.TextField(blank=True)

    objects: ClassVar[Any] = TrialQuerySet.as_manager()

    class Meta:
        ordering = ("-asked_at", "position")
        indexes = [
            models.Index(fields=["asked_at"], condition=Q(status="queued"), name="trials_waiting"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running", "done", "failed"]), name="trial status is known"
            ),
            models.CheckConstraint(condition=Q(mode__in=ModeChoices.values), name="trial mode is known"),
            models.CheckConstraint(condition=~Q(prompt="") & ~Q(visitor=""), name="a trial has a prompt and a visitor"),
            models.CheckConstraint(
                condition=(Q(status="done") & ~Q(file="")) | (~Q(status="done") & Q(file="")),
                name="a trial has an image exactly when it is done",
            ),
            models.CheckConstraint(
                condition=(Q(status="failed") & ~Q(error="")) | (~Q(status="failed") & Q(error="")),
                name="a trial has an error exactly when it failed",
            ),
            models.CheckConstraint(condition=Q(spent__gte=0), name="a trial spends nothing negative"),
        ]

    def __str__(self) -> str:
        return f"{self.image_model_id} {self.status}"

    @property
    def call_request_id(self) -> uuid.UUID:
        """Of its calls: that of its row in the key's log, where it has a key."""
        return self.request_id or self.pk

    @property
    def seconds_at_work(self) -> int:
        return int((timezone.now() - self.started_at).total_seconds()) if self.started_at else 0

    @property
    def is_over(self) -> bool:
        return self.status in (self.Status.DONE, self.Status.FAILED)
