"""Competitions and what was made for them."""

from __future__ import annotations

from typing import Any

from django.core.paginator import EmptyPage, PageNotAnInteger, Paginator
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from arena import blinding
from arena.models import Competition, Prompt
from leaderboard.board import image_records
from leaderboard.competitions import overview
from leaderboard.page_cache import cached_page

ON_A_PAGE = 24  # images on a prompt's own page, three rows of which fill a screen
PROMPTS, BEST = 12, 8  # on a competition's page: prompts, and images of each


@require_safe
@cached_page("page", blind=True)
def competition(request: HttpRequest, slug: str) -> HttpResponse:
    """Prompts with their best images; blind for a voter on the prompts they are still asked about."""
    competition = Competition.objects.published().select_related("category__board").filter(slug=slug).first()
    if competition is None:
        return _moved(slug)
    context = shown(request, competition, unveiled=competition.is_unveiled)
    return render(request, "leaderboard/competition.html", context)


def shown(request: HttpRequest, competition: Competition, *, unveiled: bool) -> dict[str, Any]:
    """What a competition's page shows; no prompts, images and records of models unless it is `unveiled`."""
    hidden = blinding.open_prompts_of(request)
    page = page_of(request, competition.prompts.current() if unveiled else Prompt.objects.none(), PROMPTS)
    records = image_records.of_competition(competition) if unveiled else []
    return {
        "competition": competition,
        "board": getattr(competition.category, "board", None),
        "records": records,
        "votes": sum(record.votes for record in records) // 2,
        "is_unveiled": unveiled,
        "page": page,
        "prompts": overview.best_answers(list(page), BEST, hidden),
    }


@require_safe
@cached_page("page", blind=True)
def prompt(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """One prompt with every image made for it, page by page."""
    published = Prompt.objects.current().filter(competition__in=Competition.objects.unveiled())
    shown_prompt = published.select_related("competition__category").filter(pk=pk, competition__slug=slug).first()
    if shown_prompt is None:
        return _moved(slug, f"{pk}/")
    hidden = blinding.open_prompts_of(request)
    (asked,) = overview.best_answers([shown_prompt], 10_000, hidden)
    context = {
        "competition": shown_prompt.competition,
        "asked": asked,
        "page": page_of(request, asked.answers, ON_A_PAGE),
    }
    return render(request, "leaderboard/prompt.html", context)


def _moved(slug: str, rest: str = "") -> HttpResponse:
    """To the competition that had this slug before; 404 when none had."""
    competition = get_object_or_404(Competition.objects.published(), old_slugs__slug=slug)
    return redirect(f"{competition.get_absolute_url()}{rest}", permanent=True)


def page_of(request: HttpRequest, rows: QuerySet[Any] | list[Any], size: int) -> Any:
    try:
        return Paginator(rows, size).page(request.GET.get("page") or 1)
    except (EmptyPage, PageNotAnInteger) as error:
        raise Http404("There is no such page of this list. Start from its first page.") from error
