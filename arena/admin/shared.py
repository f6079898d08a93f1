"""What is common to the admin pages: read-only tables of facts, and actions that leave a trace."""

from __future__ import annotations

from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model, QuerySet
from django.http import HttpRequest

LOGGED = 10_000  # objects of one action whose history says so


class ReadOnly:
    """Facts: to be looked at, never edited by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def reason_of(request: HttpRequest, limit: int = 150) -> str:
    """What a curator wrote beside an action, without characters that no column holds."""
    return request.POST.get("reason", "").replace("\0", "").strip()[:limit]


def number_of(text: str) -> int | None:
    """The id that a form names; None for anything else."""
    return int(text) if text.isdecimal() and len(text) <= 18 else None


def log_action(request: HttpRequest, queryset: QuerySet[Any], message: str) -> None:
    """Write an action into the history of its objects: who did what. Before the change that may empty the queryset."""
    LogEntry.objects.log_actions(int(request.user.pk or 0), queryset.order_by()[:LOGGED], CHANGE, message)
