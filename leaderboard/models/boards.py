"""A category's board as a whole: which votes it is from, and what holds of all of it."""

from __future__ import annotations

from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q, Value

from arena.models import Category
from leaderboard.rating.elo import Z95
from leaderboard.rating.verdict import Verdict, of_side
from providers.models.audience import public


class BoardState(models.Model):
    """A category's ratings as a whole: which tallies they were computed from, and when."""

    votes = models.PositiveBigIntegerField(
        default=0, help_text="Counted votes in the tallies this board was made from."
    )
    tallies_changed_at = models.DateTimeField(null=True, blank=True)
    computed_at = models.DateTimeField(null=True, blank=True)
    method_version = models.CharField(max_length=20, blank=True)
    clustered_at = models.DateTimeField(null=True, blank=True, help_text="When raw votes were last looked at.")
    clustered_changed_at = models.DateTimeField(null=True, blank=True, help_text="The tallies' state at that time.")
    voters = models.PositiveIntegerField(default=0, help_text="Known voters of counted votes.")
    prompts = models.PositiveIntegerField(default=0, help_text="Known prompts of counted votes.")
    effective_voters = models.FloatField(
        null=True, blank=True, help_text="1 / Σ share² of the votes; empty where no voter is known."
    )
    effective_prompts = models.FloatField(
        null=True, blank=True, help_text="1 / Σ share² of the votes; empty where no prompt is known."
    )
    finding = models.JSONField(
        default=dict, db_default=Value({}, models.JSONField()), blank=True,
        help_text="Which sentence the votes support: kind, named (model ids), within, lacking, more_votes.",
    )  # fmt: skip
    votes_to_settle = models.PositiveBigIntegerField(null=True, blank=True, help_text="0: every rating is settled.")
    votes_to_flip = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="How few votes less would put another model first."
    )
    votes_added_to_flip = models.PositiveBigIntegerField(
        null=True, blank=True, help_text="How few added wins of another model against the leader would put it first."
    )
    tie_rate = models.FloatField(null=True, blank=True)
    side_effect = models.FloatField(null=True, blank=True, help_text="Elo that the left side gets for being left.")
    side_effect_se = models.FloatField(null=True, blank=True)

    class Meta:
        abstract = True

    @property
    def side(self) -> Verdict:
        """Whether voters like one side for being that side, in words."""
        return of_side(self.side_effect, self.side_effect_se)

    @property
    def side_low(self) -> float | None:
        return None if self.side_effect is None else self.side_effect - Z95 * (self.side_effect_se or 0)

    @property
    def side_high(self) -> float | None:
        return None if self.side_effect is None else self.side_effect + Z95 * (self.side_effect_se or 0)


class Board(BoardState):
    """The category's board of all votes."""

    category = models.OneToOneField(Category, models.CASCADE, primary_key=True, related_name="board")
    anchor = ArrayField(
        models.BigIntegerField(), default=list, db_default=Value([], ArrayField(models.BigIntegerField())), blank=True,
        help_text="Ids of the models whose mean stays 1000: those settled when three first were. Empty: all models.",
    )  # fmt: skip
    error = models.TextField(blank=True, help_text="Why the last recompute failed; the last good board still stands.")
    failed_at = models.DateTimeField(null=True, blank=True, help_text="When that was.")
    recounted_at = models.DateTimeField(null=True, blank=True, help_text="When the tallies were last recounted.")
    tallies_wrong = models.PositiveIntegerField(default=0, help_text="Cells in which that found a difference.")

    objects: ClassVar[Any] = public(models.QuerySet, "category__is_private")
    everything: ClassVar[Any] = models.Manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(error="", failed_at=None) | (~Q(error="") & Q(failed_at__isnull=False)),
                name="a failure has its reason and its time",
            ),
        ]

    def __str__(self) -> str:
        return f"board of {self.category_id}"


class RecentBoard(BoardState):
    """The category's board of the last 90 days, days counted in UTC; see `RecentRating`."""

    category = models.OneToOneField(Category, models.CASCADE, primary_key=True, related_name="recent_board")
    since = models.DateField(help_text="The first day whose votes are in it.")

    objects: ClassVar[Any] = public(models.QuerySet, "category__is_private")
    everything: ClassVar[Any] = models.Manager()

    def __str__(self) -> str:
        return f"recent board of {self.category_id}"
