"""Battles, votes and imported files: facts to look at, and which votes count."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import URLPattern, path

from arena import integrity
from arena.admin import staged_uploads
from arena.imports.votes import load
from arena.imports.votes.presets import COLUMNS, PRESETS
from arena.models import Battle, Category, ImportedName, Vote, VoteFile
from providers.admin.read_only import ReadOnly
from providers.models import ImageModel
from providers.web import history

from .shared import confirmation, reason_of


@admin.register(Battle)
class BattleAdmin(ReadOnly, admin.ModelAdmin[Battle]):
    list_display = ("id", "voter", "prompt", "served_at", "skipped_at")
    list_select_related = ("voter", "prompt")
    show_full_result_count = False


class BecauseOf(ActionForm):
    reason = forms.CharField(required=False, max_length=150, help_text="needed to take votes out")


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
    def stop_counting(self, request: HttpRequest, queryset: QuerySet[Vote]) -> HttpResponse | None:
        reason = reason_of(request)
        if not reason:
            messages.error(request, "Nothing was changed: say beside the action why these votes shall not count.")
            return None
        counted = queryset.filter(excluded_reason="")
        text = (
            f"{counted.count()} votes of {queryset.order_by().values('voter').distinct().count()} voters would not "
            f"count any more, because: {reason}. “Count again” takes it back."
        )
        if page := confirmation(
            self, request, queryset, action="stop_counting", title="Stop counting", text=text, reason=reason
        ):
            return page
        name, votes = request.user.get_username()[:40], list(counted[: history.LOGGED])
        count = integrity.exclude(queryset.values_list("pk", flat=True), f"{reason} ({name})", self.RULE)
        history.record(request, votes, f"Stopped counting: {reason}")
        messages.success(request, f"{count} votes do not count any more. The boards follow within seconds.")
        return None

    @admin.action(description="Count again (what a curator stopped)", permissions=["exclude"])
    def count_again(self, request: HttpRequest, queryset: QuerySet[Vote]) -> None:
        votes = list(queryset.filter(excluded_rule=self.RULE)[: history.LOGGED])
        count = integrity.include(queryset.values_list("pk", flat=True), self.RULE)
        history.record(request, votes, "Counted again.")
        left = queryset.exclude(excluded_reason="").count()
        others = f" {left} stay excluded: a rule did that, no curator." if left else ""
        messages.success(request, f"{count} votes count again.{others}")


class VoteImportForm(forms.Form):
    """A file of votes, where it comes from, and what its columns are called."""

    category = forms.ModelChoiceField(Category.everything.all())
    source = forms.CharField(max_length=200, help_text="Where the votes come from, as the page will say it.")
    file = forms.FileField(help_text="CSV, JSON lines, a JSON array, or Parquet.")
    like = forms.ChoiceField(
        required=False,
        choices=[("", "left, right, outcome, …"), *((key, key) for key in PRESETS)],
        label="Columns like",
    )
    mapping = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3, "cols": 40}),
        help_text=f"Which column is which, a line each: left=model_a. Of {', '.join(COLUMNS)}.",
    )

    def clean_mapping(self) -> dict[str, str]:
        mapping = {}
        for line in self.cleaned_data["mapping"].splitlines():
            ours, _, theirs = (part.strip() for part in line.partition("="))
            if line.strip() and (ours not in COLUMNS or not theirs):
                raise forms.ValidationError(f"“{line}”: write one of {', '.join(COLUMNS)}, “=”, and the file's column.")
            if line.strip():
                mapping[ours] = theirs
        return mapping


@admin.register(VoteFile)
class VoteFileAdmin(ReadOnly, history.HistoryAdmin, admin.ModelAdmin[VoteFile]):
    """Files of votes: imported after a dry run, withdrawn whole."""

    list_display = (
        "id",
        "source",
        "category",
        "rows",
        "sides_known",
        "imported_at",
        "withdrawn_at",
        "withdrawn_reason",
    )
    list_filter = ("category", ("withdrawn_at", admin.EmptyFieldListFilter))
    list_select_related = ("category",)
    search_fields = ("source",)
    action_form = BecauseOf
    actions = ("withdraw",)
    change_list_template = "admin/arena/votefile/change_list.html"
    PURPOSE = "votes"

    def has_import_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.add_votefile")

    def has_withdraw_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("arena.change_votefile")

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        extra = {"may_import": self.has_import_permission(request)}
        response: HttpResponse = super().changelist_view(request, (extra_context or {}) | extra)
        return response

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.import_view)
        return [path("import/", view, name="arena_votefile_import"), *super().get_urls()]

    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Upload, see what it would be, confirm."""
        if not self.has_import_permission(request):
            raise PermissionDenied
        form = VoteImportForm(request.POST, request.FILES) if request.method == "POST" else VoteImportForm()
        user = int(request.user.pk or 0)
        token = request.POST.get("staged", "")
        context: dict[str, Any] = {"form": form}
        if token:
            form.fields["file"].required = False
        if request.method == "POST" and form.is_valid():
            fields = form.cleaned_data
            data = staged_uploads.staged(token, user, self.PURPOSE) if token else fields["file"].read()
            if data is None:
                messages.error(request, "The upload is too old, or was imported before. Upload it once more.")
                return redirect(request.path)
            file_format = load.FileFormat(like=fields["like"], mapping=fields["mapping"])
            try:
                result = load.import_votes(
                    data, fields["category"], fields["source"].strip(), form=file_format, dry_run=not token
                )
            except load.BadVotes as error:
                form.add_error(None, str(error))
            else:
                if not result.new:
                    messages.info(request, f"{fields['category']} already has this file: nothing changed.")
                    return redirect("admin:arena_votefile_changelist")
                if token:
                    staged_uploads.discard(token, user, self.PURPOSE)
                    self._imported(request, result)
                    return redirect("admin:arena_votefile_changelist")
                known = set(ImportedName.objects.filter(name__in=result.models).values_list("name", flat=True))
                for column in ("name", "slug"):
                    rows = ImageModel.everything.filter(**{f"{column}__in": result.models})
                    known |= set(rows.values_list(column, flat=True))
                context |= {
                    "result": result,
                    "strangers": [name for name in result.models if name not in known],
                    "staged": staged_uploads.stage(data, user, self.PURPOSE),
                }
        context |= {**self.admin_site.each_context(request), "title": "Import votes", "opts": self.model._meta}
        return render(request, "admin/arena/votefile/import.html", context)

    def _imported(self, request: HttpRequest, result: load.ImportResult) -> None:
        assert result.file is not None
        self.log_addition(request, result.file, f"Imported {result.rows} votes.")
        messages.success(request, f"{result.rows} votes imported. The boards follow within seconds.")
        if not result.sides_known:
            messages.info(request, "The file does not say which image stood left: sides were randomised.")

    @admin.action(description="Withdraw: as if these files had never come", permissions=["withdraw"])
    def withdraw(self, request: HttpRequest, queryset: QuerySet[VoteFile]) -> None:
        reason = reason_of(request)
        if not reason:
            messages.error(request, "Nothing was changed: say beside the action why these votes shall go.")
            return
        votes = 0
        for file in queryset:
            votes += load.withdraw(file, reason, request.user.get_username())
            self.log_change(request, file, f"Withdrawn: {reason}")
        messages.success(request, f"{votes} votes withdrawn. The boards follow within seconds.")


@admin.register(ImportedName)
class ImportedNameAdmin(history.HistoryAdmin, admin.ModelAdmin[ImportedName]):
    """Which model a name in a file of votes means: for files that are imported from now on."""

    list_display = ("name", "image_model")
    list_select_related = ("image_model",)
    autocomplete_fields = ("image_model",)
    search_fields = ("name", "image_model__name")
