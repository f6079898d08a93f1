"""Webhooks: where they go, for which events, what was answered, and a test."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from leaderboard.models.webhooks import Delivery, Event, Webhook
from leaderboard.news import deliveries


class WebhookForm(forms.ModelForm[Webhook]):
    url = forms.URLField(max_length=300, assume_scheme="https")
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
    readonly_fields = ("secret", "created_at")
    inlines = (DeliveryInline,)
    actions = ("send_test",)

    @admin.action(description="Send a test event", permissions=["change"])
    def send_test(self, request: HttpRequest, queryset: QuerySet[Webhook]) -> None:
        for webhook in queryset[:10]:
            delivery = deliveries.test(webhook)
            level = messages.SUCCESS if delivery.status == Delivery.Status.DELIVERED else messages.ERROR
            self.message_user(request, f"{webhook.name}: {delivery.answer}", level)

    def get_inlines(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.inlines if obj is not None else ()
