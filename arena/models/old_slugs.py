"""Slugs that competitions had before: their URLs lead to the new ones."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from arena.models.competitions import Competition
from providers.web.slugs import SLUG_PATTERN


class OldSlug(models.Model):
    """A slug that a competition had. Written by Postgres when the slug changes; deleted when another takes it."""

    slug = models.CharField(max_length=120, unique=True)
    competition = models.ForeignKey(Competition, models.CASCADE, related_name="old_slugs")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(slug__regex=SLUG_PATTERN), name="an old slug is lower-case words"),
        ]

    def __str__(self) -> str:
        return self.slug
