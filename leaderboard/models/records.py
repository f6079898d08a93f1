"""How images did, prompt by prompt."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models

from arena.models import Category, Prompt
from providers.models import ImageModel
from providers.models.audience import public


class Record(models.Model):
    """How a model's image of one prompt did: every counted vote on it, whichever model it met. See `image_records`."""

    prompt = models.ForeignKey(Prompt, models.CASCADE, related_name="records", db_index=False)
    image_model = models.ForeignKey(ImageModel, models.CASCADE, related_name="records")
    won = models.PositiveIntegerField(default=0)
    tied = models.PositiveIntegerField(default=0)
    both_bad = models.PositiveIntegerField(default=0)
    lost = models.PositiveIntegerField(default=0)

    _default_manager: ClassVar[models.Manager[Record]]  # `objects`, as far as a type can be read off
    objects: ClassVar[Any] = public(models.QuerySet, "prompt__competition__category__is_private")
    everything: ClassVar[Any] = models.Manager()

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
