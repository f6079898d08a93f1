"""A competition's page before the public may see it, for staff who may view competitions."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from arena.models import Competition
from leaderboard.views.competitions import shown


@never_cache
@require_safe
def preview(request: HttpRequest, slug: str) -> HttpResponse:
    """As it is now once published: without images and names until it opens. `?as=open` shows it as it opens."""
    if not request.user.has_perm("arena.view_competition"):
        raise Http404("There is no such page.")
    competition = get_object_or_404(Competition.everything.select_related("category"), slug=slug)
    as_open = request.GET.get("as") == "open"
    context = shown(request, competition, unveiled=as_open or competition.is_unveiled)
    urls = {
        "voting": reverse("admin:arena_competition_preview", args=[competition.pk]),
        "admin": reverse("admin:arena_competition_change", args=[competition.pk]),
    }
    context |= {"is_preview": True, "as_open": as_open, "preview_urls": urls}
    response = render(request, "leaderboard/competition.html", context)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
