"""A finished round of five votes, and what comes after it."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from arena import invitations, rounds, voters
from arena.battle_page import reveal_registry, round_card
from arena.battles import competition_choice
from arena.voters import progress as voter_progress


@never_cache
@require_safe
def card(request: HttpRequest, slug: str, number: int) -> HttpResponse:
    """The card of one of this voter's rounds."""
    category = invitations.category_or_404(request, slug)
    voter = voters.named(request)
    finished = None if voter is None or not 0 < number < 10_000 else round_card.read(voter, category, number)
    if finished is None:
        raise Http404("This browser has no such round.")
    progress = voter_progress.of(voter, category)
    choice = competition_choice.of(request, category.pk)
    context = {
        "category": category,
        "card": finished,
        "competitions": competition_choice.open_in(category.pk),
        "chosen": choice.competition,
        "next_url": f"{reverse('arena:arena', args=[category.slug])}{choice.query}",
        "progress": progress,
        "position": len(finished.votes),
        "blocks": [block * rounds.SIZE < progress.votes for block in range(progress.goal // rounds.SIZE)],
        "board_url": reveal_registry.extras.board_url(category.slug),
        "ranking_url": reveal_registry.extras.ranking_url(category.slug),
        "share_url": f"{request.path}share/",
        "next_marks": rounds.of_pair(progress.votes),
    }
    return render(request, "arena/round.html", context)
