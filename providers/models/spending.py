"""What a day has cost, and what is being spent at this moment."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models import Q

from .calls import Call
from .offerings import Offering


class SpentDay(models.Model):
    """US dollars of one day (UTC): its calls and its reservations. Written by spending/daily_cap."""

    day = models.DateField(primary_key=True)
    amount = models.DecimalField(max_digits=14, decimal_places=6, default=Decimal(0))

    class Meta:
        ordering = ("-day",)
        constraints = [models.CheckConstraint(condition=Q(amount__gte=0), name="a day costs nothing negative")]

    def __str__(self) -> str:
        return f"${self.amount} on {self.day}"


class Reservation(models.Model):
    """What a request under way is expected to cost, written down before it is sent and gone with its calls' record.

    One that is still there after `expires_at` belongs to a process that died: it becomes a call that may have been
    charged.
    """

    offering = models.ForeignKey(Offering, models.PROTECT, related_name="+")
    caller = models.CharField(max_length=12, choices=[(name, name) for name in Call.CALLERS])
    request_id = models.UUIDField()
    attempt = models.PositiveSmallIntegerField()
    n = models.PositiveSmallIntegerField()
    amount = models.DecimalField(max_digits=12, decimal_places=6, null=True, help_text="USD")
    price_is_known = models.BooleanField(
        db_default=True, help_text="Else the amount is UNKNOWN_PRICE_CEILING per image."
    )
    made_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount=None) | Q(amount__gte=0), name="nothing negative is reserved"),
            models.CheckConstraint(
                condition=Q(caller__in=["arena", "gateway", "playground"]), name="somebody known reserves"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=models.F("made_at")), name="a reservation lasts a while"),
        ]

    def __str__(self) -> str:
        return f"${self.amount} for {self.offering_id} since {self.made_at:%H:%M:%S}"
