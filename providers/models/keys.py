"""Who may use the gateway."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> ApiKeyQuerySet:
        return self.filter(revoked_at=None)


class ApiKey(models.Model):
    """A key for the gateway. Only its digest is stored; whoever made it saw it once."""

    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[Any] = ApiKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="key digest is a sha256"),
            models.CheckConstraint(condition=~Q(prefix=""), name="key has a prefix"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def digest_of(key: str) -> str:
        """A plain sha256 is enough: the key itself is 256 random bits, so there is nothing to guess."""
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def make(cls, name: str) -> tuple[ApiKey, str]:
        """Create a key and return it with its secret, which cannot be had again."""
        prefix = f"ia_{secrets.token_hex(4)}"
        secret = f"{prefix}.{secrets.token_urlsafe(32)}"
        return cls.objects.create(name=name, prefix=prefix, digest=cls.digest_of(secret)), secret
