"""Webhooks: where they go, for which events, what was answered, and a test."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminURLFieldWidget
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from leaderboard.models.webhooks import Delivery, Event, Webhook
from leaderboard.news import deliveries


class WebhookForm(forms.ModelForm[Webhook]):
    url = forms.URLField(label="URL", max_length=300, assume_scheme="https", widget=AdminURLFieldWidget)
    events = forms.MultipleChoiceField(choices=Event.choices, widget=forms.CheckboxSelectMultiple)

    class Meta:
        model = Webhook
        fields = ("name", "url", "events", "is_active")


class DeliveryInline(admin.TabularInline[Delivery, Webhook]):
    """The latest ones, to be looked at."""

    model = Delivery
    fields = ("created_at", "event", "status", "attempts", "answer", "due_at")
    readonly_fields = fields
    max_num = 0
    can_delete = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[Delivery]:
        latest = Delivery.objects.order_by("-pk").values("pk")[:500]
        rows: QuerySet[Delivery] = super().get_queryset(request).filter(pk__in=latest)
        return rows

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Webhook)
class WebhookAdmin(admin.ModelAdmin[Webhook]):
    form = WebhookForm
    list_display = ("name", "url", "events", "is_active", "created_at")
    inlines = (DeliveryInline,)
    actions = ("send_test",)
    change_form_template = "admin/leaderboard/webhook/change_form.html"

    @admin.action(description="Send a test event", permissions=["change"])
    def send_test(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset[:10]:
            self._test(request, webhook)

    def _test(self, request: HttpRequest, webhook: Webhook) -> None:
        delivery = deliveries.test(webhook)
        level = messages.SUCCESS if delivery.status == Delivery.Status.DELIVERED else messages.ERROR
        self.message_user(request, f"{webhook.name}: {delivery.answer}", level)

    def response_add(self, request: HttpRequest, obj: Webhook, post_url_continue: Any = None) -> HttpResponse:
        """To its own page, which alone has the secret."""
        if "_test" in request.POST:
            self._test(request, obj)
        if "_addanother" in request.POST:
            return super().response_add(request, obj, post_url_continue)
        return redirect("admin:leaderboard_webhook_change", obj.pk)

    def response_change(self, request: HttpRequest, obj: Webhook) -> HttpResponse:
        if "_test" not in request.POST:
            return super().response_change(request, obj)
        self._test(request, obj)
        return redirect("admin:leaderboard_webhook_change", obj.pk)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """A webhook that is not saved has no secret yet: the next form would have another one."""
        return () if obj is None else ("secret", "created_at")

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.inlines if obj is not None else ()
