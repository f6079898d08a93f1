"""Requests to the gateway: the log and bill of each key, and the response that a retry gets."""

from __future__ import annotations

import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from .keys import ApiKey
from .offerings import ImageModel, ModeChoices


class GatewayRequestQuerySet(models.QuerySet["GatewayRequest"]):
    def expired(self) -> GatewayRequestQuerySet:
        """Requests whose images have expired."""
        return self.filter(files_expire_at__lte=timezone.now())


class GatewayRequest(models.Model):
    """One request of a key, inserted before a provider is called and completed afterwards.

    The prompt is not stored. `cost` is by the price lists, NULL while the request runs and where nobody knows it; then
    `reserved` counts in its place, so that neither parallel requests nor unknown prices exceed a budget. `answer` is
    the response without its images, which are in `files` until `files_expire_at`: a client that lost the response and
    retries gets it instead of a second bill.
    """

    class Status(models.TextChoices):
        RUNNING = "running", "running"
        OK = "ok", "ok"
        FAILED = "failed", "failed"
        CANCELLED = "cancelled", "cancelled"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    api_key = models.ForeignKey(ApiKey, models.PROTECT, related_name="requests")
    mode = models.CharField(max_length=20, choices=ModeChoices.choices)
    model = models.CharField(max_length=200, help_text="As the client wrote it.")
    n = models.PositiveSmallIntegerField(default=1)
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.RUNNING)
    http_status = models.PositiveSmallIntegerField(null=True, blank=True)
    error_code = models.CharField(max_length=60, blank=True)
    error = models.TextField(blank=True)
    provider = models.CharField(max_length=60, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    asked_at = models.DateTimeField(default=timezone.now)
    duration = models.DurationField(null=True, blank=True)
    overhead = models.DurationField(null=True, blank=True, help_text="Of the duration, what was not the provider's.")
    reserved = models.DecimalField(max_digits=12, decimal_places=6, default=Decimal(0))
    cost = models.DecimalField(max_digits=12, decimal_places=6, null=True, blank=True, help_text="USD")
    fingerprint = models.CharField(max_length=64, help_text="Hash of the request: equal for a retry.")
    idempotency_key = models.CharField(max_length=255, blank=True)
    delivered_at = models.DateTimeField(
        null=True, blank=True, help_text="When the response had been sent to a client that was still connected."
    )
    tag = models.CharField(
        max_length=64, blank=True, default="", db_default="", help_text="The request's `user`, for sums by user."
    )
    process = models.CharField(
        max_length=32, blank=True, default="", db_default="", help_text="Which process works on it; empty: a worker."
    )
    repeats = models.PositiveSmallIntegerField(default=0)
    wanted_until = models.DateTimeField(
        null=True, blank=True, help_text="Its client has disconnected; cancelled then, unless it retries."
    )
    answer = models.JSONField(default=dict, blank=True)
    files = models.JSONField(default=list, blank=True)
    files_expire_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = GatewayRequestQuerySet.as_manager()

    class Meta:
        ordering = ("-asked_at",)
        indexes = [
            models.Index(
                F("api_key"), F("asked_at").desc(), include=["cost", "reserved"], name="gateway_request_of_key"
            ),
            models.Index(fields=["files_expire_at"], condition=~Q(files_expire_at=None), name="gateway_files_due"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["running", "ok", "failed", "cancelled"]), name="gateway status is known"
            ),
            models.CheckConstraint(
                condition=Q(status="running", duration=None) | (~Q(status="running") & Q(duration__isnull=False)),
                name="a gateway request has a duration exactly when it is over",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["running", "ok"], error="", error_code="")
                | (Q(status__in=["failed", "cancelled"]) & ~Q(error="") & ~Q(error_code="")),
                name="a gateway request has an error exactly when it failed",
            ),
            models.CheckConstraint(condition=Q(mode__in=ModeChoices.values), name="gateway mode is known"),
            models.CheckConstraint(condition=Q(n__gte=1, n__lte=10), name="gateway makes one to ten images"),
            models.CheckConstraint(
                condition=Q(reserved__gte=0) & (Q(cost=None) | Q(cost__gte=0)), name="a request costs nothing negative"
            ),
            models.UniqueConstraint(
                fields=["api_key", "idempotency_key"],
                condition=~Q(idempotency_key=""),
                name="an idempotency key stands for one request",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request_id} {self.model} {self.status}"

    @property
    def request_id(self) -> str:
        """What clients see in `x-request-id`."""
        return f"req_{self.pk.hex}"

    @property
    def milliseconds(self) -> float | None:
        return None if self.duration is None else self.duration / timedelta(milliseconds=1)


class SpooledFile(models.Model):
    """A file that was paid for and that the file store has not taken yet (providers/files/spool.py)."""

    name = models.CharField(max_length=100, primary_key=True)
    data = models.BinaryField()
    spooled_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(name="") & ~Q(data=b""), name="a spooled file has a name and bytes"),
        ]

    def __str__(self) -> str:
        return self.name


class QueuedRequest(models.Model):
    """What a worker needs for an asynchronous request; deleted, with the sources, when the request has ended."""

    request = models.OneToOneField(GatewayRequest, models.CASCADE, related_name="queued")
    image_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="+")
    provider = models.CharField(max_length=60, blank=True)
    payload = models.JSONField(help_text="The parameters of the request, as wire.ApiRequest has them.")
    sources = models.JSONField(default=list, blank=True, help_text="Names of the stored source images.")
    mask = models.CharField(max_length=100, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True, help_text="When its last task message was sent.")
    started_at = models.DateTimeField(null=True, blank=True)
    cancel = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["sent_at"], condition=Q(started_at=None), name="queued_requests_waiting")]
        constraints = [
            models.CheckConstraint(
                condition=Q(started_at=None) | Q(sent_at__isnull=False), name="a started job was sent to a worker"
            ),
        ]

    def __str__(self) -> str:
        return str(self.request_id)
