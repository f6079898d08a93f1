"""What the votes add up to. Everything here is derived: TRUNCATE it, recompute, and the same rows stand again.

Snapshots are the exception by their nature: each says what was derived at one moment, and never changes. So are the
links by which voters share their own rankings.
"""

from __future__ import annotations

import math
import secrets
from math import isfinite
from typing import ClassVar

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Case, F, Func, Q, Value, When
from django.db.models.lookups import Exact
from django.utils import timezone

from arena.models import Category, Prompt, Voter
from leaderboard.rating.elo import Z95
from leaderboard.rating.place import Place
from leaderboard.rating.verdict import Verdict, of_side
from providers.models import ImageModel

CARDINALITY = Func(F("image_models"), function="cardinality", output_field=models.IntegerField())


# The order of every board: by Elo; models without an interval, which have no place, come last.
BY_ELO = (Case(When(rank=None, then=1), default=0), "-elo", "image_model__name")


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

    def __str__(self) -> str:
        return f"recent board of {self.category_id}"


class RatingNumbers(models.Model):
    """A model's Elo, with its 95 % interval."""

    elo = models.FloatField()
    lower = models.FloatField()
    upper = models.FloatField()
    rank = models.PositiveIntegerField(
        null=True, blank=True, help_text="1 + the models whose lower bound exceeds this one's upper bound."
    )
    rank_low = models.PositiveIntegerField(
        default=1, null=True, blank=True, help_text="Best rank of the simultaneous 95 % interval."
    )
    rank_high = models.PositiveIntegerField(
        default=1, null=True, blank=True, help_text="Worst rank of the simultaneous 95 % interval."
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

    class Meta:
        ordering = ("category", "-elo")
        constraints = _truths()


class RecentRating(RatingNumbers):
    """The same from the votes of the last 90 days.

    A table of its own and not a column of `Rating`, so that nobody who asks for a category's ratings gets two boards.
    """

    category = models.ForeignKey(Category, models.CASCADE, related_name="recent_ratings", db_index=False)
    image_model = models.ForeignKey(ImageModel, models.CASCADE, related_name="recent_ratings")

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


class Record(models.Model):
    """How a model's image of one prompt did: every counted vote on it, whichever model it met. See `image_records`."""

    prompt = models.ForeignKey(Prompt, models.CASCADE, related_name="records", db_index=False)
    image_model = models.ForeignKey(ImageModel, models.CASCADE, related_name="records")
    won = models.PositiveIntegerField(default=0)
    tied = models.PositiveIntegerField(default=0)
    both_bad = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["prompt", "image_model"], name="one record per prompt and model"),
        ]

    def __str__(self) -> str:
        return f"{self.image_model_id} on prompt {self.prompt_id}: {self.won}-{self.tied + self.both_bad}-{self.lost}"


class RecordCount(models.Model):
    """Up to which state of the tallies a category's records were counted, and how long that took."""

    category = models.OneToOneField(Category, models.CASCADE, primary_key=True, related_name="+")
    tallies_changed_at = models.DateTimeField(null=True, blank=True)
    counted_at = models.DateTimeField()
    took = models.DurationField()

    def __str__(self) -> str:
        return f"records of {self.category_id}"


def new_token() -> str:
    return secrets.token_urlsafe(16)


class SharedRanking(models.Model):
    """A link by which a voter shows their own ranking, as their votes up to a moment make it.

    The address is random: it says nothing about the voter, and is dead once they withdraw it.
    """

    token = models.CharField(max_length=32, unique=True, default=new_token, editable=False)
    voter = models.ForeignKey(Voter, models.CASCADE, related_name="shared_rankings", db_index=False)
    category = models.ForeignKey(Category, models.CASCADE, related_name="+", db_index=False)
    until = models.DateTimeField(help_text="Later votes do not show.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["voter", "category", "until"], name="one link per voter and ranking"),
            models.CheckConstraint(condition=Q(token__regex=r"^[\w-]{22}$"), name="a shared ranking has its token"),  # noqa: S106
        ]

    def __str__(self) -> str:
        return f"{self.category_id} until {self.until:%Y-%m-%d %H:%M}"

    def get_absolute_url(self) -> str:
        return f"/rankings/{self.token}/"
