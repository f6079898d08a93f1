"""What the models answered: progress, retiring what is broken, what voters reported."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from arena import generation, reports
from arena.models import (
    Entry,
    Generation,
    Report,
)

from .files import stored_file
from .shared import ReadOnly


@admin.register(Generation)
class GenerationAdmin(ReadOnly, admin.ModelAdmin[Generation]):
    list_display = ("image_model", "prompt", "status", "attempt", "outcome", "error", "due_at", "finished_at")
    list_filter = ("status", "outcome", "prompt__competition", "image_model")
    list_select_related = ("image_model", "prompt")
    actions = ("ask_again",)

    @admin.action(description="Ask again (failed ones)", permissions=["view"])
    def ask_again(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        if not request.user.has_perm("arena.change_generation"):
            raise PermissionDenied
        messages.success(request, f"{generation.retry_failed(queryset)} generations are queued again.")


@admin.register(Entry)
class EntryAdmin(ReadOnly, admin.ModelAdmin[Entry]):
    list_display = ("thumbnail_image", "image_model", "prompt", "created_at", "retired_at", "retired_reason")
    list_filter = ("prompt__competition", "image_model")
    list_select_related = ("image_model", "prompt")
    actions = ("retire", "bring_back")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(stored_file)
        return [path("files/<slug:folder>/<str:name>", view, name="arena_stored_file"), *super().get_urls()]

    @admin.display(description="image")
    def thumbnail_image(self, entry: Entry) -> SafeString:
        return format_html('<img src="{}" alt="" height="80">', entry.thumbnail.url)

    @admin.action(description="Retire: no more battles with these images", permissions=["view"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Entry]) -> None:
        self._require(request)
        retired = queryset.filter(retired_at=None).update(retired_at=timezone.now(), retired_reason="by a curator")
        messages.success(request, f"{retired} entries retired. Their votes still count.")

    @admin.action(description="Bring back", permissions=["view"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Entry]) -> None:
        self._require(request)
        messages.success(
            request, f"{queryset.update(retired_at=None, retired_reason='', hidden_at=None)} entries are back."
        )

    @staticmethod
    def _require(request: HttpRequest) -> None:
        if not request.user.has_perm("arena.change_entry"):
            raise PermissionDenied


class OpenReports(admin.SimpleListFilter):
    """Open ones first: they are the curator's queue."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("all", "All"), ("accepted", "Accepted"), ("dismissed", "Dismissed")]

    def choices(self, changelist: Any) -> Any:
        for value, label in [(None, "Waiting"), *self.lookup_choices]:
            query = changelist.get_query_string({self.parameter_name: value} if value else {}, [self.parameter_name])
            yield {"selected": self.value() == value, "query_string": query, "display": label}

    def queryset(self, request: HttpRequest, queryset: QuerySet[Report]) -> QuerySet[Report]:
        if self.value() == "all":
            return queryset
        return queryset.filter(resolution=self.value() or "")


@admin.register(Report)
class ReportAdmin(ReadOnly, admin.ModelAdmin[Report]):
    """What voters reported, to be accepted or dismissed; either settles all reports on that image."""

    list_display = ("image", "reason", "on_image", "hidden", "made_by", "prompt", "created_at", "resolution")
    list_filter = (OpenReports, "reason")
    list_select_related = ("entry__image_model", "entry__prompt")
    ordering = ("-created_at",)
    actions = ("accept", "dismiss")

    @admin.display(description="image")
    def image(self, report: Report) -> SafeString:
        return format_html('<img src="{}" alt="" height="80">', report.entry.thumbnail.url)

    @admin.display(description="reports on it")
    def on_image(self, report: Report) -> int:
        return report.entry.reports.count()

    @admin.display(description="hidden", boolean=True)
    def hidden(self, report: Report) -> bool:
        return report.entry.hidden_at is not None

    @admin.display(description="model")
    def made_by(self, report: Report) -> str:
        return report.entry.image_model.name

    @admin.display(description="prompt")
    def prompt(self, report: Report) -> str:
        return str(report.entry.prompt)

    @admin.action(description="Accept: retire the image", permissions=["view"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        EntryAdmin._require(request)
        retired, excluded = reports.accept(queryset)
        messages.success(request, f"{retired} images retired; {excluded} votes that were not blind no longer count.")

    @admin.action(description="Dismiss: show the image again", permissions=["view"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        EntryAdmin._require(request)
        messages.success(request, f"Reports on {reports.dismiss(queryset)} images dismissed.")
