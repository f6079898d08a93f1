"""A voter's own ranking, and what they share of it."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from arena import invitations, voters
from arena.models import Category
from arena.views.images import PUBLIC_SECONDS
from arena.voters import progress as voter_progress
from leaderboard import cache
from leaderboard.models import SharedRanking
from leaderboard.rating import personal
from leaderboard.social_cards import ranking
from leaderboard.voter import rankings, taste

CARD_SECONDS = 24 * 3600


@never_cache
@require_safe
def mine(request: HttpRequest, slug: str) -> HttpResponse:
    category = invitations.category_or_404(request, slug)
    voter = voters.current(request)
    done = voter_progress.of(voter, category)
    own = None if done.missing or voter is None else rankings.of(voter, category)
    context = {
        "category": category,
        "progress": done,
        "competitions": voter_progress.by_competition(voter, category),
        "ranking": own,
        "own": None if own is None or voter is None else taste.of(voter, own),
        "links": voter.shared_rankings.filter(category=category).order_by("-until") if voter else [],
        "taste": personal.TASTE,
    }
    return render(request, "leaderboard/mine.html", context)


@never_cache
@require_POST
def share(request: HttpRequest, slug: str) -> HttpResponse:
    category = get_object_or_404(Category.objects, slug=slug)
    voter = voters.current(request)
    if voter is None or voter_progress.of(voter, category).missing:
        raise Http404(f"There is no ranking of yours to share: it begins with {voter_progress.GOAL} votes.")
    link = rankings.share(voter, category)
    assert link is not None
    return redirect(link)


@never_cache
@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """Somebody's ranking, readable by any client that has the URL."""
    link = get_object_or_404(SharedRanking.objects.select_related("category", "voter"), token=token)
    context = {
        "link": link,
        "category": link.category,
        "ranking": rankings.shared(link),
        "is_own": voters.current(request) == link.voter,
        "card": request.build_absolute_uri(reverse("leaderboard:ranking-card", args=[token])),
        "taste": personal.TASTE,
    }
    return render(request, "leaderboard/shared.html", context)


@require_safe
def card(request: HttpRequest, token: str) -> HttpResponse:
    """The link's picture, drawn at the first request and cached for a day."""
    link = get_object_or_404(SharedRanking.objects.select_related("category", "voter"), token=token)
    picture = cache.get_or_compute(
        "ranking card",
        token,
        seconds=CARD_SECONDS,
        compute=lambda: ranking.draw(rankings.shared(link), settings.SITE_NAME),
    )
    headers = {"Cache-Control": f"public, max-age={PUBLIC_SECONDS}", "X-Robots-Tag": "noindex"}
    return HttpResponse(picture, content_type="image/png", headers=headers)


@never_cache
@require_POST
def withdraw(request: HttpRequest, token: str) -> HttpResponse:
    """Only who shared it can take it back. The address is dead at once."""
    voter = voters.current(request)
    link = get_object_or_404(SharedRanking.objects.select_related("category"), token=token, voter=voter)
    link.delete()
    cache.delete_many(("ranking card", token))
    return redirect("leaderboard:mine", slug=link.category.slug)
