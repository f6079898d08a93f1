"""Rankings of single voters that they share."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q
from django.utils import timezone

from arena.models import Category, Voter


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
