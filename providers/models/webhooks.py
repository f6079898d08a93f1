"""Webhooks that are sent until they are taken."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from .requests import GatewayRequest


class OutgoingWebhook(models.Model):
    """One message to one URL, sent again until it is taken; the same id each time (providers/webhooks/outgoing.py)."""

    class Status(models.TextChoices):
        WAITING = "waiting", "waiting"
        DELIVERED = "delivered", "delivered"
        FAILED = "failed", "failed"

    status = models.CharField(max_length=10, choices=Status.choices, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(default=0)
    answer = models.CharField(max_length=200, blank=True, help_text="To the last attempt.")
    due_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        abstract = True


class JobWebhook(OutgoingWebhook):
    """Where the end of an asynchronous request is sent; not before the request has ended. Deleted after a week."""

    request = models.OneToOneField(GatewayRequest, models.CASCADE, related_name="webhook")
    url = models.CharField(max_length=300)
    origin = models.CharField(max_length=300, help_text="Scheme and host of the URLs of its images.")

    class Meta:
        indexes = [models.Index(fields=["due_at"], condition=Q(status="waiting"), name="job_webhooks_waiting")]
        constraints = [
            models.CheckConstraint(condition=~Q(url="") & ~Q(origin=""), name="a job's webhook has a URL"),
            models.CheckConstraint(
                condition=Q(status="waiting", ended_at=None)
                | (Q(status__in=["delivered", "failed"]) & Q(ended_at__isnull=False)),
                name="a job's webhook ends when it is delivered or failed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.request_id}: {self.status}"
