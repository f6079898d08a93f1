"""What was published and never changes: snapshots of boards, and files of votes."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from arena.models import Category


class Snapshot(models.Model):
    """What a board said at one moment, with everything needed to compute it again to the same digits.

    Immutable: a trigger (second migration) refuses every UPDATE and DELETE.
    """

    category = models.ForeignKey(Category, models.PROTECT, related_name="snapshots")
    taken_at = models.DateTimeField(default=timezone.now, editable=False)
    method_version = models.CharField(max_length=20)
    engine_version = models.CharField(max_length=60)
    sha256 = models.CharField(max_length=64, help_text="Of the sorted cells.")
    chain_sha256 = models.CharField(
        max_length=64, blank=True, default="", db_default="",
        help_text="Of everything in this snapshot and of the one before it; empty in those before there was a chain.",
    )  # fmt: skip
    cells = models.JSONField(help_text="Sorted: left, right, outcome, n.")
    ratings = models.JSONField(help_text="From the highest down, numbers as text with six decimals.")
    facts = models.JSONField(default=dict, help_text="The board's: votes, voters, side effect, rules, shares.")

    class Meta:
        indexes = [models.Index(fields=["category", "-taken_at"], name="snapshot_category_recent")]
        constraints = [
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="a snapshot has its sha256"),
            models.CheckConstraint(
                condition=Q(chain_sha256="") | Q(chain_sha256__regex=r"^[0-9a-f]{64}$"),
                name="a chained snapshot has the sha256 of its chain",
            ),
            models.CheckConstraint(
                condition=~Q(method_version="") & ~Q(engine_version=""), name="a snapshot names method and engine"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category_id} at {self.taken_at:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return f"/snapshots/{self.pk}/"


class PublishedVotes(models.Model):
    """One version of the file with a category's votes of a month; see `board.published_votes`. Never changed."""

    category = models.ForeignKey(Category, models.PROTECT, related_name="published_votes", db_index=False)
    month = models.DateField(help_text="Its first day.")
    file = models.FileField(upload_to="votes", max_length=200)
    votes = models.PositiveIntegerField()
    size = models.PositiveBigIntegerField(help_text="Bytes.")
    sha256 = models.CharField(max_length=64)
    written_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "published votes"
        constraints = [
            models.UniqueConstraint(fields=["category", "month", "sha256"], name="one file per month and content"),
            models.CheckConstraint(condition=Q(month__day=1), name="a month is known by its first day"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="published votes have a sha256"),
        ]

    def __str__(self) -> str:
        return f"votes of {self.category_id} in {self.month:%Y-%m}"
