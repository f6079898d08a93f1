"""Who can make an image, at what price, how well.

Postgres refuses what cannot be true: every constraint here has a test that tries its opposite.
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any, ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models, transaction
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone

from providers.models.audience import public
from providers.offering import normalisation, pricing
from providers.offering.pricing import UNITS
from providers.web.slugs import SLUG_PATTERN
from providers.web.spreadsheets import safe_cell

slug_validator = RegexValidator(SLUG_PATTERN, "Use lower-case letters, digits and single dots, dashes or underscores.")


ENDS_SOON_DAYS = 30  # an end is announced this long before


class ModeChoices(models.TextChoices):
    TEXT_TO_IMAGE = "text-to-image", "Text to image"
    EDIT = "edit", "Image editing"


class PublicLabs(models.Manager["Lab"]):
    """Labs without a model, or with one that is public."""

    def get_queryset(self) -> models.QuerySet[Lab]:
        models_of_lab = ImageModel.everything.filter(lab=OuterRef("pk"))
        return super().get_queryset().filter(~Exists(models_of_lab) | Exists(models_of_lab.filter(is_private=False)))


class Lab(models.Model):
    """Who trained a model."""

    slug = models.CharField(max_length=80, unique=True, validators=[slug_validator])
    name = models.CharField(max_length=120)
    url = models.URLField(blank=True)
    from_catalog = models.JSONField(default=dict, blank=True, editable=False)  # what the last load wrote

    everything: ClassVar[Any] = models.Manager()
    objects: ClassVar[Any] = PublicLabs()

    class Meta:
        ordering = ("name",)
        default_manager_name = "everything"
        constraints = [
            models.CheckConstraint(condition=Q(slug__regex=SLUG_PATTERN), name="lab slug is lower-case words"),
            models.CheckConstraint(condition=~Q(name=""), name="lab has a name"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/labs/{self.slug}/"


class ImageModelQuerySet(models.QuerySet["ImageModel"]):
    def current(self) -> ImageModelQuerySet:
        return self.filter(retired_at=None)

    def askable(self, mode: str) -> ImageModelQuerySet:
        """Models to ask now in `mode`: not retired, with an active offering of a provider we have a key for."""
        return self.current().filter(offerings__in=Offering.objects.open().filter(mode=mode)).distinct()


class ImageModel(models.Model):
    """What was trained. The pages say "model"."""

    class Origin(models.TextChoices):
        CATALOG = "catalog", "Catalogue"
        SAMPLE = "sample", "Sample"  # drawn by the studio: labelled wherever it shows
        IMPORTED = "imported", "Imported"  # known only by its name in imported votes

    slug = models.CharField(max_length=120, unique=True, validators=[slug_validator])
    name = models.CharField(max_length=160)
    lab = models.ForeignKey(Lab, models.PROTECT, related_name="image_models", null=True, blank=True)
    description = models.TextField(blank=True)
    released_on = models.DateField(null=True, blank=True)
    licence = models.CharField(max_length=120, blank=True)
    open_weights = models.BooleanField(default=False)
    modes = ArrayField(models.CharField(max_length=20, choices=ModeChoices.choices), default=list, blank=True)
    origin = models.CharField(max_length=10, choices=Origin.choices, default=Origin.CATALOG)
    note = models.TextField(blank=True, help_text="What is uncertain about this row.")
    retired_at = models.DateTimeField(null=True, blank=True)
    is_private = models.BooleanField(
        "private",
        default=False,
        db_default=False,
        help_text="Competes in private categories only, with images brought as files; nobody else learns its name.",
    )
    from_catalog = models.JSONField(default=dict, blank=True, editable=False)

    everything: ClassVar[Any] = ImageModelQuerySet.as_manager()
    objects: ClassVar[Any] = public(ImageModelQuerySet, "is_private")

    class Meta:
        ordering = ("name",)
        default_manager_name = "everything"
        constraints = [
            models.CheckConstraint(condition=Q(slug__regex=SLUG_PATTERN), name="model slug is lower-case words"),
            models.CheckConstraint(condition=~Q(name=""), name="model has a name"),
            models.CheckConstraint(
                condition=Q(modes__contained_by=ModeChoices.values), name="model modes are known modes"
            ),
            models.CheckConstraint(
                condition=Q(origin__in=["catalog", "sample", "imported"]), name="model origin is known"
            ),
            models.UniqueConstraint(fields=["name"], condition=Q(origin="imported"), name="imported name is one model"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return f"/models/{self.slug}/"

    def clean(self) -> None:
        """What would make a private model known (Postgres refuses it too, and images in public categories)."""
        if self.is_private and self.pk and self.offerings.exists():
            raise ValidationError({"is_private": "It has offerings: who asks for the list of models learns its name."})

    @property
    def is_sample(self) -> bool:
        return self.origin == self.Origin.SAMPLE

    @property
    def export_name(self) -> str:
        """How exports name this model: the slug, or the name as imported."""
        return self.name if self.origin == self.Origin.IMPORTED else self.slug

    @property
    def csv_name(self) -> str:
        """The same in files that people open in a spreadsheet, and in what is compared with them."""
        return safe_cell(self.export_name)


class OfferingQuerySet(models.QuerySet["Offering"]):
    def active(self) -> OfferingQuerySet:
        return self.filter(is_active=True)

    def open(self) -> OfferingQuerySet:
        """Active offerings that have not ended, of providers that this installation can reach (it has a key)."""
        return (
            self.active()
            .exclude(ends_on__lte=timezone.now().date())
            .filter(provider__in=[key for key, config in settings.PROVIDERS.items() if config["api_key"]])
        )

    def ending(self, days: int = ENDS_SOON_DAYS) -> OfferingQuerySet:
        """Active offerings that end within so many days, or have ended."""
        return self.active().filter(ends_on__lte=timezone.now().date() + timedelta(days=days)).order_by("ends_on")


class Offering(models.Model):
    """One model as sold by one provider in one mode: where to ask, what it takes, what it costs."""

    class Unit(models.TextChoices):
        """How `pricing.price_of` counts. The last three need more than one number: those are in `price_details`."""

        IMAGE = "image", "per image"
        MEGAPIXEL = "megapixel", "per megapixel"
        MEGAPIXEL_STARTED = "megapixel-started", "per megapixel, rounded up"
        MEGAPIXEL_IN_OUT = "megapixel-in-out", "per megapixel, in and out"
        MEGAPIXEL_FIRST = "megapixel-first", "first megapixel, less for each further one"
        IMAGE_BY_TIER = "image-by-tier", "per image, by resolution"
        IMAGE_BY_QUALITY = "image-by-quality", "per image, by quality"

    image_model = models.ForeignKey(ImageModel, models.PROTECT, related_name="offerings")
    provider = models.CharField(max_length=60, validators=[slug_validator])
    mode = models.CharField(max_length=20, choices=ModeChoices.choices)
    endpoint = models.CharField(max_length=200)
    parameters = models.JSONField(default=dict, blank=True)
    price = models.DecimalField(max_digits=10, decimal_places=6, null=True, blank=True, help_text="USD per unit")
    price_unit = models.CharField(max_length=20, choices=Unit.choices, default=Unit.IMAGE)
    price_details = models.JSONField(
        default=dict, blank=True, help_text="The further numbers of a price, see providers/pricing.py."
    )
    price_estimated = models.BooleanField(default=False)
    price_source = models.CharField(max_length=200, blank=True)
    price_seen_on = models.DateField(null=True, blank=True)
    price_on_request = models.BooleanField(
        default=False, db_default=False, help_text="No price is published: ask the provider."
    )
    is_active = models.BooleanField(default=True)
    ends_on = models.DateField(
        null=True, blank=True, help_text="The day from which the provider no longer serves it; it is not asked then."
    )
    note = models.TextField(blank=True)
    from_catalog = models.JSONField(default=dict, blank=True, editable=False)

    objects: ClassVar[Any] = OfferingQuerySet.as_manager()

    class Meta:
        ordering = ("image_model", "provider", "mode")
        constraints = [
            models.UniqueConstraint(
                fields=["image_model", "provider", "mode"], name="one offering per model, provider and mode"
            ),
            models.CheckConstraint(condition=Q(price=None) | Q(price__gte=0), name="price is not negative"),
            models.CheckConstraint(
                condition=Q(price=None) | Q(price_on_request=False), name="a known price need not be asked for"
            ),
            models.CheckConstraint(
                condition=Q(price_unit__in=UNITS),
                name="price unit is known",
            ),
            models.CheckConstraint(condition=Q(mode__in=ModeChoices.values), name="offering mode is known"),
            models.CheckConstraint(condition=~Q(provider=""), name="offering names its provider"),
            models.CheckConstraint(condition=~Q(endpoint=""), name="offering has an endpoint"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}/{self.image_model.slug} ({self.mode})"

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save, and add to the price history when the price moved: from the admin and from a load alike."""
        named = kwargs.get("update_fields")
        with transaction.atomic():
            super().save(*args, **kwargs)
            if named is None or not {"price", "price_unit", "price_details"}.isdisjoint(named):
                self._record_price()

    @property
    def has_ended(self) -> bool:
        return self.ends_on is not None and self.ends_on <= timezone.now().date()

    def clean(self) -> None:
        """What the admin checks before it saves: JSON that no adapter or price formula could read is refused."""
        if self.image_model_id and self.image_model.is_private:
            raise ValidationError(
                {"image_model": "A private model is asked by nobody: its images are brought as files."}
            )
        problems = {
            "parameters": normalisation.check(self.parameters),
            "price_details": pricing.check(self.price, self.price_unit, self.price_details),
        }
        if any(problems.values()):
            raise ValidationError({name: messages for name, messages in problems.items() if messages})

    def _record_price(self) -> None:
        latest = self.prices.order_by("-recorded_at", "-pk").first()
        known = latest.figures() if latest else (None, *price_figures(self)[1:])  # nothing known is not worth a row
        if known != price_figures(self):
            self.prices.create(
                price=self.price,
                price_unit=self.price_unit,
                price_details=self.price_details,
                estimated=self.price_estimated,
                source=self.price_source,
                seen_on=self.price_seen_on,
            )


