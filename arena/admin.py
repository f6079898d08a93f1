"""Where curators work: competitions and prompts, asking the models, watching progress, retiring what is broken."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ActionForm
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from providers import spending as daily

from . import generation, images, integrity, quotes, reports, spending, suggestions
from .models import (
    Battle,
    Category,
    Competition,
    Entry,
    Generation,
    Prompt,
    Report,
    Suggestion,
    Vote,
    VoteFile,
)


class ReadOnly:
    """Facts: to be looked at, never edited by hand."""

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Category)
class CategoryAdmin(admin.ModelAdmin[Category]):
    list_display = ("name", "slug", "mode", "position", "source_name")
    prepopulated_fields = {"slug": ("name",)}


class PromptForm(forms.ModelForm[Prompt]):
    """Source images are decoded and written anew here, so that nothing hostile or telling is ever stored."""

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


class PromptInline(admin.StackedInline[Prompt, Competition]):
    model = Prompt
    form = PromptForm
    extra = 0
    show_change_link = True

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False  # prompts are retired: what was asked once stays on the record


@admin.register(Competition)
class CompetitionAdmin(admin.ModelAdmin[Competition]):
    list_display = ("title", "category", "shape", "is_published", "opens_at", "closes_at", "images")
    list_filter = ("category", "is_published")
    list_select_related = ("category",)
    search_fields = ("title", "slug")
    prepopulated_fields = {"slug": ("title",)}
    inlines = (PromptInline,)
    change_form_template = "admin/arena/competition/change_form.html"

    def save_model(
        self, request: HttpRequest, obj: Competition, form: forms.ModelForm[Competition], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if "spend_cap" in form.changed_data:
            generation.look_again(obj)

    def get_urls(self) -> list[URLPattern]:
        ask = path("<int:pk>/ask/", self.admin_site.admin_view(self.ask), name="arena_competition_ask")
        return [ask, *super().get_urls()]

    @admin.display(description="images")
    def images(self, competition: Competition) -> SafeString:
        counts = Generation.objects.filter(prompt__competition=competition).aggregate(
            made=Count("pk", filter=Q(status="succeeded")), planned=Count("pk")
        )
        address = reverse("admin:arena_competition_ask", args=[competition.pk])
        return format_html('<a href="{}">{} of {}</a>', address, counts["made"], counts["planned"])

    def ask(self, request: HttpRequest, pk: int) -> HttpResponse:
        """ "Ask the models": the price first, then the plan; below it, how every image is coming along."""
        competition = get_object_or_404(Competition.objects.select_related("category"), pk=pk)
        if not self.has_change_permission(request, competition):
            raise PermissionDenied
        offers = quotes.of(competition)
        if request.method == "POST":
            self._plan(request, competition, offers)
            return redirect(request.path)
        rows = _progress(competition)
        context = {
            **self.admin_site.each_context(request),
            "title": "Ask the models",
            "competition": competition,
            "opts": self.model._meta,
            "quotes": offers,
            "prompts": competition.prompts.current(),
            "rows": rows,
            "unfinished": any(each and each.status in ("queued", "running") for _, cells in rows for each in cells),
            "total": sum((each.missing * each.real_price for each in offers), Decimal(0)),
            "unpriced": [each for each in offers if each.missing and each.is_unpriced],
            "spent": spending.of(competition),
            "today": daily.today(),
            "daily_cap": daily.cap(),
            "troubles": [(each, trouble) for each in offers if (trouble := each.trouble)],
        }
        return render(request, "admin/arena/competition/ask.html", context)

    def _plan(self, request: HttpRequest, competition: Competition, offers: list[quotes.Quote]) -> None:
        chosen = [each for each in offers if str(each.image_model.pk) in request.POST.getlist("model")]
        if not chosen:
            messages.warning(request, "Nothing was asked: choose at least one model.")
            return
        if refusal := spending.refusal(competition, offers, chosen, again="again" in request.POST):
            messages.error(request, refusal)
            return
        prompts = competition.prompts.current()
        queued = sum(generation.plan(prompt, [each.image_model for each in chosen]) for prompt in prompts)
        again = generation.ask_again(
            Generation.objects.filter(
                prompt__in=prompts, image_model__in=[each.image_model for each in chosen], status="failed"
            )
            if "again" in request.POST
            else []
        )
        if queued or again:
            messages.success(request, f"{queued + again} images are queued. The workers take them within seconds.")
        else:
            messages.info(request, "Nothing was missing: these models have already been asked.")


def _progress(competition: Competition) -> list[tuple[Any, list[Generation | None]]]:
    """(model, its generation per current prompt) for every model that was asked."""
    prompts = list(competition.prompts.current())
    cells: dict[Any, dict[int, Generation]] = {}
    for each in (
        Generation.objects.filter(prompt__in=prompts, sample=0)
        .select_related("image_model")
        .order_by("image_model__name")
    ):
        cells.setdefault(each.image_model, {})[each.prompt_id] = each
    return [(image_model, [found.get(prompt.pk) for prompt in prompts]) for image_model, found in cells.items()]


@admin.register(Prompt)
class PromptAdmin(admin.ModelAdmin[Prompt]):
    form = PromptForm
    list_display = ("__str__", "competition", "position", "retired_at")
    list_filter = ("competition__category", "competition")
    search_fields = ("text",)
    actions = ("retire", "bring_back")

    def get_fields(self, request: HttpRequest, obj: Prompt | None = None) -> Any:
        return ("competition", *PromptForm.Meta.fields)

    @admin.action(description="Retire: no more battles with these prompts")
    def retire(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> None:
        messages.success(
            request, f"{queryset.filter(retired_at=None).update(retired_at=timezone.now())} prompts retired."
        )

    @admin.action(description="Bring back")
    def bring_back(self, request: HttpRequest, queryset: QuerySet[Prompt]) -> None:
        messages.success(request, f"{queryset.update(retired_at=None)} prompts are back.")


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
        messages.success(request, f"{generation.ask_again(queryset)} generations are queued again.")


@admin.register(Entry)
class EntryAdmin(ReadOnly, admin.ModelAdmin[Entry]):
    list_display = ("thumbnail_image", "image_model", "prompt", "created_at", "retired_at", "retired_reason")
    list_filter = ("prompt__competition", "image_model")
    list_select_related = ("image_model", "prompt")
    actions = ("retire", "bring_back")

    @admin.display(description="image")
    def thumbnail_image(self, entry: Entry) -> SafeString:
        return format_html(
            '<img src="{}" alt="" height="80">', reverse("arena:public-image", args=[entry.thumbnail.name])
        )

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
        address = reverse("arena:public-image", args=[report.entry.thumbnail.name])
        return format_html('<img src="{}" alt="" height="80">', address)

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


class TakeInto(ActionForm):
    competition = forms.ModelChoiceField(Competition.objects.all(), required=False, empty_label="into competition …")


@admin.register(Suggestion)
class SuggestionAdmin(admin.ModelAdmin[Suggestion]):
    """What visitors of the playground would like to see voted on."""

    list_display = ("text", "mode", "suggested_at", "decided_at", "prompt")
    list_filter = ("mode", ("decided_at", admin.EmptyFieldListFilter))
    list_select_related = ("prompt",)
    search_fields = ("text",)
    readonly_fields = ("mode", "source_image", "suggested_at", "decided_at", "prompt")
    action_form = TakeInto
    actions = ("take", "leave")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    @admin.action(description="Take into a competition", permissions=["change"])
    def take(self, request: HttpRequest, queryset: QuerySet[Suggestion]) -> None:
        competition = Competition.objects.filter(pk=request.POST.get("competition") or 0).first()
        if competition is None:
            messages.error(request, "Choose the competition beside the action first.")
            return
        for suggestion in queryset:
            try:
                suggestions.take(suggestion, competition)
            except suggestions.NotTaken as error:
                messages.error(request, str(error))
            else:
                messages.success(request, f"“{suggestion}” is a prompt of {competition} now.")

    @admin.action(description="Leave", permissions=["change"])
    def leave(self, request: HttpRequest, queryset: QuerySet[Suggestion]) -> None:
        count = queryset.filter(decided_at=None).update(decided_at=timezone.now())
        messages.success(request, f"{count} suggestions left.")
