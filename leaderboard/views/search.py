"""Search, pages by use, and what changed this week."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from arena import blinding
from leaderboard import search as finder
from leaderboard.competitions import use_cases
from leaderboard.page_cache import cached_page
from leaderboard.week import changes


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    results = finder.find(query)
    status = 400 if results.message and query else 200
    return render(request, "leaderboard/search.html", {"query": query, "results": results}, status=status)


@require_safe
@cached_page()
def all_uses(request: HttpRequest) -> HttpResponse:
    return render(request, "leaderboard/uses.html", {"uses": use_cases.overview()})


@require_safe
@cached_page(blind=True)
def use(request: HttpRequest, tag: str) -> HttpResponse:
    """What models are good at, by what prompts are about."""
    hidden = blinding.open_prompts_of(request)
    use_case = use_cases.of_tag(tag, hidden)
    if not use_case.prompts:
        raise Http404(f"No prompt is tagged “{tag}”. All tags are at /uses/.")
    return render(request, "leaderboard/use.html", {"use": use_case})


@require_safe
@cached_page()
def week(request: HttpRequest) -> HttpResponse:
    context = {
        "boards": changes.of_boards(),
        "prices": changes.of_prices(),
        "models": changes.of_models(),
        "competitions": changes.of_competitions(),
    }
    return render(request, "leaderboard/week.html", context)
