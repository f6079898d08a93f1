"""What is common to the admin pages: actions that leave a trace."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import ModelAdmin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

MANY = 20  # objects: to take more at once out of the arena is confirmed


def reason_of(request: HttpRequest, limit: int = 150) -> str:
    """What a curator wrote beside an action, without characters that no column holds."""
    return request.POST.get("reason", "").replace("\0", "").strip()[:limit]


def number_of(text: str) -> int | None:
    """The id that a form names; None for anything else."""
    return int(text) if text.isdecimal() and len(text) <= 18 else None


def confirmation(
    model_admin: ModelAdmin[Any],
    request: HttpRequest,
    queryset: QuerySet[Any],
    *,
    action: str,
    title: str,
    text: str,
    reason: str = "",
) -> HttpResponse | None:
    """The page that asks before an action takes more than MANY objects out of the arena; None when it need not ask, or
    was answered. `title` is what the button says, `text` what follows from it."""
    if "confirmed" in request.POST or queryset.count() <= MANY:
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"{title}?",
        "opts": model_admin.model._meta,
        "action": action,
        "button": title,
        "text": text,
        "reason": reason,
        "selected": request.POST.getlist("_selected_action"),
        "select_across": request.POST.get("select_across", "0"),
        "query": request.GET.urlencode(),
    }
    return render(request, "admin/confirm.html", context)
