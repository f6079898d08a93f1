"""Prompts: one by one, in bulk with a dry run, and out again."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.db.models import Max, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode
from django.utils.safestring import SafeString

from arena import images
from arena.admin import staged_uploads
from arena.admin.shared import confirmation, number_of
from arena.imports import tabular
from arena.imports.prompts import files, load
from arena.models import Competition, Prompt
from providers.web import history

PURPOSE = "prompts of competition {}"
MAX_UPLOAD = 1024 * 1024 * 1024  # bytes
SHOWN = 200  # rows of each verdict in a dry run


class TagsField(forms.CharField):
    """Tags with commas between them, in any case, a comma too many."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list | tuple) else value

    def clean(self, value: Any) -> Any:
        tags = list(files.normalised_tags((super().clean(value) or "").split(",")))
        if long := [tag for tag in tags if len(tag) > 40]:
            raise ValidationError(f"The tag “{long[0][:40]}…” has more than 40 characters.")
        return tags

    def has_changed(self, initial: Any, data: Any) -> bool:
        return list(files.normalised_tags((data or "").split(","))) != list(initial or [])


class PromptForm(forms.ModelForm[Prompt]):
    """Source images are decoded and encoded again here, so that nothing hostile or telling is ever stored."""

    tags = TagsField(required=False, help_text="With commas between them.")

    class Meta:
        model = Prompt
        fields = ("text", "source_image", "source_credit", "tags", "position", "retired_at")
        widgets = {"text": forms.Textarea(attrs={"rows": 3, "cols": 80})}

    def clean_source_image(self) -> Any:
        upload = self.cleaned_data.get("source_image")
        if not upload or "source_image" not in self.changed_data:
            return upload
        try:
            return ContentFile(images.clean_source(upload.read()), name=f"{secrets.token_hex(16)}.jpg")
        except images.BadImage as error:
            raise ValidationError(str(error)) from error


class BulkForm(forms.Form):
    """Pasted text or a file, not both."""

    text = forms.CharField(
        required=False,
        label="Paste",
        widget=forms.Textarea(attrs={"rows": 12, "cols": 100}),
        strip=False,
    )
    blocks = forms.BooleanField(required=False, label="A prompt is a block of lines, with a blank line after it")
    file = forms.FileField(
        required=False,
        help_text="CSV, JSON lines, a JSON array, or a ZIP of one of these and source images. "
        f"Columns: {', '.join(files.COLUMNS)}.",
    )

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if bool(data.get("text", "").strip()) == bool(data.get("file")):
            raise ValidationError("Paste the prompts or choose a file.")
        if data.get("file") and data["file"].size > MAX_UPLOAD:
            raise ValidationError(f"The file has more than {MAX_UPLOAD >> 20} MB.")
        return data


