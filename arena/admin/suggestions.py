"""Prompts that visitors would like to see voted on."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from arena import suggestions
from arena.models import (
    Competition,
    Suggestion,
)


class TakeInto(ActionForm):
    competition = forms.ModelChoiceField(Competition.objects.all(), required=False, empty_label="into competition …")


@admin.register(Suggestion)
class SuggestionAdmin(admin.ModelAdmin[Suggestion]):
    """What visitors of the playground would like to see voted on."""

    list_display = ("text", "mode", "suggested_at", "decided_at", "prompt")
    list_filter = ("mode", ("decided_at", admin.EmptyFieldListFilter))
    list_select_related = ("prompt",)
    search_fields = ("text",)
    readonly_fields = ("mode", "source_image", "suggested_at", "decided_at", "prompt")
    action_form = TakeInto
    actions = ("take", "leave")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Take into a competition", permissions=["change"])
    def take(self, request: HttpRequest, queryset: QuerySet[Suggestion]) -> None:
        competition = Competition.objects.filter(pk=request.POST.get("competition") or 0).first()
        if competition is None:
            messages.error(request, "Choose the competition beside the action first.")
            return
        for suggestion in queryset:
            try:
                suggestions.take(suggestion, competition)
            except suggestions.NotTaken as error:
                messages.error(request, str(error))
            else:
                messages.success(request, f"“{suggestion}” is a prompt of {competition} now.")

    @admin.action(description="Leave", permissions=["change"])
    def leave(self, request: HttpRequest, queryset: QuerySet[Suggestion]) -> None:
        count = queryset.filter(decided_at=None).update(decided_at=timezone.now())
        messages.success(request, f"{count} suggestions left.")
