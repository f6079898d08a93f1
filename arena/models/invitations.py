"""Links by which people get into a private category."""

from __future__ import annotations

import secrets
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

from arena.models.competitions import Category


def invitation_token() -> str:
    return secrets.token_urlsafe(24)


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def valid(self) -> InvitationQuerySet:
        """Neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)


class Invitation(models.Model):
    """A link to a private category. It lets in everybody who has it, until it is revoked or expires."""

    category = models.ForeignKey(
        Category, models.PROTECT, related_name="invitations", limit_choices_to={"is_private": True}
    )
    note = models.CharField(max_length=120, help_text="Whom it is for.")
    token = models.CharField(max_length=64, unique=True, default=invitation_token, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: valid until it is revoked. UTC.")
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects: ClassVar[Any] = InvitationQuerySet.as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(condition=Q(token__regex=r"^[\w-]{32}$"), name="an invitation has its token"),  # noqa: S106 – a rule
            models.CheckConstraint(condition=~Q(note=""), name="an invitation says whom it is for"),
        ]

    def __str__(self) -> str:
        return f"{self.category} for {self.note}"

    def clean(self) -> None:
        if self.category_id and not self.category.is_private:
            raise ValidationError({"category": "Anybody may see this category: it needs no invitation."})

    @property
    def url(self) -> str:
        return f"/invitations/{self.token}/"
