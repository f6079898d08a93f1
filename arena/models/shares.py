"""Pairs and rounds that a voter shares: their visitors answer them blind too, and these answers are in no rating."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone

from arena.models.battles import Battle, Voter, new_token
from arena.models.votes import Outcome

LARGEST = 5  # pairs of a share: a round
CARDINALITY = Func(F("battles"), function="cardinality", output_field=models.IntegerField())


class Share(models.Model):
    """One answered battle, or those of a round, under a URL that anybody can open."""

    token = models.CharField(max_length=32, default=new_token, unique=True)
    voter = models.ForeignKey(Voter, models.CASCADE, related_name="shares")
    battles = ArrayField(models.UUIDField(), help_text="In the order of their votes.")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["voter", "battles"], name="what a voter shares has one URL"),
            models.CheckConstraint(
                condition=models.lookups.GreaterThan(CARDINALITY, 0)
                & models.lookups.LessThanOrEqual(CARDINALITY, LARGEST),
                name="a share has one pair or a round",
            ),
        ]

    def __str__(self) -> str:
        return self.token

    def get_absolute_url(self) -> str:
        return f"/shared/{self.token}/"


class SharedAnswer(models.Model):
    """How often visitors of a share gave an answer to one of its pairs. The voter chose these pairs, and a visitor may
    know their choice: such answers say nothing about a model, so they are counted apart."""

    share = models.ForeignKey(Share, models.CASCADE, related_name="answers", db_index=False)
    battle = models.ForeignKey(Battle, models.PROTECT, related_name="+", db_index=False)
    outcome = models.CharField(max_length=8, choices=Outcome.choices)
    n = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["share", "battle", "outcome"], name="one count per answer of a share"),
            models.CheckConstraint(condition=Q(outcome__in=Outcome.values), name="a shared answer is known"),
            models.CheckConstraint(condition=Q(n__gt=0), name="a counted answer was given"),
        ]

    def __str__(self) -> str:
        return f"{self.n} × {self.outcome}"
