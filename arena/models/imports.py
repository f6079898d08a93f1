"""Votes cast elsewhere."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from arena.models.competitions import Category
from arena.models.votes import Outcome
from providers.models import ImageModel


class VoteFile(models.Model):
    """A file of votes cast elsewhere. The same file is imported into a category only once."""

    category = models.ForeignKey(Category, models.PROTECT, related_name="vote_files")
    source = models.CharField(max_length=200)
    sha256 = models.CharField(max_length=64)
    rows = models.PositiveIntegerField()
    is_dated = models.BooleanField(default=False, help_text="Every line said when its vote was cast.")
    imported_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["category", "sha256"], name="a vote file is imported once per category"),
            models.CheckConstraint(condition=~Q(source=""), name="a vote file names its source"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="a vote file has its sha256"),
        ]

    def __str__(self) -> str:
        return f"{self.source} ({self.rows} votes)"


class ImportedVote(models.Model):
    """A vote cast elsewhere: rated with the same code, its source shown.

    File and models are checked by a trigger per statement and not by foreign keys: checks per row took three quarters
    of the time of an import. What is named here cannot go either: a trigger keeps files, the tallies keep models.
    """

    file = models.ForeignKey(VoteFile, models.PROTECT, related_name="votes", db_index=False, db_constraint=False)
    line = models.PositiveIntegerField()
    voter_key = models.CharField(max_length=120, blank=True)
    prompt_key = models.CharField(max_length=200, blank=True)
    left_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    right_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="+", db_index=False, db_constraint=False)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    day = models.DateField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["file", "line"], name="one imported vote per line"),
            models.CheckConstraint(
                condition=~Q(left_model=F("right_model")), name="an imported vote is between two models"
            ),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="imported outcome is known"),
        ]

    def __str__(self) -> str:
        return f"line {self.line} of file {self.file_id}"
