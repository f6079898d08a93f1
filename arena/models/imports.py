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
    sides_known = models.BooleanField(
        default=True, db_default=True, help_text="The file says which image stood left; else sides were randomised."
    )
    is_dated = models.BooleanField(default=False, help_text="Every line said when its vote was cast.")
    imported_at = models.DateTimeField(default=timezone.now, editable=False)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    withdrawn_by = models.CharField(max_length=150, blank=True, db_default="")
    withdrawn_reason = models.CharField(max_length=200, blank=True, db_default="")

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["category", "sha256"],
                condition=Q(withdrawn_at=None),
                name="a vote file is imported once per category",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at=None, withdrawn_by="", withdrawn_reason="")
                | (Q(withdrawn_at__isnull=False) & ~Q(withdrawn_by="") & ~Q(withdrawn_reason="")),
                name="a withdrawn vote file says who and why",
            ),
            models.CheckConstraint(condition=~Q(source=""), name="a vote file names its source"),
            models.CheckConstraint(condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="a vote file has its sha256"),
        ]

    def __str__(self) -> str:
        return f"{self.source} ({self.rows} votes)"


class ImportedName(models.Model):
    """A name in files of votes, and the catalogue's model it means."""

    name = models.CharField(max_length=160, unique=True, help_text="Exactly as files spell it.")
    image_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="imported_names")

    class Meta:
        ordering = ("name",)
        verbose_name_plural = "imported names"
        constraints = [models.CheckConstraint(condition=~Q(name=""), name="an alias has a name")]

    def __str__(self) -> str:
        return f"{self.name} = {self.image_model}"


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
