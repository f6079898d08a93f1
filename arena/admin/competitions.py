"""Categories, competitions and their prompts; asking the models, with the price first."""

from __future__ import annotations

import secrets
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.base import ContentFile
from django.db.models import Count, Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from arena import cost_estimates, generation, images, spend_cap
from arena.models import (
    Category,
    Competition,
    Generation,
    Prompt,
)
from providers.spending import daily_cap


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
            generation.retry_capped(obj)

    def get_urls(self) -> list[URLPattern]:
        ask = path("<int:pk>/ask/", self.admin_site.admin_view(self.ask), name="arena_competition_ask")
        return [ask, *super().get_urls()]

    @admin.display(description="images")
    def images(self, competition: Competition) -> SafeString:
        counts = Generation.objects.filter(prompt__competition=competition).aggregate(
            made=Count("pk", filter=Q(status=Generation.Status.SUCCEEDED)), planned=Count("pk")
        )
        address = reverse("admin:arena_competition_ask", args=[competition.pk])
        return format_html('<a href="{}">{} of {}</a>', address, counts["made"], counts["planned"])

    def ask(self, request: HttpRequest, pk: int) -> HttpResponse:
        """ "Ask the models": the price first, then the plan; below it, how every image is coming along."""
        competition = get_object_or_404(Competition.objects.select_related("category"), pk=pk)
        if not self.has_change_permission(request, competition):
            raise PermissionDenied
        offers = cost_estimates.of(competition)
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
            "unfinished": any(each and each.is_unfinished for _, cells in rows for each in cells),
            "total": sum((each.missing * each.real_price for each in offers), Decimal(0)),
            "unpriced": [each for each in offers if each.missing and each.is_unpriced],
            "spent": spend_cap.of(competition),
            "today": daily_cap.today(),
            "daily_cap": daily_cap.cap(),
            "ceiling": settings.UNKNOWN_PRICE_CEILING,
            "troubles": [(each, trouble) for each in offers if (trouble := each.trouble)],
        }
        return render(request, "admin/arena/competition/ask.html", context)

    def _plan(self, request: HttpRequest, competition: Competition, offers: list[cost_estimates.Quote]) -> None:
        chosen = [each for each in offers if str(each.image_model.pk) in request.POST.getlist("model")]
        if not chosen:
            messages.warning(request, "Nothing was asked: choose at least one model.")
            return
        if refusal := spend_cap.refusal(competition, offers, chosen, again="again" in request.POST):
            messages.error(request, refusal)
            return
        prompts = competition.prompts.current()
        queued = sum(generation.plan(prompt, [each.image_model for each in chosen]) for prompt in prompts)
        again = generation.retry_failed(
            Generation.objects.filter(
                prompt__in=prompts,
                image_model__in=[each.image_model for each in chosen],
                status=Generation.Status.FAILED,
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
