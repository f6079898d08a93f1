"""Votes, and the tallies updated with them."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import F, Q, Value
from django.db.models.expressions import Combinable
from django.db.models.functions import Greatest, Least, Mod, NullIf
from django.db.models.lookups import Exact
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from arena import vote_cap
from arena.models.battles import Battle, Voter
from arena.models.competitions import Category
from arena.models.generations import Entry
from providers.models import ImageModel


class Outcome(models.TextChoices):
    LEFT = "left", _("A is better")
    RIGHT = "right", _("B is better")
    TIE = "tie", _("Tie")
    BOTH_BAD = "both_bad", _("Both bad")


SAMPLE = 16


def _cap(share: int) -> Combinable:
    """`vote_cap.cap`, as Postgres computes it."""
    average = vote_cap.AVERAGES * F("votes") / NullIf(F("voters"), Value(0))
    by_share = Least(Value(vote_cap.CEILING), F("votes") / share)
    return Greatest(Value(vote_cap.FLOOR), average, by_share) / 10 * 10


class VoteQuerySet(models.QuerySet["Vote"]):
    def counted(self) -> VoteQuerySet:
        return self.filter(excluded_reason="")


class Vote(models.Model):
    """One voter's answer to one battle. Never deleted: an excluded vote keeps its reason and the rule's version.

    Category and models repeat what the battle says, so that tallies can be rebuilt from this table alone.
    """

    battle = models.OneToOneField(Battle, models.PROTECT, primary_key=True, related_name="vote")
    voter = models.ForeignKey(Voter, models.PROTECT, related_name="votes", db_index=False)
    category = models.ForeignKey(Category, models.PROTECT, related_name="votes", db_index=False)
    left_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="+", db_index=False)
    right_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="+", db_index=False)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    cast_at = models.DateTimeField(default=timezone.now)
    decision_time = models.DurationField(
        null=True,
        blank=True,
        help_text="From showing the battle to its vote; empty where its showing was not reported.",
    )
    excluded_reason = models.CharField(max_length=200, blank=True)
    excluded_rule = models.CharField(max_length=40, blank=True, help_text="The rule and its version.")

    objects: ClassVar[Any] = VoteQuerySet.as_manager()

    class Meta:
        indexes = [
            models.Index(fields=["voter", "cast_at"], name="vote_voter_recent"),
            # What the cap counts: never more than so many rows, however much a voter clicks.
            models.Index(
                fields=["voter", "cast_at"],
                include=["category"],
                condition=Q(excluded_reason=""),
                name="vote_voter_counted",
            ),
            # What was cast since the watch last looked: a few bytes per megabyte of votes.
            BrinIndex(fields=["cast_at"], autosummarize=True, name="vote_cast_at"),
            # Covers the whole re-aggregation of a category: an index-only scan.
            models.Index(
                fields=["category", "left_model", "right_model", "outcome"],
                condition=Q(excluded_reason=""),
                name="vote_counted",
            ),
            # A sixteenth of the voters, from which those of a large category are sampled: an index-only scan.
            models.Index(
                fields=["category", "voter"],
                include=["left_model", "right_model", "outcome"],
                condition=Q(Exact(Mod(F("voter"), SAMPLE), 0), excluded_reason=""),
                name="vote_sample",
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="vote outcome is known"),
            models.CheckConstraint(
                condition=Q(excluded_reason="", excluded_rule="") | (~Q(excluded_reason="") & ~Q(excluded_rule="")),
                name="an excluded vote names reason and rule",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} in battle {self.battle_id}"


class Tally(models.Model):
    """How often an ordered pair ended how, per day: updated in the vote's own transaction, recounted nightly."""

    category = models.ForeignKey(Category, models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    left_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="+", db_index=False)
    right_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="+", db_index=False)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    n = models.PositiveIntegerField()
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "tallies"
        # A model's meetings in a category, on the left and – skipping from one left model to the next – on the right.
        # Nothing that a vote changes is in it.
        indexes = [models.Index(fields=["category", "left_model", "right_model"], name="tally_category_pair")]
        constraints = [
            models.UniqueConstraint(
                fields=["category", "day", "left_model", "right_model", "outcome"], name="one tally per cell and day"
            ),
            models.CheckConstraint(condition=~Q(left_model=F("right_model")), name="a tally is between two models"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="tally outcome is known"),
        ]

    def __str__(self) -> str:
        return f"{self.left_model_id} {self.outcome} {self.right_model_id}: {self.n}"


class ImageTally(models.Model):
    """How often two images met and how it ended: counted votes only, moved in the vote's own transaction.

    One row per unordered pair, so that a reveal costs the same on the first vote and on the millionth.
    """

    low = models.ForeignKey(Entry, models.PROTECT, related_name="+", db_index=False, help_text="The smaller id.")
    high = models.ForeignKey(Entry, models.PROTECT, related_name="+", db_index=False)
    low_wins = models.PositiveIntegerField()
    high_wins = models.PositiveIntegerField()
    ties = models.PositiveIntegerField()
    both_bad = models.PositiveIntegerField()

    class Meta:
        verbose_name_plural = "image tallies"
        constraints = [
            models.UniqueConstraint(fields=["low", "high"], name="one image tally per pair"),
            models.CheckConstraint(condition=Q(low__lt=F("high")), name="an image tally has its images in order"),
        ]

    def __str__(self) -> str:
        return f"{self.low_id} {self.low_wins}:{self.high_wins} {self.high_id}"


class VoteCap(models.Model):
    """How many of one voter's votes count in a category, and from how many votes and voters that follows; without a row
    it is the least. Derived, and followed by `integrity.caps`; the vote's statement reads it."""

    category = models.OneToOneField(Category, models.CASCADE, primary_key=True, related_name="vote_cap")
    cap = models.PositiveIntegerField()
    votes = models.PositiveIntegerField(help_text="Of the last 90 days, valid before the cap.")
    voters = models.PositiveIntegerField(help_text="Who cast these votes.")
    applied = models.PositiveIntegerField(null=True, help_text="The cap by which earlier votes were judged last.")
    counted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(  # as a process of the release before computes it, too: both run during an update
                condition=Exact(F("cap"), _cap(vote_cap.SHARE)) | Exact(F("cap"), _cap(vote_cap.SHARE_BEFORE)),
                name="a cap follows from votes and voters",
            ),
            models.CheckConstraint(condition=Q(voters__lte=F("votes")), name="every voter of a cap has a vote"),
        ]

    def __str__(self) -> str:
        return f"{self.cap} votes of a voter in {self.category_id}"
