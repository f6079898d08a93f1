"""A private category on one page, for who has an invitation: its board, its competitions, their images.

It is no cached page and no public list, feed or file knows of it: those find rows through managers that leave private
ones out (`providers.models.audience`). This one looks them up by hand, after `invitations` has said yes.
"""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from arena import blinding, invitations
from arena.models import Competition, Prompt
from leaderboard.board.standings import Standing
from leaderboard.competitions import overview
from leaderboard.models import BY_ELO, Board, Rating
from leaderboard.views.competitions import page_of

PROMPTS, IMAGES = 12, 24  # on a page: prompts, and images of each


@never_cache
@require_safe
def private(request: HttpRequest, slug: str) -> HttpResponse:
    category = invitations.category_or_404(request, slug)
    if not category.is_private:
        return redirect(category)
    ratings = list(Rating.everything.filter(category=category).select_related("image_model").order_by(*BY_ELO))
    competitions = Competition.everything.published().filter(category=category)
    prompts = Prompt.everything.current().filter(competition__in=competitions.unveiled())
    page = page_of(request, prompts.select_related("competition"), PROMPTS)
    context = {
        "category": category,
        "board": Board.everything.filter(category=category).first(),
        "standings": [Standing(rating, len(ratings)) for rating in ratings],
        "competitions": competitions,
        "is_open": competitions.open().exists(),
        "page": page,
        "prompts": overview.best_answers(list(page), IMAGES, blinding.open_prompts_of(request)),
    }
    response = render(request, "leaderboard/private.html", context)
    response["X-Robots-Tag"] = "noindex, nofollow"
    return response