def price_figures(row: Offering | Price) -> tuple[Decimal | None, str, Any]:
    """What makes a price a different price: a new source, or a later look at the same number, does not."""
    return (None if row.price is None else Decimal(str(row.price)), str(row.price_unit), row.price_details)


class Price(models.Model):
    """What an offering cost since `recorded_at`. Rows are added, never changed: old costs stay explainable."""

    offering = models.ForeignKey(Offering, models.CASCADE, related_name="prices")  # calls already protect the offering
    price = models.DecimalField(max_digits=10, decimal_places=6, null=True, blank=True, help_text="USD per unit")
    price_unit = models.CharField(max_length=20, choices=Offering.Unit.choices)
    price_details = models.JSONField(default=dict, blank=True)
    estimated = models.BooleanField(default=False)
    source = models.CharField(max_length=200, blank=True)
    seen_on = models.DateField(null=True, blank=True)
    recorded_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("offering", "-recorded_at", "-pk")
        indexes = [models.Index(F("offering"), F("recorded_at").desc(), name="price_offering_latest")]
        constraints = [
            models.CheckConstraint(condition=Q(price=None) | Q(price__gte=0), name="past price is not negative"),
            models.CheckConstraint(condition=Q(price_unit__in=UNITS), name="past price unit is known"),
        ]

    def __str__(self) -> str:
        amount = "unknown" if self.price is None else f"${self.price.normalize():f}"
        return f"{amount} {self.get_price_unit_display()} since {self.recorded_at:%Y-%m-%d}"

    def figures(self) -> tuple[Decimal | None, str, Any]:
        return price_figures(self)


