"""What is watched, and what was decided: derived states of voters and networks, and the history of decisions."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.lookups import Exact
from django.utils import timezone

from arena.models.battles import Voter
from arena.models.competitions import Category

FOLDS = (
    4  # groups by voter id; voters are judged by the votes of other folds, so that nobody's own votes are among them
)
_FAMILIES = 6


def _length(field: str, function: str = "cardinality") -> Func:
    return Func(F(field), function=function, output_field=models.IntegerField())


class Strengths(models.Model):
    """Decided votes of a category at one time, that voters are judged by from then on: never changed, so that evidence
    can be computed again. For each fold of voters the wins among all *other* folds' votes."""

    category = models.ForeignKey(Category, models.CASCADE, related_name="+")
    made_at = models.DateTimeField(default=timezone.now)
    votes = models.PositiveIntegerField(help_text="Decided votes it was made from.")
    image_models = ArrayField(models.BigIntegerField(), help_text="Ids in ascending order.")
    wins = models.BinaryField(help_text="Little-endian 32-bit integers: [fold, winner, loser].")
    shares = ArrayField(models.FloatField(), help_text="The chance of each model to be on a ballot.")

    class Meta:
        verbose_name_plural = "strengths"
        constraints = [
            models.CheckConstraint(
                condition=Exact(
                    _length("wins", "octet_length"), 4 * FOLDS * _length("image_models") * _length("image_models")
                ),
                name="strengths have wins of every fold and pair",
            ),
            models.CheckConstraint(
                condition=Exact(_length("shares"), _length("image_models")), name="every model of strengths has a share"
            ),
        ]

    def __str__(self) -> str:
        return f"strengths of {self.category_id} at {self.made_at}"


class VoterWatch(models.Model):
    """The evidence about one voter in one category, as logarithms of e-values: a function of the voter's votes, skips
    and `strengths`, so a second look at the same votes changes nothing."""

    voter = models.ForeignKey(Voter, models.CASCADE, related_name="watches", db_index=False)
    category = models.ForeignKey(Category, models.CASCADE, related_name="+", db_index=False)
    strengths = models.ForeignKey(Strengths, models.PROTECT, related_name="+")
    since = models.DateTimeField(
        null=True, blank=True, help_text="Earlier votes were looked at by a curator, and prove nothing any more."
    )
    votes = models.PositiveIntegerField()
    decided = models.PositiveIntegerField()
    last_vote_at = models.DateTimeField()
    families = ArrayField(models.FloatField(), help_text="As in evidence.FAMILIES.")
    skips = models.FloatField(help_text="Whether skips depend on one model.")
    log_e = models.FloatField(help_text="All families together, as they stand.")
    peak = models.FloatField(help_text="The largest value so far of what may exclude by itself.")
    review_peak = models.FloatField(help_text="The same of what a curator should see.")
    watched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "voter watches"
        indexes = [
            models.Index(fields=["review_peak"], name="voterwatch_review"),
            models.Index(fields=["last_vote_at"], name="voterwatch_last_vote"),
        ]
        constraints = [
            models.UniqueConstraint(fields=["voter", "category"], name="one watch per voter and category"),
            models.CheckConstraint(condition=Q(decided__lte=F("votes")), name="decided votes are votes"),
            models.CheckConstraint(
                condition=Exact(_length("families"), _FAMILIES), name="a watch has a value of every family"
            ),
            models.CheckConstraint(
                condition=Q(peak__gte=0, review_peak__gte=F("peak")), name="the peaks of a watch are in order"
            ),
        ]

    def __str__(self) -> str:
        return f"voter {self.voter_id} in category {self.category_id}"


class NetworkWatch(models.Model):
    """The evidence about the first votes that came from one network into one category: a botnet of new voters shows in
    them together. The network is a keyed hash, forgotten after some weeks (see integrity/networks.py)."""

    network = models.CharField(max_length=16)
    category = models.ForeignKey(Category, models.CASCADE, related_name="+", db_index=False)
    strengths = models.ForeignKey(Strengths, models.PROTECT, related_name="+")
    since = models.DateTimeField(null=True, blank=True)
    voters = models.PositiveIntegerField()
    votes = models.FloatField(help_text="Evidence of the pooled first votes.")
    ballots = models.FloatField(help_text="Evidence that the first pairs were chosen.")
    peak = models.FloatField()
    excluded_at = models.DateTimeField(null=True, blank=True)
    watched_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "network watches"
        constraints = [
            models.UniqueConstraint(fields=["network", "category"], name="one watch per network and category"),
            models.CheckConstraint(condition=~Q(network="") & Q(peak__gte=0), name="a watched network has a name"),
        ]

    def __str__(self) -> str:
        return f"network {self.network[:6]}… in category {self.category_id}"


class VoterDecision(models.Model):
    """One voter's votes in one category were taken out, or let in again: by whom, and why. Never changed."""

    class Action(models.TextChoices):
        EXCLUDE = "exclude", "Taken out"
        RETURN = "return", "Counted again"
        DISMISS = "dismiss", "Looked at, nothing found"

    voter = models.ForeignKey(Voter, models.PROTECT, related_name="decisions")
    category = models.ForeignKey(Category, models.PROTECT, related_name="decisions")
    action = models.CharField(max_length=8, choices=Action.choices)
    rule = models.CharField(max_length=40, help_text="The rule and its version; curator-1: by hand.")
    reason = models.CharField(max_length=200)
    by = models.CharField(max_length=150, blank=True, help_text="Who decided; empty: the rule by itself.")
    votes = models.PositiveIntegerField(help_text="That moved.")
    log_e = models.FloatField(null=True, blank=True, help_text="The evidence at that time.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="decision_by_time")]
        constraints = [
            models.CheckConstraint(condition=Q(action__in=["exclude", "return", "dismiss"]), name="decision is known"),
            models.CheckConstraint(condition=~Q(rule="") & ~Q(reason=""), name="a decision names rule and reason"),
        ]

    def __str__(self) -> str:
        return f"{self.action} voter {self.voter_id}: {self.reason}"
