"""Calls, the gateway's requests, its keys and the names they give to models, for operators."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from providers.models import ApiKey, Call, GatewayRequest, ModelAlias
from providers.web import history


@admin.register(Call)
class CallAdmin(admin.ModelAdmin[Call]):
    """The one page that shows `Call.detail`, to staff with the right to view calls."""

    list_display = ("started_at", "offering", "caller", "outcome", "duration", "cost", "cost_estimated", "error")
    list_filter = ("outcome", "caller", "offering__provider")
    list_select_related = ("offering__image_model",)
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(GatewayRequest)
class GatewayRequestAdmin(admin.ModelAdmin[GatewayRequest]):
    list_display = ("asked_at", "api_key", "model", "mode", "n", "provider", "status", "duration", "cost", "error_code")
    list_filter = ("status", "mode", "provider", "api_key")
    list_select_related = ("api_key",)
    exclude = ("answer", "files")
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(ApiKey)
class ApiKeyAdmin(history.HistoryAdmin, admin.ModelAdmin[ApiKey]):
    list_display = ("name", "prefix", "monthly_budget", "created_at", "last_used_at", "expires_at", "revoked_at")
    fields = (
        "name", "daily_budget", "monthly_budget", "total_budget", "requests_per_minute", "expires_at",
        "allowed_models", "default_model", "response_format",
    )  # fmt: skip
    actions = ("revoke",)

    def save_model(self, request: HttpRequest, obj: ApiKey, form: ModelForm[ApiKey], change: bool) -> None:
        if change:
            obj.save(update_fields=self.fields)
            return
        key, secret = ApiKey.make(**{name: getattr(obj, name) for name in self.fields})
        obj.pk = key.pk
        messages.warning(request, f"The key is {secret} – copy it now, it is not stored and cannot be shown again.")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.action(description="Revoke", permissions=["change"])
    def revoke(self, request: HttpRequest, queryset: QuerySet[ApiKey]) -> None:
        valid = queryset.filter(revoked_at=None)
        count = history.update(request, valid, "Revoked.", revoked_at=timezone.now())
        messages.success(request, f"{count} keys revoked.")


@admin.register(ModelAlias)
class ModelAliasAdmin(history.HistoryAdmin, admin.ModelAdmin[ModelAlias]):
    list_display = ("alias", "image_model", "provider", "api_key")
    list_select_related = ("image_model", "api_key")
    list_filter = ("api_key",)
    search_fields = ("alias", "image_model__slug")
    autocomplete_fields = ("image_model",)
