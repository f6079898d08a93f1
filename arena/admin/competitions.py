"""Categories, competitions and their prompts; asking the models, with the price first."""

from __future__ import annotations

from functools import partial

from django import forms
from django.contrib import admin
from django.db import models
from django.db.models import Count, Q
from django.http import HttpRequest
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from arena import generation
from arena.admin import ask_page, image_import, preview
from arena.models import (
    Category,
    Competition,
    Generation,
)
from providers.web.history import HistoryAdmin


@admin.register(Category)
class CategoryAdmin(HistoryAdmin, admin.ModelAdmin[Category]):
    list_display = ("name", "slug", "mode", "is_private", "position", "source_name")
    prepopulated_fields = {"slug": ("name",)}
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}


@admin.register(Competition)
class CompetitionAdmin(HistoryAdmin, admin.ModelAdmin[Competition]):
    list_display = ("title", "category", "shape", "state", "opens_at", "closes_at", "images")
    readonly_fields = ("state",)
    list_filter = ("category", "is_published")
    list_select_related = ("category",)
    search_fields = ("title", "slug")
    prepopulated_fields = {"slug": ("title",)}
    change_form_template = "admin/arena/competition/change_form.html"

    def view_on_site(self, obj: Competition) -> str:
        """Its page; until the public may see that, the preview of it."""
        if obj.category.is_private and obj.is_published:
            return obj.category.get_absolute_url()
        return obj.get_absolute_url() if obj.is_published else f"{obj.get_absolute_url()}preview/"

    def save_model(
        self, request: HttpRequest, obj: Competition, form: forms.ModelForm[Competition], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        if "spend_cap" in form.changed_data:
            generation.retry_capped(obj)

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        views = {
            "ask": ask_page.page,
            "ask/progress": ask_page.progress,
            "ask/total": ask_page.total,
            "images": image_import.page,
            "preview": preview.page,
        }
        return [
            *(
                path(
                    f"<int:pk>/{route}/",
                    wrap(partial(view, self)),
                    name=f"arena_competition_{route.replace('/', '_')}",
                )
                for route, view in views.items()
            ),
            *super().get_urls(),
        ]

    @admin.display(description="state (times are UTC)")
    def state(self, competition: Competition) -> str:
        text = str(competition.state.label)
        if competition.category.is_private:
            text = f"{text} – private"
        return f"{text} – asking is paused" if competition.paused_at else text

    @admin.display(description="images")
    def images(self, competition: Competition) -> SafeString:
        counts = Generation.objects.filter(prompt__competition=competition).aggregate(
            made=Count("pk", filter=Q(status=Generation.Status.SUCCEEDED)), planned=Count("pk")
        )
        url = reverse("admin:arena_competition_ask", args=[competition.pk])
        return format_html('<a href="{}">{} of {}</a>', url, counts["made"], counts["planned"])
