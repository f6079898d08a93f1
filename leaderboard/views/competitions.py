"""Competitions and what was made for them."""

from __future__ import annotations

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_cookie

from arena import blinding, voters
from arena.models import Competition, Entry
from leaderboard import standings


@require_safe
def competitions(request: HttpRequest) -> HttpResponse:
    published = (
        Competition.objects.published()
        .select_related("category")
        .annotate(prompt_count=Count("prompts", filter=Q(prompts__retired_at=None)))
    )
    return render(request, "leaderboard/competitions.html", {"competitions": published})


@require_safe
@vary_on_cookie
def competition(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Competition.objects.published().select_related("category"), slug=slug)
    records = standings.of_competition(found)
    hidden = blinding.open_prompts(voters.current(request))
    entries: dict[int, list[Entry]] = {}
    for entry in (
        Entry.objects.current()
        .filter(prompt__competition=found)
        .exclude(prompt__in=hidden)
        .select_related("image_model", "call__offering")
        .order_by("image_model__name")
    ):
        entries.setdefault(entry.prompt_id, []).append(entry)
    context = {
        "competition": found,
        "records": records,
        "prompts": [(prompt, entries.get(prompt.pk, [])) for prompt in found.prompts.current()],
        "hidden": hidden,
        "votes": sum(record.votes for record in records) // 2,
    }
    return render(request, "leaderboard/competition.html", context)
