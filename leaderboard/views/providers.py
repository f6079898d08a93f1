"""A provider: its status now, its performance, what it sells."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from leaderboard.page_cache import cached_page
from leaderboard.profiles import provider as profiles


@require_safe
@cached_page()
def provider(request: HttpRequest, key: str) -> HttpResponse:
    profile = profiles.of_key(key)
    if profile is None:
        raise Http404(f"There is no provider “{key}” here.")
    return render(request, "leaderboard/provider.html", {"provider": profile})
