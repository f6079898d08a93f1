"""A lab and its models."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from leaderboard.page_cache import cached_page
from leaderboard.profiles import lab as profiles
from providers.models import Lab
from providers.web import json_ld


@require_safe
@cached_page()
def lab(request: HttpRequest, slug: str) -> HttpResponse:
    shown_lab = get_object_or_404(Lab.objects, slug=slug)
    home = request.build_absolute_uri("/")
    trail = json_ld.breadcrumbs(
        ("Models", f"{home}models/"), (shown_lab.name, request.build_absolute_uri(request.path))
    )
    context = {"lab": shown_lab, "models": profiles.of_lab(shown_lab), "json_ld": json_ld.script(trail)}
    return render(request, "leaderboard/lab.html", context)
