"""Battles, votes and imported files: facts to look at."""

from __future__ import annotations

from django.contrib import admin

from arena.models import (
    Battle,
    Vote,
    VoteFile,
)

from .shared import ReadOnly


@admin.register(Battle)
class BattleAdmin(ReadOnly, admin.ModelAdmin[Battle]):
    list_display = ("id", "voter", "prompt", "served_at", "skipped_at")
    list_select_related = ("voter", "prompt")
    show_full_result_count = False


@admin.register(Vote)
class VoteAdmin(ReadOnly, admin.ModelAdmin[Vote]):
    list_display = ("cast_at", "category", "left_model", "outcome", "right_model", "voter", "excluded_reason")
    list_filter = ("category", "outcome")
    list_select_related = ("category", "left_model", "right_model", "voter")
    show_full_result_count = False


@admin.register(VoteFile)
class VoteFileAdmin(ReadOnly, admin.ModelAdmin[VoteFile]):
    list_display = ("source", "category", "rows", "imported_at")
