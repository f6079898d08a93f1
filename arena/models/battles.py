"""Who votes, and the pairs they are served."""

from __future__ import annotations

import secrets
import uuid
from typing import Any, ClassVar

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Greatest, Least
from django.utils import timezone

from arena.models.competitions import Prompt
from arena.models.generations import Entry


class Voter(models.Model):
    """An anonymous browser, known by its signed cookie."""

    created_at = models.DateTimeField(default=timezone.now, editable=False)

    def __str__(self) -> str:
        return f"voter {self.pk}"


def new_token() -> str:
    return secrets.token_urlsafe(16)


class BattleQuerySet(models.QuerySet["Battle"]):
    def owed(self) -> BattleQuerySet:
        """Served and still unanswered: neither voted on nor skipped, both images still competing."""
        return self.filter(
            vote=None,
            skipped_at=None,
            left__retired_at=None,
            left__hidden_at=None,
            right__retired_at=None,
            right__hidden_at=None,
            prompt__retired_at=None,
        )


class Battle(models.Model):
    """Two entries of one prompt, served blind to one voter.

    Assigned first, shown later: browsers load the next pairs ahead.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    voter = models.ForeignKey(
        Voter, models.PROTECT, related_name="battles", db_index=False
    )  # the pair index leads with it
    prompt = models.ForeignKey(Prompt, models.PROTECT, related_name="battles")
    left = models.ForeignKey(Entry, models.PROTECT, related_name="+")
    right = models.ForeignKey(Entry, models.PROTECT, related_name="+")
    left_token = models.CharField(max_length=32, unique=True, default=new_token)
    right_token = models.CharField(max_length=32, unique=True, default=new_token)
    probability = models.FloatField(help_text="With which this prompt and pair were drawn for this voter.")
    served_at = models.DateTimeField(
        default=timezone.now,
        null=True,
        blank=True,
        help_text="When it was shown; empty while it is only assigned, or when the browser did not say.",
    )
    expires_at = models.DateTimeField()
    skipped_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = BattleQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(left=F("right")), name="a battle is between two entries"),
            models.CheckConstraint(condition=~Q(left_token=F("right_token")), name="each side has its own token"),
            models.CheckConstraint(condition=Q(probability__gt=0, probability__lte=1), name="probability is in (0, 1]"),
            models.CheckConstraint(condition=Q(expires_at__gt=F("served_at")), name="a battle lasts a while"),
            models.CheckConstraint(
                condition=Q(skipped_at=None) | Q(skipped_at__gte=F("served_at")), name="a skip follows its battle"
            ),
            models.UniqueConstraint(
                F("voter"), Least("left", "right"), Greatest("left", "right"), name="a voter meets a pair only once"
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def get_absolute_url(self) -> str:
        return f"/battles/{self.pk}/"

    @property
    def is_expired(self) -> bool:
        return self.expires_at <= timezone.now()
