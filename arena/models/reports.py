"""What voters say is wrong with an image."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena.models.battles import Battle, Voter
from arena.models.generations import Entry


class ReportQuerySet(models.QuerySet["Report"]):
    def open(self) -> ReportQuerySet:
        return self.filter(resolved_at=None)


class Report(models.Model):
    """A voter's word that an image should not be voted on; a curator decides."""

    class Reason(models.TextChoices):
        BROKEN = "broken", _("It is broken, cut off or empty")
        OFFENSIVE = "offensive", _("It is offensive or harmful")
        NAMES_MODEL = "names_model", _("It names or marks the model that made it")

    class Resolution(models.TextChoices):
        ACCEPTED = "accepted"
        DISMISSED = "dismissed"

    entry = models.ForeignKey(Entry, models.PROTECT, related_name="reports")
    voter = models.ForeignKey(Voter, models.PROTECT, related_name="reports", db_index=False)
    battle = models.ForeignKey(Battle, models.PROTECT, related_name="reports", help_text="In which it was seen.")
    reason = models.CharField(max_length=12, choices=Reason.choices)
    network = models.CharField(max_length=16, blank=True, default="", db_default="", editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolution = models.CharField(max_length=9, choices=Resolution.choices, blank=True)

    reply = models.CharField(max_length=200, blank=True, db_default="", help_text="What its reporter reads.")

    objects: ClassVar[Any] = ReportQuerySet.as_manager()

    class Meta:
        indexes = [models.Index(fields=["created_at"], condition=Q(resolved_at=None), name="report_open")]
        constraints = [
            models.UniqueConstraint(fields=["voter", "entry"], name="one report per voter and entry"),
            models.CheckConstraint(
                condition=Q(reason__in=["broken", "offensive", "names_model"]), name="report reason is known"
            ),
            models.CheckConstraint(
                condition=Q(resolved_at=None, resolution="")
                | Q(resolved_at__isnull=False, resolution__in=["accepted", "dismissed"]),
                name="a resolved report says how and when",
            ),
            models.CheckConstraint(
                condition=Q(reply="") | Q(resolved_at__isnull=False), name="only a resolved report has a reply"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.reason}: {self.entry_id}"
