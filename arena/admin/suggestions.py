"""Prompts that visitors would like to see voted on."""

from __future__ import annotations

from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from arena import suggestions
from arena.admin import queue
from arena.admin.shared import number_of, reason_of
from arena.models import (
    Competition,
    Suggestion,
)
from providers.web import history


class Decision(ActionForm):
    competition = forms.ModelChoiceField(Competition.objects.all(), required=False, empty_label="into competition …")
    reason = forms.CharField(required=False, max_length=200, help_text="needed to decline; its visitor sees it")


class OpenSuggestions(admin.SimpleListFilter):
    """Open ones first: they are the curator's queue."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "All"), ("accepted", "Accepted"), ("declined", "Declined")]

    def choices(self, changelist: Any) -> Any:
        for value, label in [(None, "Waiting"), *self.lookup_choices]:
            query = changelist.get_query_string({self.parameter_name: value} if value else {}, [self.parameter_name])
            yield {"selected": self.value() == value, "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Suggestion]) -> QuerySet[Suggestion]:
        if self.value() == "all":
            return queryset
        if self.value() == "accepted":
            return queryset.exclude(prompt=None)
        if self.value() == "declined":
            return queryset.filter(prompt=None).exclude(decided_at=None)
        return queryset.filter(decided_at=None)


@admin.register(Suggestion)
class SuggestionAdmin(history.HistoryAdmin, admin.ModelAdmin[Suggestion]):
    """What visitors of the playground would like to see voted on."""

    list_display = ("text", "image", "mode", "like_it", "suggested_at", "decided_at", "prompt", "decline_reason")
    list_filter = (OpenSuggestions, "mode")
    list_select_related = ("prompt",)
    list_per_page = 50
    search_fields = ("text",)
    readonly_fields = ("mode", "source_image", "suggested_at", "decided_at", "prompt", "decline_reason")
    action_form = Decision
    actions = ("accept", "decline")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(partial(queue.page, self))
        return [path("queue/", view, name="arena_queue"), *super().get_urls()]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.display(description="image to edit")
    def image(self, suggestion: Suggestion) -> SafeString | str:
        if not suggestion.source_image:
            return "–"
        return format_html('<img src="{}" alt="" height="80">', suggestion.source_image.url)

    @admin.display(description="there is already")
    def like_it(self, suggestion: Suggestion) -> str:
        return "; ".join(f"“{twin}” in {twin.competition}" for twin in suggestions.alike(suggestion, 1))

    @admin.action(description="Accept into a competition", permissions=["change"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Suggestion]) -> None:
        number = number_of(request.POST.get("competition", ""))
        competition = None if number is None else Competition.objects.filter(pk=number).first()
        if competition is None:
            messages.error(request, "Choose the competition beside the action first.")
            return
        for suggestion in queryset:
            try:
                suggestions.accept(suggestion, competition)
            except suggestions.NotAccepted as error:
                messages.error(request, str(error))
            else:
                self.log_change(request, suggestion, f"Accepted into {competition}.")
                messages.success(request, f"“{suggestion}” is a prompt of {competition} now.")

    @admin.action(description="Decline", permissions=["change"])
    def decline(self, request: HttpRequest, queryset: QuerySet[Suggestion]) -> None:
        reason = reason_of(request, 200)
        if not reason:
            messages.error(request, "Nothing was changed: say beside the action why; the visitor sees it.")
            return
        waiting = queryset.filter(decided_at=None)
        count = history.update(
            request, waiting, f"Declined: {reason}", decided_at=timezone.now(), decline_reason=reason
        )
        messages.success(request, f"{count} suggestions declined.")
