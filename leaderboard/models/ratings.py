"""Ratings of models, and what is known of two of them together."""

from __future__ import annotations

import math
from math import isfinite
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Func, Q, When
from django.db.models.lookups import Exact
from django.utils.formats import date_format
from django.utils.translation import gettext

from arena.models import Category
from leaderboard.rating.place import Place
from providers.models import ImageModel
from providers.models.audience import public

CARDINALITY = Func(F("image_models"), function="cardinality", output_field=models.IntegerField())

# The order of every board: by Elo; models without an interval, which have no place, come last.
BY_ELO = (Case(When(rank_low=None, then=1), default=0), "-elo", "image_model__name")


class RatingNumbers(models.Model):
    """A model's Elo, with its 95 % interval."""

    elo = models.FloatField()
    lower = models.FloatField()
    upper = models.FloatField()
    rank = models.PositiveIntegerField(
        null=True, blank=True, help_text="The same as rank_low: the release before reads it; the next one drops it."
    )
    rank_low = models.PositiveIntegerField(
        default=1, null=True, blank=True, help_text="Best rank of the simultaneous 98 % interval."
    )
    rank_high = models.PositiveIntegerField(
        default=1, null=True, blank=True, help_text="Worst rank of the simultaneous 98 % interval."
    )
    placed = models.PositiveIntegerField(
        default=0, db_default=0, help_text="Models of the board that have an interval, and so a place."
    )
    best = models.FloatField(default=0, help_text="Chance of being the best model.")
    tier = models.PositiveIntegerField(default=1, null=True, blank=True)
    se = models.FloatField(
        default=0, help_text="Standard error in Elo, voters and prompts as clusters; 1.96 of it are the half-width."
    )
    design_effect = models.FloatField(default=1, help_text="That over the standard error of independent votes.")
    half_width_from_votes = models.FloatField(
        null=True, blank=True, help_text="Of the 95 % interval without what other prompts would change."
    )
    half_width_from_prompts = models.FloatField(
        null=True, blank=True, help_text="Of the 95 % interval with prompts as clusters; empty where unknown."
    )
    voters = models.PositiveIntegerField(default=0, help_text="Who judged it; unknown voters count one per vote.")
    effective_voters = models.FloatField(
        null=True, blank=True, help_text="1 / Σ share² of its votes by voter; empty where no voter is known."
    )
    effective_prompts = models.FloatField(
        null=True, blank=True, help_text="1 / Σ share² of its votes by prompt; empty where no prompt is known."
    )
    votes_to_next = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        help_text="Votes between it and the next model down that separate them in 80 % of cases; empty: unforeseeable.",
    )
    votes = models.PositiveIntegerField()
    both_bad = models.PositiveIntegerField(default=0)
    status = models.CharField(max_length=12, choices=[(name, name) for name in ("provisional", "usable", "settled")])

    STATUSES: ClassVar[tuple[str, ...]] = ("provisional", "usable", "settled")

    # Declared by the tables themselves, for their names on the other side of the relation differ.
    category_id: int
    image_model_id: int

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.image_model_id}: {self.elo:.0f} ({self.place})"

    @property
    def is_placed(self) -> bool:
        """Whether the rating has an interval; without one the model has no place."""
        return isfinite(self.upper - self.lower)

    @property
    def place(self) -> Place:
        """The only form in which a rank is shown."""
        if self.rank_low is None or self.rank_high is None:
            return Place.unknown(self.placed)
        return Place(self.rank_low, self.rank_high, max(self.placed, self.rank_high), self.best)


def _truths(prefix: str = "") -> list[models.BaseConstraint]:
    """What holds of every table of ratings; Postgres wants each table to have names of its own."""
    conditions = {
        "a rating lies in its interval": Q(lower__lte=F("elo"), upper__gte=F("elo")),
        "a model without an interval has no rank": Q(
            upper=math.inf, rank=None, rank_low=None, rank_high=None, tier=None
        )
        | Q(
            lower__gt=-math.inf,
            upper__lt=math.inf,
            rank__isnull=False,
            rank_low__isnull=False,
            rank_high__isnull=False,
            tier__isnull=False,
        ),
        "ranks start at one": Q(rank__gte=1),
        "a rank interval runs downwards": Q(rank_low__gte=1, rank_high__gte=F("rank_low")),
        "a chance is in [0, 1]": Q(best__gte=0, best__lte=1),
        "tiers start at one": Q(tier__gte=1),
        "errors are not negative": Q(se__gte=0, design_effect__gte=0),
        "effective numbers are not negative": (Q(effective_voters=None) | Q(effective_voters__gte=0))
        & (Q(effective_prompts=None) | Q(effective_prompts__gte=0)),
        "both-bad votes are votes": Q(both_bad__lte=F("votes")),
        "rating status is known": Q(status__in=["provisional", "usable", "settled"]),
    }
    return [
        models.UniqueConstraint(fields=["category", "image_model"], name=f"{prefix}one rating per category and model"),
        *(
            models.CheckConstraint(condition=condition, name=f"{prefix}{name}")
            for name, condition in conditions.items()
        ),
    ]


class Rating(RatingNumbers):
    """A model's Elo in a category, with its 95 % interval: the headline, from all votes."""

    category = models.ForeignKey(Category, models.CASCADE, related_name="ratings", db_index=False)
    image_model = models.ForeignKey(ImageModel, models.CASCADE, related_name="ratings")

    _default_manager: ClassVar[models.Manager[Rating]]  # `objects`, as far as a type can be read off
    objects: ClassVar[Any] = public(models.QuerySet, "category__is_private")
    everything: ClassVar[Any] = models.Manager()

    class Meta:
        ordering = ("category", "-elo")
        constraints = _truths()