@admin.register(Prompt)
class PromptAdmin(history.HistoryAdmin, admin.ModelAdmin[Prompt]):
    form = PromptForm
    list_display = ("__str__", "competition", "position", "tags", "images", "retired_at")
    list_editable = ("position",)
    list_filter = ("competition__category", "competition", ("retired_at", admin.EmptyFieldListFilter))
    list_select_related = ("competition",)
    list_per_page = 100
    ordering = ("competition", "position", "pk")
    search_fields = ("text",)
    actions = ("retire", "bring_back")

    @admin.display(description="images")
    def images(self, prompt: Prompt) -> SafeString:
        return format_html('<a href="{}">side by side</a>', reverse("admin:arena_entry_sheet", args=[prompt.pk]))

    def get_fields(self, request: HttpRequest, obj: Prompt | None = None) -> Any:
        return ("competition", *PromptForm.Meta.fields)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """The next position of the competition that the link names."""
        initial: dict[str, Any] = super().get_changeform_initial_data(request)
        if (competition := number_of(str(initial.get("competition", "")))) is not None:
            last = Prompt.everything.filter(competition=competition).aggregate(last=Max("position"))["last"] or 0
            initial["position"] = min(last + 1, load.MAX_POSITION)
        return initial

    def response_add(self, request: HttpRequest, obj: Prompt, post_url_continue: str | None = None) -> HttpResponse:
        response = super().response_add(request, obj, post_url_continue)
        if "_addanother" in request.POST and isinstance(response, HttpResponseRedirect):
            return redirect(f"{request.path}?{urlencode({'competition': obj.competition_id})}")
        return response

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # prompts are retired: what was asked once stays on the record

    @admin.action(description="Retire: no more battles with these prompts", permissions=["change"])
    def retire(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> HttpResponse | None:
        current = queryset.filter(retired_at=None)
        text = (
            f"{current.count()} prompts and their images would be in no more battles, and what is queued for them is "
            "cancelled. Votes still count. “Bring back” undoes it."
        )
        if page := confirmation(self, request, current, action="retire", title="Retire the prompts", text=text):
            return page
        count = history.update(request, current, "Retired.", retired_at=timezone.now())
        messages.success(request, f"{count} prompts retired.")
        return None

    @admin.action(description="Bring back", permissions=["change"])
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> None:
        back = history.update(request, queryset.exclude(retired_at=None), "Brought back.", retired_at=None)
        messages.success(request, f"{back} prompts are back.")

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path("bulk/<int:pk>/", wrap(self.bulk), name="arena_prompt_bulk"),
            path("export/<int:pk>/", wrap(self.export), name="arena_prompt_export"),
            *super().get_urls(),
        ]

    def bulk(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Add many prompts: upload, see what would become of each, confirm."""
        competition = get_object_or_404(Competition.everything.select_related("category"), pk=pk)
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "title": "Add prompts",
            "competition": competition,
            "opts": self.model._meta,
        }
        user, purpose = int(request.user.pk or 0), PURPOSE.format(pk)
        token = request.POST.get("staged", "")
        if token:
            data = staged_uploads.staged(token, user, purpose)
            if data is None:
                messages.error(request, "The upload is too old, or was added before. Upload it once more.")
                return redirect(request.path)
            result = load.add(competition, files.read(data), near_too="near_too" in request.POST)
            staged_uploads.discard(token, user, purpose)
            counts = result.counts()
            added = counts["new"] + (counts["near-same"] if "near_too" in request.POST else 0)
            messages.success(request, f"{added} prompts added to {competition}.")
            history.record(request, result.added, "Added in bulk.", added=True)
            history.record(request, [competition], f"Added {added} prompts in bulk.")
            return redirect(_list_of(competition))
        form = BulkForm(request.POST, request.FILES) if request.method == "POST" else BulkForm()
        if form.is_valid():
            data = _as_bytes(form.cleaned_data)
            try:
                result = load.dry_run(competition, files.read(data))
            except tabular.BadFile as error:
                form.add_error(None, str(error))
            else:
                context |= {"counts": result.counts().items(), "total": len(result.rows)}
                context["groups"] = [
                    (verdict, rows[:SHOWN], len(rows) - SHOWN)
                    for verdict in reversed(load.PromptVerdict)
                    if (rows := result.with_verdict(verdict))
                ]
                context["staged"] = staged_uploads.stage(data, user, purpose)
                context["near"] = result.counts()["near-same"]
                context["new"] = result.counts()["new"]
        return render(request, "admin/arena/prompt/bulk.html", context | {"form": form})

    def export(self, request: HttpRequest, pk: int) -> HttpResponse:
        competition = get_object_or_404(Competition, pk=pk)
        if not self.has_view_permission(request):
            raise PermissionDenied
        content, kind = load.export(competition)
        return HttpResponse(
            content,
            content_type="text/csv; charset=utf-8" if kind == "csv" else "application/zip",
            headers={"Content-Disposition": f'attachment; filename="prompts-{competition.slug}.{kind}"'},
        )


def _list_of(competition: Competition) -> str:
    return f"{reverse('admin:arena_prompt_changelist')}?{urlencode({'competition__id__exact': competition.pk})}"


def _as_bytes(data: dict[str, Any]) -> bytes:
    """What is staged: the file as it is, or the pasted prompts as a JSON array."""
    if data["file"]:
        return bytes(data["file"].read())
    return json.dumps([row.text for row in files.pasted(data["text"], blocks=data["blocks"]).rows]).encode()
