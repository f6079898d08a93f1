"""Who changed what: the history page of a curated object, and rows for changes that no `save()` makes.

Which objects have a history stands in `arena.models.history`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import URLPattern
from simple_history.admin import SimpleHistoryAdmin
from simple_history.models import HistoricalRecords

LOGGED = 10_000  # objects of one action whose history says so
_BATCH = 500


@contextmanager
def by(request: HttpRequest) -> Iterator[None]:
    """What is saved meanwhile is written into the history in the name of the request's user."""
    HistoricalRecords.context.request = request
    try:
        yield
    finally:
        del HistoricalRecords.context.request


def attributed(admin_view: Callable[..., Any]) -> Callable[..., Any]:
    """`AdminSite.admin_view`, whose views write history rows in the name of the user who is signed in."""

    @functools.wraps(admin_view)
    def wrap(view: Callable[..., Any], cacheable: bool = False) -> Callable[..., HttpResponseBase]:
        inner = admin_view(view, cacheable)

        @functools.wraps(inner)
        def with_user(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            with by(request):
                response: HttpResponseBase = inner(request, *args, **kwargs)
                return response

        return with_user

    return wrap


class HistoryAdmin(SimpleHistoryAdmin):  # type: ignore[misc]  # the library has no types
    """An admin page whose history shows every change, with its reason. Old states are to be read, not restored: what
    voters relied on is frozen, and an old price is not the price."""

    object_history_list_template = "admin/history_list.html"

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        return [url for url in urls if not (url.name or "").endswith("_simple_history")]

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        """A message in words is of an action that saved nothing itself; a list is of a form, which did."""
        if isinstance(message, str):
            obj.refresh_from_db()
            record(request, [obj], message)
        return super().log_change(request, obj, message)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        for row in queryset:
            self.delete_model(request, row)


def record(request: HttpRequest, rows: Iterable[Model], reason: str, *, added: bool = False) -> None:
    """Write what was done into the history of its objects, as they are now: after the change. Of a model without a
    history, into the log of the admin. Rows of several models do not mix."""
    rows = list(rows)
    if not rows:
        return
    history = getattr(type(rows[0]), "history", None)
    if history is None:
        pks = [row.pk for row in rows[:LOGGED]]
        queryset = type(rows[0])._default_manager.filter(pk__in=pks).order_by()
        LogEntry.objects.log_actions(int(request.user.pk or 0), queryset, CHANGE, reason)
        return
    history.bulk_history_create(
        rows, batch_size=_BATCH, update=not added, default_user=request.user, default_change_reason=reason
    )


def update(request: HttpRequest, queryset: QuerySet[Any], reason: str, **columns: Any) -> int:
    """Change the rows in one statement, and write it into their histories; returns how many changed."""
    pks = list(queryset.order_by().values_list("pk", flat=True))
    rows = queryset.model._default_manager.filter(pk__in=pks)
    count: int = rows.update(**columns)
    record(request, rows, reason)
    return count
