"""The chooser: from a buyer's limits to a short list."""

from __future__ import annotations

from dataclasses import replace

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from arena.models import Category
from leaderboard.chooser import candidates as offers
from leaderboard.chooser import rules
from leaderboard.page_cache import cached_page

MATRIX = 6  # models in the table of preferences; more would not fit a page


@require_safe
@cached_page("category", "task", "need", *offers.WORDS)
def choose(request: HttpRequest) -> HttpResponse:
    """Every word of the form is in the address, so a short list can be sent to somebody else."""
    categories = list(Category.objects.filter(ratings__isnull=False).distinct())
    task = request.GET.get("task", "").strip()
    doing = [category for category in categories if task in (category.mode, category.slug)] if task else categories
    category = _category(request.GET.get("category", ""), doing or categories)
    candidates = offers.candidates(category) if category else []
    licences = sorted({candidate.licence for candidate in candidates if candidate.licence}, key=str.casefold)
    asked = offers.read(request.GET.dict(), request.GET.getlist("need"), licences)
    if task and not doing:
        known = ", ".join(dict.fromkeys(category.mode for category in categories)) or "none yet"
        unknown = f"No rated category does “{task}”. There is: {known}."
        asked = replace(asked, errors={**asked.errors, "task": unknown})
    answer = rules.choose(candidates, asked.filters)
    first = answer.front[:MATRIX]
    context = {
        "categories": categories,
        "category": category,
        "licences": licences,
        "asked": asked,
        "answer": answer,
        "candidates": len(candidates),
        "matrix": list(zip(first, rules.preferences(first), strict=True)) if len(first) > 1 else [],
        "needs": offers.NEEDS,
        "tiers": offers.TIERS,
        "ratios": offers.RATIOS,
        "missing": rules.MISSING,
    }
    return render(request, "leaderboard/choose.html", context, status=400 if asked.errors else 200)


def _category(slug: str, categories: list[Category]) -> Category | None:
    """The one asked for; without a word, the first with votes cast here."""
    if slug:
        category = next((option for option in categories if option.slug == slug), None)
        if category is None:
            raise Http404(f"There is no rated category “{slug}”.")
        return category
    return next(iter(sorted(categories, key=lambda option: bool(option.source_name))), None)