class Proposal(models.Model):
    """A change of the catalogue that a source suggests: `manage.py sync_catalog` makes it, a curator decides.

    `changes` are columns of the offering with their new values as JSON; none for a remark about its parameters, which
    are never rewritten.
    """

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        ACCEPTED = "accepted", "Accepted"
        REJECTED = "rejected", "Rejected"

    offering = models.ForeignKey(Offering, models.CASCADE, related_name="proposals")
    text = models.TextField(help_text="What differs, for people.")
    changes = models.JSONField(default=dict, blank=True)
    source = models.URLField(max_length=300)
    is_large = models.BooleanField(default=False, help_text="The price moves by more than 20 %.")
    status = models.CharField(max_length=10, choices=Status.choices, default=Status.OPEN)
    proposed_at = models.DateTimeField(default=timezone.now)
    decided_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-proposed_at", "offering")
        constraints = [
            models.UniqueConstraint(fields=["offering", "text"], name="a proposal is made once"),
            models.CheckConstraint(
                condition=Q(status="open", decided_at=None) | (~Q(status="open") & Q(decided_at__isnull=False)),
                name="a proposal is decided at a time",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["open", "accepted", "rejected"]), name="proposal status is known"
            ),
            models.CheckConstraint(
                condition=Q(source__startswith="https://"), name="a proposal has a link to its source"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.offering}: {self.text}"
