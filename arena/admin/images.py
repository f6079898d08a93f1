"""What the models answered: progress, retiring what is broken, what voters reported."""

from __future__ import annotations

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from arena import generation, reports
from arena.models import (
    Entry,
    Generation,
    Prompt,
    Report,
)
from providers.admin.read_only import ReadOnly
from providers.web import history

from .files import stored_file
from .shared import confirmation


@admin.register(Generation)
class GenerationAdmin(ReadOnly, admin.ModelAdmin[Generation]):
    list_display = ("image_model", "prompt", "status", "links", "attempt", "outcome", "error", "due_at", "finished_at")
    list_filter = ("status", "outcome", "prompt__competition", "image_model")
    list_select_related = ("image_model", "prompt", "entry", "entry__call")
    list_per_page = 50
    search_fields = ("prompt__text", "image_model__name", "error")
    actions = ("ask_again",)

    @admin.display(description="image, call")
    def links(self, row: Generation) -> SafeString | str:
        entry = getattr(row, "entry", None)
        if entry is None:
            return "–"
        image = format_html(
            '<a href="{}"><img src="{}" alt="image" height="40"></a>',
            reverse("admin:arena_entry_change", args=[entry.pk]),
            entry.thumbnail.url,
        )
        if entry.call_id is None:
            return image
        return format_html(
            '{} <a href="{}">call</a>', image, reverse("admin:providers_call_change", args=[entry.call_id])
        )

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.change_generation")

    @admin.action(description="Ask again (failed ones)", permissions=["retry"])
    def ask_again(self, request: HttpRequest, queryset: QuerySet[Generation]) -> None:
        failed = list(queryset.filter(status=Generation.Status.FAILED))
        messages.success(request, f"{generation.retry_failed(queryset)} generations are queued again.")
        history.record(request, failed, "Asked again.")


@admin.register(Entry)
class EntryAdmin(ReadOnly, admin.ModelAdmin[Entry]):
    list_display = (
        "thumbnail_image",
        "image_model",
        "sheet",
        "created_at",
        "imported_by",
        "retired_at",
        "retired_reason",
    )
    list_filter = ("prompt__competition", ("retired_at", admin.EmptyFieldListFilter), "image_model")
    search_fields = ("prompt__text", "image_model__name")
    list_per_page = 50
    list_select_related = ("image_model", "prompt")
    actions = ("retire", "bring_back")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(stored_file)
        return [
            path("files/<slug:folder>/<str:name>", view, name="arena_stored_file"),
            path("sheet/<int:pk>/", self.admin_site.admin_view(self.contact_sheet), name="arena_entry_sheet"),
            *super().get_urls(),
        ]

    @admin.display(description="prompt (all its images)")
    def sheet(self, entry: Entry) -> SafeString:
        url = reverse("admin:arena_entry_sheet", args=[entry.prompt_id])
        return format_html('<a href="{}">{}</a>', url, entry.prompt)

    def contact_sheet(self, request: HttpRequest, pk: int) -> HttpResponse:
        """All images of a prompt side by side, whatever their state."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        prompt = get_object_or_404(Prompt.everything.select_related("competition"), pk=pk)
        context = {
            **self.admin_site.each_context(request),
            "title": "All images of a prompt",
            "opts": self.model._meta,
            "prompt": prompt,
            "entries": prompt.entries.select_related("image_model").order_by("image_model__name"),
        }
        return render(request, "admin/arena/entry/sheet.html", context)

    @admin.display(description="image")
    def thumbnail_image(self, entry: Entry) -> SafeString:
        return format_html('<img src="{}" alt="" height="80">', entry.thumbnail.url)

    def has_retire_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.change_entry")

    @admin.action(description="Retire: no more battles with these images", permissions=["retire"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Entry]) -> HttpResponse | None:
        current = queryset.filter(retired_at=None)
        text = f"{current.count()} images would be in no more battles. Their votes still count. “Bring back” undoes it."
        if page := confirmation(self, request, current, action="retire", title="Retire the images", text=text):
            return page
        retired = history.update(
            request,
            current,
            "Retired.",
            retired_at=timezone.now(),
            retired_reason=f"by a curator ({request.user.get_username()[:40]})",
        )
        messages.success(request, f"{retired} entries retired. Their votes still count.")
        return None

    @admin.action(description="Bring back", permissions=["retire"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Entry]) -> None:
        away = queryset.exclude(retired_at=None, hidden_at=None)
        back = history.update(request, away, "Brought back.", retired_at=None, retired_reason="", hidden_at=None)
        messages.success(request, f"{back} entries are back.")


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
    def prompt(self, report: Report) -> SafeString:
        url = reverse("admin:arena_entry_sheet", args=[report.entry.prompt_id])
        return format_html('<a href="{}">{}</a>', url, report.entry.prompt.text)

    def has_decide_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.change_entry")

    @admin.action(description="Accept: retire the image", permissions=["decide"])
    def accept(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        undecided = list(queryset.filter(resolved_at=None))
        retired, excluded = reports.accept(queryset)
        history.record(request, undecided, "Accepted.")
        messages.success(request, f"{retired} images retired; {excluded} votes that were not blind no longer count.")

    @admin.action(description="Dismiss: show the image again", permissions=["decide"])
    def dismiss(self, request: HttpRequest, queryset: QuerySet[Report]) -> None:
        undecided = list(queryset.filter(resolved_at=None))
        messages.success(request, f"Reports on {reports.dismiss(queryset)} images dismissed.")
        history.record(request, undecided, "Dismissed.")
