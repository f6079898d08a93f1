"""Calls, the gateway's requests with what waits for them, its keys and the names they give to models, for operators."""

from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils import timezone

from providers.admin.read_only import ReadOnly
from providers.gateway import jobs
from providers.models import ApiKey, Call, GatewayRequest, JobWebhook, ModelAlias, QueuedRequest
from providers.web import history


@admin.register(Call)
class CallAdmin(ReadOnly, admin.ModelAdmin[Call]):
    """The one page that shows `Call.detail`, to staff with the right to view calls."""

    list_display = ("started_at", "offering", "caller", "outcome", "duration", "cost", "possibly_charged", "error")
    list_filter = ("outcome", "possibly_charged", "caller", "offering__provider")
    list_select_related = ("offering__image_model",)
    show_full_result_count = False


@admin.register(GatewayRequest)
class GatewayRequestAdmin(ReadOnly, admin.ModelAdmin[GatewayRequest]):
    list_display = ("asked_at", "api_key", "model", "mode", "n", "provider", "status", "duration", "cost", "error_code")
    list_filter = ("status", "mode", "provider", "api_key")
    list_select_related = ("api_key",)
    exclude = ("answer", "files")
    show_full_result_count = False


@admin.register(QueuedRequest)
class QueuedRequestAdmin(ReadOnly, admin.ModelAdmin[QueuedRequest]):
    """Asynchronous requests that have not ended. What was requested is the client's: its prompt and images are not
    shown."""

    list_display = ("asked_at", "api_key", "image_model", "provider", "state", "sent_at", "sent_again_at", "started_at")
    list_filter = ("provider", "request__api_key")
    list_select_related = ("request__api_key", "image_model")
    ordering = ("pk",)
    fields = ("request", "image_model", "provider", "state", "sent_at", "sent_again_at", "started_at")
    readonly_fields = ("state", "sent_again_at")

    @admin.display(ordering="request__asked_at")
    def asked_at(self, queued: QueuedRequest) -> datetime:
        return queued.request.asked_at

    @admin.display(ordering="request__api_key")
    def api_key(self, queued: QueuedRequest) -> ApiKey:
        return queued.request.api_key

    @admin.display
    def state(self, queued: QueuedRequest) -> str:
        if queued.cancel:
            return "to be cancelled"
        if queued.started_at is not None:
            return "running"
        return "queued" if queued.sent_at is None else "sent to a worker"

    @admin.display(description="sent again at")
    def sent_again_at(self, queued: QueuedRequest) -> datetime | None:
        """A task message that no worker takes counts as lost then."""
        if queued.sent_at is None or queued.started_at is not None:
            return None
        return queued.sent_at + timedelta(seconds=jobs.RESEND_AFTER)


@admin.register(JobWebhook)
class JobWebhookAdmin(ReadOnly, admin.ModelAdmin[JobWebhook]):
    """Where the end of asynchronous requests is sent, and what was answered. Of a URL the host alone is shown: the rest
    may be the receiver's secret."""

    list_display = ("request", "api_key", "host", "status", "attempts", "answer", "next_attempt_at", "ended_at")
    list_filter = ("status", "request__api_key")
    list_select_related = ("request__api_key",)
    ordering = ("-pk",)
    fields = ("request", "host", "status", "attempts", "answer", "next_attempt_at", "ended_at")
    readonly_fields = ("host", "next_attempt_at")

    @admin.display(ordering="request__api_key")
    def api_key(self, webhook: JobWebhook) -> ApiKey:
        return webhook.request.api_key

    @admin.display
    def host(self, webhook: JobWebhook) -> str:
        return urlsplit(webhook.url).hostname or ""

    @admin.display(description="next attempt at", ordering="due_at")
    def next_attempt_at(self, webhook: JobWebhook) -> datetime | None:
        """None before the request has ended, and after the last attempt."""
        is_due = webhook.status == JobWebhook.Status.WAITING and webhook.request.status != GatewayRequest.Status.RUNNING
        return webhook.due_at if is_due else None


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

    def has_delete_permission(self, request: HttpRequest, obj: ApiKey | None = None) -> bool:
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
