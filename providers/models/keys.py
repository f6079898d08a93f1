"""API keys of the gateway and their limits."""

from __future__ import annotations

import hashlib
import secrets
from typing import Any, ClassVar

from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> ApiKeyQuerySet:
        return self.filter(revoked_at=None)


class ApiKey(models.Model):
    """A key for the gateway. Only its digest is stored; the key itself is shown once, when it is created."""

    class Format(models.TextChoices):
        """How images are returned when a request does not say."""

        BY_MODEL = "", "as OpenAI does: b64_json for gpt-image models, else url"
        URL = "url", "url: a URL that expires after an hour"
        B64_JSON = "b64_json", "b64_json: inside the response"

    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    monthly_budget = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="US dollars per calendar month (UTC), by the price lists, sample models included; empty: no limit.",
    )
    requests_per_minute = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Empty: GATEWAY_RATE."
    )
    response_format = models.CharField(
        max_length=10,
        choices=Format.choices,
        default=Format.BY_MODEL,
        blank=True,
        help_text="How images are returned when a request does not say. Some clients need b64_json.",
    )

    objects: ClassVar[Any] = ApiKeyQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="key digest is a sha256"),
            models.CheckConstraint(condition=~Q(prefix=""), name="key has a prefix"),
            models.CheckConstraint(
                condition=Q(monthly_budget=None) | Q(monthly_budget__gte=0), name="a key's budget is not negative"
            ),
            models.CheckConstraint(
                condition=Q(requests_per_minute=None) | Q(requests_per_minute__gte=1),
                name="a key may ask at least once a minute",
            ),
            models.CheckConstraint(
                condition=Q(response_format__in=["", "url", "b64_json"]), name="a key's response format is known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @staticmethod
    def digest_of(key: str) -> str:
        """Plain sha256 is enough: the key itself is 256 random bits and cannot be guessed."""
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def make(cls, name: str, **limits: Any) -> tuple[ApiKey, str]:
        """Create a key; return it with its secret, which cannot be shown again."""
        prefix = f"ia_{secrets.token_hex(4)}"
        secret = f"{prefix}.{secrets.token_urlsafe(32)}"
        return cls.objects.create(name=name, prefix=prefix, digest=cls.digest_of(secret), **limits), secret
