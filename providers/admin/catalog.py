"""Labs, models and offerings, and what is proposed about them, for curators."""

from __future__ import annotations

from functools import partial
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html

from providers import accounts
from providers.admin import offering_trial
from providers.admin.read_only import ReadOnly
from providers.catalog import sync
from providers.models import ImageModel, Lab, ModeChoices, Offering, Price, Proposal
from providers.models.offerings import ENDS_SOON_DAYS
from providers.performance import percentiles, recent
from providers.web import history


@admin.register(Lab)
class LabAdmin(history.HistoryAdmin, admin.ModelAdmin[Lab]):
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    list_display = ("name", "slug", "url")
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}


class OfferingForm(forms.ModelForm[Offering]):
    """The provider is one of those that this installation knows, or what the row has."""

    provider = forms.ChoiceField()

    class Meta:
        model = Offering
        fields = "__all__"  # noqa: DJ007 – the admin page says which

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        keys = {*settings.PROVIDERS, *([self.instance.provider] if self.instance.provider else [])}
        names = sorted((accounts.name_of(key), key) for key in keys)
        field = self.fields.get("provider")
        if isinstance(field, forms.ChoiceField):
            field.choices = [("", "---------"), *((key, name) for name, key in names)]


class ImageModelForm(forms.ModelForm[ImageModel]):
    modes = forms.MultipleChoiceField(choices=ModeChoices.choices, required=False, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = ImageModel
        fields = "__all__"  # noqa: DJ007 – the admin page says which


class OfferingInline(admin.TabularInline[Offering, ImageModel]):
    model = Offering
    form = OfferingForm
    extra = 0
    fields = ("provider", "mode", "endpoint", "price", "price_unit", "price_estimated", "is_active")
    show_change_link = True


@admin.register(ImageModel)
class ImageModelAdmin(history.HistoryAdmin, admin.ModelAdmin[ImageModel]):
    form = ImageModelForm
    list_display = ("name", "slug", "lab", "origin", "modes", "licence", "released_on", "retired_at")
    list_filter = ("origin", "open_weights", "lab")
    list_select_related = ("lab",)
    search_fields = ("name", "slug")
    inlines = (OfferingInline,)
    actions = ("retire", "bring_back")

    @admin.action(description="Retire: no new images, no new battles", permissions=["change"])
    def retire(self, request: HttpRequest, queryset: QuerySet[ImageModel]) -> None:
        current = queryset.filter(retired_at=None)
        count = history.update(request, current, "Retired.", retired_at=timezone.now())
        messages.success(request, f"{count} models retired.")

    @admin.action(description="Bring back", permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[ImageModel]) -> None:
        back = history.update(request, queryset.exclude(retired_at=None), "Brought back.", retired_at=None)
        messages.success(request, f"{back} models are back.")


class PriceInline(ReadOnly, admin.TabularInline[Price, Offering]):
    model = Price
    extra = 0


@admin.register(Offering)
class OfferingAdmin(history.HistoryAdmin, admin.ModelAdmin[Offering]):
    form = OfferingForm
    list_display = (
        "image_model",
        "provider",
        "mode",
        "endpoint",
        "price",
        "price_unit",
        "price_estimated",
        "is_active",
        "ends",
    )
    list_filter = ("provider", "mode", "is_active", "price_estimated")
    list_select_related = ("image_model",)
    list_editable = ("is_active",)
    search_fields = ("image_model__name", "image_model__slug", "endpoint")
    readonly_fields = ("last_30_days",)
    change_form_template = "admin/providers/offering/change_form.html"
    inlines = (PriceInline,)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(offering_trial.page, self))
        return [path("<int:pk>/trial/", view, name="providers_offering_trial"), *super().get_urls()]

    @admin.display(description="ends", ordering="ends_on")
    def ends(self, offering: Offering) -> str:
        if offering.ends_on is None:
            return "–"
        days = (offering.ends_on - timezone.now().date()).days
        soon = "" if days > ENDS_SOON_DAYS else " – ended" if days <= 0 else f" – in {days} days"
        return f"{offering.ends_on:%Y-%m-%d}{soon}"

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with a warning of what ends soon."""
        if ending := [str(offering) for offering in Offering.objects.ending().select_related("image_model")]:
            names = ", ".join(ending)
            messages.warning(request, f"Within {ENDS_SOON_DAYS} days these end, and are no longer used then: {names}.")
        return super().changelist_view(request, extra_context)

    @admin.display(description="last 30 days")
    def last_30_days(self, offering: Offering) -> str:
        """One line for operators: is it quick, is it reliable, and what else came back."""
        if not offering.pk:
            return "–"
        statistics = percentiles.of_offerings([offering.pk])[offering.pk]
        parts = [f"{statistics.succeeded} of {statistics.judged} calls succeeded"]
        for label, time in (("p50", statistics.duration.p50), ("p95", statistics.duration.p95)):
            if time is not None:
                parts.append(f"{label} {time.total_seconds():.1f} s")
        for label, count in (
            ("refused", statistics.refused),
            ("throttled", statistics.rate_limited),
            ("failed by our account", statistics.account_errors),
            ("bad requests", statistics.bad_requests),
        ):
            if count:
                parts.append(f"{count} {label}")
        trouble = recent.troubles([offering.pk]).get(offering.pk)
        return ", ".join(parts) + (f". Asked last now: {trouble}." if trouble else "")


@admin.register(Proposal)
class ProposalAdmin(admin.ModelAdmin[Proposal]):
    """What sources outside suggest (`manage.py sync_catalog`); nothing changes before it is accepted here."""

    list_display = ("offering", "text", "is_large", "link", "status", "proposed_at", "decided_at")
    list_filter = ("status", "is_large", "offering__provider")
    list_select_related = ("offering__image_model",)
    actions = ("accept", "reject")

    @admin.display(description="source", ordering="source")
    def link(self, proposal: Proposal) -> str:
        return format_html('<a href="{}" rel="noreferrer">{}</a>', proposal.source, urlsplit(proposal.source).hostname)

    @admin.action(description="Accept: change the offering", permissions=["change"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> None:
        accepted = 0
        for proposal in queryset.filter(status=Proposal.Status.OPEN).order_by("proposed_at"):
            try:
                sync.accept(proposal)
            except ValidationError as error:
                messages.error(request, f"{proposal}: {'; '.join(error.messages)}")
            else:
                accepted += 1
        messages.success(request, f"{accepted} proposals accepted.")

    @admin.action(description="Reject: leave the offering as it is", permissions=["change"])
    def reject(self, request: HttpRequest, queryset: QuerySet[Proposal]) -> None:
        proposals = list(queryset.filter(status=Proposal.Status.OPEN))
        for proposal in proposals:
            sync.reject(proposal)
        messages.success(request, f"{len(proposals)} proposals rejected.")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        return [field.name for field in Proposal._meta.fields]  # decided by the actions alone

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
