"""What a vote on each pair is worth."""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.lookups import Exact
from django.utils import timezone

from arena.models.competitions import Category

CARDINALITY = Func(F("image_models"), function="cardinality", output_field=models.IntegerField())


class PairScores(models.Model):
    """What a vote on each pair of models is worth, for `matchmaking`: derived, written with every new board.

    It lives here and not beside the ratings because the arena draws from it and must not know the leaderboard.
    """

    category = models.OneToOneField(Category, models.CASCADE, primary_key=True, related_name="pair_scores")
    image_models = ArrayField(models.BigIntegerField(), help_text="Ids in ascending order.")
    scores = models.BinaryField(help_text="One little-endian 32-bit float per pair: (0, 1), (0, 2) … (1, 2) …")
    provisional = ArrayField(models.BigIntegerField(), db_default=[], help_text="Ids of those rated provisionally.")
    changed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name_plural = "pair scores"
        constraints = [
            models.CheckConstraint(
                condition=Exact(
                    Func(F("scores"), function="octet_length", output_field=models.IntegerField()),
                    2 * CARDINALITY * (CARDINALITY - 1),
                ),
                name="every pair of models has its score",
            ),
            models.CheckConstraint(
                condition=Q(image_models__contains=F("provisional")), name="who is provisional is among the models"
            ),
        ]

    def __str__(self) -> str:
        return f"pair scores of {self.category_id}"
