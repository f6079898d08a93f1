"""Programs elsewhere that are notified of what changes here."""

from __future__ import annotations

import base64
import secrets

from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from providers.models import OutgoingWebhook
from providers.webhooks import outgoing as outgoing_webhooks


def new_secret() -> str:
    """As Standard Webhooks writes them: 24 random bytes."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(24)).decode()


class Event(models.TextChoices):
    PLACES = "places.changed", "Places of a board changed by more than noise"
    MODEL = "model.changed", "A model was released or retired"
    PRICE = "price.changed", "A price changed"
    DRIFT = "model.drifted", "A hosted model seems to have changed"
    SNAPSHOT = "snapshot.taken", "A board's snapshot was taken"
    COMPETITION = "competition.closed", "A competition closed"


class Webhook(models.Model):
    """A URL that gets a signed POST for each event of these kinds, from its creation on."""

    name = models.CharField(max_length=80, help_text="For people.")
    url = models.URLField(max_length=300)
    events = ArrayField(models.CharField(max_length=30, choices=Event.choices))
    secret = models.CharField(max_length=80, default=new_secret, editable=False)
    is_active = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ("name",)
        constraints = [
            models.CheckConstraint(condition=~Q(name="") & ~Q(url=""), name="a webhook has a name and a URL"),
            models.CheckConstraint(
                condition=Q(events__contained_by=Event.values) & ~Q(events=[]), name="a webhook has known events"
            ),
            models.CheckConstraint(condition=Q(secret__startswith="whsec_"), name="a webhook has its secret"),  # noqa: S106 – a rule
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        if problem := outgoing_webhooks.problem(self.url):
            raise ValidationError({"url": f"{problem[0].upper()}{problem[1:]}."})


class Delivery(OutgoingWebhook):
    """One event to one webhook."""

    webhook = models.ForeignKey(Webhook, models.CASCADE, related_name="deliveries")
    key = models.CharField(max_length=200, help_text="Which event it is: one delivery of each to a webhook.")
    event = models.CharField(max_length=30)
    payload = models.JSONField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "deliveries"
        ordering = ("-created_at", "-pk")
        indexes = [models.Index(fields=["due_at"], condition=Q(status="waiting"), name="deliveries_waiting")]
        constraints = [
            models.UniqueConstraint(fields=["webhook", "key"], name="an event is delivered once to a webhook"),
            models.CheckConstraint(
                condition=Q(status="waiting", ended_at=None)
                | (Q(status__in=["delivered", "failed"]) & Q(ended_at__isnull=False)),
                name="a delivery ends when it is delivered or failed",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.event} to {self.webhook_id}: {self.status}"