class RecentRating(RatingNumbers):
    """The same from the votes of the last 90 days.

    A table of its own and not a column of `Rating`, so that nobody who asks for a category's ratings gets two boards.
    """

    category = models.ForeignKey(Category, models.CASCADE, related_name="recent_ratings", db_index=False)
    image_model = models.ForeignKey(ImageModel, models.CASCADE, related_name="recent_ratings")

    _default_manager: ClassVar[models.Manager[RecentRating]]  # `objects`, as far as a type can be read off
    objects: ClassVar[Any] = public(models.QuerySet, "category__is_private")
    everything: ClassVar[Any] = models.Manager()

    class Meta:
        ordering = ("category", "-elo")
        constraints = _truths("recent: ")


class Covariance(models.Model):
    """How the errors of a category's ratings hang together: what a question about two models at once needs."""

    category = models.OneToOneField(Category, models.CASCADE, primary_key=True, related_name="covariance")
    image_models = ArrayField(models.BigIntegerField(), help_text="Ids in the order of the rows.")
    entries = models.BinaryField(
        help_text="Elo², one little-endian 32-bit float per pair with i ≤ j: (0, 0), (0, 1) … (1, 1) …"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Exact(
                    Func(F("entries"), function="octet_length", output_field=models.IntegerField()),
                    2 * CARDINALITY * (CARDINALITY + 1),
                ),
                name="every pair of ratings has its covariance",
            ),
        ]

    def __str__(self) -> str:
        return f"covariance of {self.category_id}"


class HeadToHead(models.Model):
    """How every two models of a board did against each other: of the very votes that its ratings are from."""

    category = models.ForeignKey(Category, models.CASCADE, related_name="head_to_head", db_index=False)
    window = models.CharField(max_length=3, choices=[("all", "all votes"), ("90d", "last 90 days")])
    image_models = ArrayField(models.BigIntegerField(), help_text="Ids in ascending order.")
    entries = models.BinaryField(
        help_text="Per pair – (0, 1), (0, 2) … (1, 2) … – four little-endian 32-bit integers: votes that the one won, "
        "that the other won, ties, both bad."
    )

    class Meta:
        verbose_name_plural = "head to head"
        constraints = [
            models.UniqueConstraint(fields=["category", "window"], name="one head to head per board"),
            models.CheckConstraint(condition=Q(window__in=["all", "90d"]), name="a head to head is of a known window"),
            models.CheckConstraint(
                condition=Exact(
                    Func(F("entries"), function="octet_length", output_field=models.IntegerField()),
                    8 * CARDINALITY * (CARDINALITY - 1),
                ),
                name="every pair of models has its votes",
            ),
        ]

    def __str__(self) -> str:
        return f"head to head of {self.category_id}, {self.window}"


class Drift(models.Model):
    """How a hosted model's newer images do against its older ones; see `board.drift_watch`."""

    category = models.ForeignKey(Category, models.CASCADE, related_name="drifts", db_index=False)
    image_model = models.ForeignKey(ImageModel, models.CASCADE, related_name="drifts")
    made_since = models.DateTimeField(help_text="Images made since then are the newer ones.")
    checked_at = models.DateTimeField()
    move = models.FloatField(help_text="Elo by which the newer images are rated higher, beside the board's median.")
    half_width = models.FloatField(help_text="Of the 95 % interval of the move.")
    is_alarm = models.BooleanField(help_text="Beyond what chance shows on one board of twenty, all models together.")
    votes_before = models.PositiveIntegerField()
    votes_after = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["category", "image_model"], name="one drift per category and model"),
            models.CheckConstraint(condition=Q(half_width__gte=0), name="a move has a half-width"),
            models.CheckConstraint(
                condition=Q(is_alarm=False) | Q(move__gt=F("half_width")) | Q(move__lt=-F("half_width")),
                name="an alarm is beyond its interval",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.image_model_id} in {self.category_id}: {self.move:+.0f} ± {self.half_width:.0f}"

    @property
    def claim(self) -> str:
        """In words of the active language, as its page and the curator read it."""
        day = date_format(self.made_since, "DATE_FORMAT")
        interval = f"{self.move:+.0f} ± {self.half_width:.0f} Elo".replace("-", "−")
        since = gettext("Images made since %(day)s, against those made before: %(interval)s.")
        verdict = (
            gettext("The model behind the name seems to have changed.")
            if self.is_alarm
            else gettext("No change of the model was found.")
        )
        return f"{since % {'day': day, 'interval': interval}} {verdict}"


class RegisteredModel(models.Model):
    """A model that was ever voted on in a category; see `board.register`. Rows are never deleted."""

    category = models.ForeignKey(Category, models.CASCADE, related_name="register", db_index=False)
    image_model = models.ForeignKey(ImageModel, models.CASCADE, related_name="register")
    first_day = models.DateField(help_text="Of its first vote; of old ones the first day of the month.")
    last_day = models.DateField()

    class Meta:
        ordering = ("category__position", "category__name", "first_day", "image_model__name")
        constraints = [
            models.UniqueConstraint(fields=["category", "image_model"], name="a model is registered once"),
            models.CheckConstraint(condition=Q(last_day__gte=F("first_day")), name="a last day follows the first"),
        ]

    def __str__(self) -> str:
        return f"{self.image_model_id} in {self.category_id}: {self.first_day} to {self.last_day}"
