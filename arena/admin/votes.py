"""Battles, votes and imported files: facts to look at, and which votes count."""

from __future__ import annotations

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.db.models import QuerySet
from django.http import HttpRequest

from arena import integrity
from arena.models import Battle, Vote, VoteFile

from .shared import ReadOnly


@admin.register(Battle)
class BattleAdmin(ReadOnly, admin.ModelAdmin[Battle]):
    list_display = ("id", "voter", "prompt", "served_at", "skipped_at")
    list_select_related = ("voter", "prompt")
    show_full_result_count = False


class BecauseOf(ActionForm):
    reason = forms.CharField(required=False, max_length=150, help_text="needed to stop counting")


@admin.register(Vote)
class VoteAdmin(ReadOnly, admin.ModelAdmin[Vote]):
    """Votes are facts. What a curator may do is to stop counting some, for a reason, and to count them again."""

    RULE = "curator-1"

    list_display = ("cast_at", "category", "left_model", "outcome", "right_model", "voter", "excluded_reason")
    list_filter = ("category", "outcome", ("excluded_reason", admin.EmptyFieldListFilter), "excluded_rule")
    list_select_related = ("category", "left_model", "right_model", "voter")
    search_fields = ("=voter__id", "=battle__id")
    search_help_text = "The number of a voter, or the id of a battle."
    show_full_result_count = False
    action_form = BecauseOf
    actions = ("stop_counting", "count_again")

    def has_exclude_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.change_vote")

    @admin.action(description="Stop counting", permissions=["exclude"])
    def stop_counting(self, request: HttpRequest, queryset: QuerySet[Vote]) -> None:
        reason = request.POST.get("reason", "").strip()[:150]
        if not reason:
            messages.error(request, "Nothing was changed: say beside the action why these votes shall not count.")
            return
        name = request.user.get_username()[:40]
        count = integrity.exclude(queryset.values_list("pk", flat=True), f"{reason} ({name})", self.RULE)
        messages.success(request, f"{count} votes do not count any more. The boards follow within seconds.")

    @admin.action(description="Count again (what a curator stopped)", permissions=["exclude"])
    def count_again(self, request: HttpRequest, queryset: QuerySet[Vote]) -> None:
        count = integrity.include(queryset.values_list("pk", flat=True), self.RULE)
        left = queryset.exclude(excluded_reason="").count()
        others = f" {left} stay excluded: a rule did that, no curator." if left else ""
        messages.success(request, f"{count} votes count again.{others}")


@admin.register(VoteFile)
class VoteFileAdmin(ReadOnly, admin.ModelAdmin[VoteFile]):
    list_display = ("source", "category", "rows", "imported_at")
