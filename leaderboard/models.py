"""What the votes add up to. Everything here is derived: TRUNCATE it, recompute, and the same rows stand again.

Snapshots are the exception by their nature: each says what was derived at one moment, and never changes.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from arena.models import Category
from providers.models import ImageModel


class Board(models.Model):
    """A category's ratings as a whole: which tallies they were computed from, and when."""

    category = models.OneToOneField(Category, models.CASCADE, primary_key=True, related_name="board")
    votes = models.PositiveBigIntegerField(
        default=0, help_text="Counted votes in the tallies this board was made from."
    )
    tallies_changed_at = models.DateTimeField(null=True, blank=True)
    computed_at = models.DateTimeField(null=True, blank=True)
    method_version = models.CharField(max_length=20, blank=True)
    tie_rate = models.FloatField(null=True, blank=True)
    side_effect = models.FloatField(null=True, blank=True, help_text="Elo that the left side gets for being left.")
    side_effect_se = models.FloatField(null=True, blank=True)
    error = models.TextField(blank=True, help_text="Why the last recompute failed; the last good board still stands.")

    def __str__(self) -> str:
        return f"board of {self.category_id}"


class Rating(models.Model):
    """A model's Elo in a category, with its 95 % interval."""

    category = models.ForeignKey(Category, models.CASCADE, related_name="ratings", db_index=False)
    image_model = models.ForeignKey(ImageModel, models.CASCADE, related_name="ratings")
    elo = models.FloatField()
    lower = models.FloatField()
    upper = models.FloatField()
    rank = models.PositiveIntegerField(help_text="1 + the models whose lower bound exceeds this one's upper bound.")
    votes = models.PositiveIntegerField()
    both_bad = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=12, choices=[(name, name) for name in ("provisional", "usable", "settled")])

    STATUSES: ClassVar[tuple[str, ...]] = ("provisional", "usable", "settled")

    class Meta:
        ordering = ("category", "rank", "-elo")
        constraints = [
            models.UniqueConstraint(fields=["category", "image_model"], name="one rating per category and model"),
            models.CheckConstraint(
                condition=Q(lower__lte=F("elo"), upper__gte=F("elo")), name="a rating lies in its interval"
            ),
            models.CheckConstraint(condition=Q(rank__gte=1), name="ranks start at one"),
            models.CheckConstraint(condition=Q(both_bad__lte=F("votes")), name="both-bad votes are votes"),
            models.CheckConstraint(
                condition=Q(status__in=["provisional", "usable", "settled"]), name="rating status is known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_model_id}: {self.elo:.0f} (#{self.rank})"


class Snapshot(models.Model):
    """What a board said at one moment: immutable, with everything needed to compute it again to the same digits."""

    category = models.ForeignKey(Category, models.PROTECT, related_name="snapshots")
    taken_at = models.DateTimeField(default=timezone.now, editable=False)
    method_version = models.CharField(max_length=20)
    engine_version = models.CharField(max_length=60)
    sha256 = models.CharField(max_length=64, help_text="Of the sorted cells.")
    cells = models.JSONField()
    ratings = models.JSONField()

    class Meta:
        indexes = [models.Index(fields=["category", "-taken_at"], name="snapshot_category_recent")]
        constraints = [
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="a snapshot has its sha256"),
            models.CheckConstraint(
                condition=~Q(method_version="") & ~Q(engine_version=""), name="a snapshot names method and engine"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category_id} at {self.taken_at:%Y-%m-%d %H:%M}"
