"""What visitors would like to see voted on: prompts they tried in the playground, for curators to take or leave."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils import timezone

from providers.models import ModeChoices

from .competitions import Prompt


class Suggestion(models.Model):
    """A prompt somebody tried. `trials` is the group of trials in the playground that it came from."""

    text = models.TextField()
    mode = models.CharField(max_length=20, choices=ModeChoices.choices)
    source_image = models.FileField(upload_to="sources", blank=True)
    trials = models.UUIDField(unique=True, editable=False)
    suggested_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)
    decline_reason = models.CharField(max_length=200, blank=True, db_default="", help_text="Shown to its visitor.")
    prompt = models.ForeignKey(Prompt, models.PROTECT, null=True, blank=True, help_text="What became of it.")

    class Meta:
        ordering = ("-suggested_at",)
        constraints = [
            models.CheckConstraint(condition=~Q(text=""), name="suggestion has a text"),
            models.CheckConstraint(condition=Q(mode__in=ModeChoices.values), name="suggestion mode is known"),
            models.CheckConstraint(
                condition=Q(prompt=None) | Q(decided_at__isnull=False), name="a suggestion that was taken is decided"
            ),
            models.CheckConstraint(
                condition=Q(decline_reason="") | Q(decided_at__isnull=False, prompt=None),
                name="only a declined suggestion says why",
            ),
        ]

    def __str__(self) -> str:
        return self.text if len(self.text) <= 60 else self.text[:59] + "…"
