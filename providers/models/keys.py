"""API keys of the gateway, their limits, what they have spent, and the names they may use for models."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import BigIntegerField, Func, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy

from .offerings import ImageModel


class ApiKeyQuerySet(models.QuerySet["ApiKey"]):
    def usable(self) -> ApiKeyQuerySet:
        """Keys that are neither revoked nor expired."""
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=timezone.now()), revoked_at=None)

    def with_digest(self, digest: str) -> ApiKeyQuerySet:
        """The key with this digest, or whose secret before its rotation had it and is still accepted."""
        return self.filter(Q(digest=digest) | Q(previous_digest=digest, previous_expires_at__gt=timezone.now()))

    def with_version(self) -> ApiKeyQuerySet:
        """Adds `version`, which differs after every change of the row: Postgres' own xmin."""
        xmin = Func(template="providers_apikey.xmin::text::bigint", output_field=BigIntegerField())
        return self.annotate(version=xmin)


class ApiKey(models.Model):
    """A key for the gateway. Only its digest is stored; the key itself is shown once, when it is created."""

    class Format(models.TextChoices):
        """How images are returned when a request does not say."""

        BY_MODEL = "", gettext_lazy("as OpenAI does: b64_json for gpt-image models, else url")
        URL = "url", gettext_lazy("url: a URL that expires")
        B64_JSON = "b64_json", gettext_lazy("b64_json: inside the response")

    name = models.CharField(max_length=120)
    prefix = models.CharField(max_length=12, unique=True)
    digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField(default=timezone.now)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Not accepted after this time (UTC).")
    previous_digest = models.CharField(max_length=64, blank=True, default="", db_default="", editable=False)
    previous_expires_at = models.DateTimeField(null=True, blank=True, editable=False)
    allowed_models = ArrayField(
        models.CharField(max_length=120),
        default=list,
        db_default=[],
        blank=True,
        help_text="Ids of the models it may use; empty: all.",
    )
    default_model = models.CharField(
        max_length=200,
        blank=True,
        default="",
        db_default="",
        help_text="Id of the model for requests that name none.",
    )
    daily_budget = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="US dollars per day (UTC); empty: no limit.",
    )
    total_budget = models.DecimalField(
        max_digits=10,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(0)],
        help_text="US dollars in all; empty: no limit.",
    )
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
                condition=(Q(daily_budget=None) | Q(daily_budget__gte=0))
                & (Q(total_budget=None) | Q(total_budget__gte=0)),
                name="a key's daily and total budgets are not negative",
            ),
            models.CheckConstraint(
                condition=Q(previous_digest="", previous_expires_at=None)
                | Q(previous_digest__regex=r"^[0-9a-f]{64}$", previous_expires_at__isnull=False),
                name="a key's previous secret has an end",
            ),
            models.CheckConstraint(
                condition=Q(requests_per_minute=None) | Q(requests_per_minute__gte=1),
                name="a key may ask at least once a minute",
            ),
            models.CheckConstraint(
                condition=Q(response_format__in=["", "url", "b64_json"]), name="a key's response format is known"
            ),
        ]
        indexes = [
            models.Index(fields=["previous_digest"], condition=~Q(previous_digest=""), name="key_previous_digest"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def has_budget(self) -> bool:
        return not (self.daily_budget is None and self.monthly_budget is None and self.total_budget is None)

    def may_use(self, image_model: ImageModel) -> bool:
        return not self.allowed_models or image_model.slug in self.allowed_models

    @staticmethod
    def digest_of(key: str) -> str:
        """Plain sha256 is enough: the key itself is 256 random bits and cannot be guessed."""
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def make(cls, name: str, **limits: Any) -> tuple[ApiKey, str]:
        """Create a key; return it with its secret, which cannot be shown again."""
        prefix = f"ia_{secrets.token_hex(4)}"
        secret = cls._secret(prefix)
        return cls.objects.create(name=name, prefix=prefix, digest=cls.digest_of(secret), **limits), secret

    @staticmethod
    def _secret(prefix: str) -> str:
        return f"{prefix}.{secrets.token_urlsafe(32)}"

    def rotate(self, grace: timedelta) -> str:
        """Replace the secret and return the new one; the old one is accepted for `grace` longer."""
        secret = self._secret(self.prefix)
        self.previous_digest, self.previous_expires_at = self.digest, timezone.now() + grace
        self.digest = self.digest_of(secret)
        self.save(update_fields=["digest", "previous_digest", "previous_expires_at"])
        return secret


class KeySpending(models.Model):
    """US dollars of one key and one day (UTC): what its requests have cost, and what running ones have reserved.

    The sum over the key's requests of that day, updated with each of them, so that a budget is checked by reading
    a month's few rows instead of its requests (gateway/budgets.py).
    """

    api_key = models.ForeignKey(ApiKey, models.PROTECT, related_name="spending")
    day = models.DateField()
    amount = models.DecimalField(max_digits=14, decimal_places=6, default=Decimal(0))

    class Meta:
        ordering = ("-day",)
        constraints = [
            models.UniqueConstraint(fields=["api_key", "day"], name="one sum of a key a day"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="a key spends nothing negative"),
        ]

    def __str__(self) -> str:
        return f"${self.amount} on {self.day}"


class ModelAlias(models.Model):
    """Another name for a model in requests to the gateway: for all keys, or for one of them.

    For clients with built-in names: `dall-e-3` → a model of this site.
    """

    alias = models.CharField(max_length=200)
    image_model = models.ForeignKey(ImageModel, models.CASCADE, related_name="aliases")
    provider = models.CharField(max_length=60, blank=True, help_text="Use this provider alone; empty: the best one.")
    api_key = models.ForeignKey(
        ApiKey, models.CASCADE, null=True, blank=True, related_name="aliases", help_text="Empty: for all keys."
    )

    class Meta:
        verbose_name_plural = "model aliases"
        ordering = ("alias",)
        constraints = [
            models.UniqueConstraint(
                fields=["alias", "api_key"], nulls_distinct=False, name="an alias means one model for a key"
            ),
            models.CheckConstraint(condition=Q(alias__regex=r"^\S+$"), name="an alias is one word"),
        ]

    def __str__(self) -> str:
        return f"{self.alias} → {self.image_model_id}"
