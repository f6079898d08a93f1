"""Voting: a redirect to the battle a voter owes, its page, the vote."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.middleware import HtmxDetails

from . import battles, voters
from .models import Battle, Category, Outcome, Voter


class HtmxRequest(HttpRequest):
    """What the django-htmx middleware makes of a request."""

    htmx: HtmxDetails


def site(request: HttpRequest) -> dict[str, Any]:
    """Context processor: what every page knows."""
    return {
        "site_name": settings.SITE_NAME,
        "demo": settings.DEMO,
        "source_url": settings.SOURCE_URL,
        "theme": request.COOKIES.get("theme") if request.COOKIES.get("theme") in ("light", "dark") else "",
        "voting_categories": Category.objects.filter(competitions__is_published=True).distinct(),
    }


@never_cache
@require_safe
def arena(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the voter to the battle of this category that is theirs to answer."""
    category = get_object_or_404(Category, slug=slug)
    voter = voters.welcome(request)
    battle = battles.serve(voter, category)
    if battle is None:
        context = {"category": category, "progress": battles.progress(voter, category)}
        response = render(request, "arena/nothing.html", context)
    else:
        response = redirect(battle)
    voters.remember(response, voter)
    return response


@never_cache
@require_safe
def battle(request: HttpRequest, pk: UUID) -> HttpResponse:
    voter = voters.current(request)
    return render(request, "arena/battle.html", _context(voter, _battle(voter, pk)))


@never_cache
@require_POST
def vote(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Take the answer; the reply – and only it – names the models."""
    voter = voters.current(request)
    found = _battle(voter, pk)
    try:
        battles.cast_vote(found, request.POST.get("outcome", ""))
    except ValueError as error:
        return _refuse(request, voter, found, str(error), status=400)
    except battles.BattleExpired as error:
        return _refuse(request, voter, found, str(error), status=410)
    except battles.VoteRefused as error:
        return _refuse(request, voter, found, str(error), status=409)
    if not request.htmx:
        return redirect(found)
    return render(request, "arena/_battle.html", _context(voter, _battle(voter, pk)))


@never_cache
@require_POST
def skip(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Put the battle aside and go on to the next."""
    voter = voters.current(request)
    found = _battle(voter, pk)
    try:
        battles.skip(found)
    except battles.VoteRefused as error:
        return _refuse(request, voter, found, str(error), status=409)
    return redirect("arena:arena", slug=found.prompt.competition.category.slug)


def _battle(voter: Voter | None, pk: UUID) -> Battle:
    """The voter's own battle; somebody else's does not exist for them."""
    if voter is None:
        raise Http404("Voting needs this site's cookie. Allow cookies and start from the arena again.")
    related = ("left__image_model", "right__image_model", "prompt__competition__category", "vote")
    return get_object_or_404(voter.battles.select_related(*related), pk=pk)


def _context(voter: Voter | None, battle: Battle) -> dict[str, Any]:
    assert voter is not None
    vote = getattr(battle, "vote", None)
    category = battle.prompt.competition.category
    return {
        "battle": battle,
        "vote": vote,
        "open": vote is None and battle.skipped_at is None and not battle.is_expired,
        "category": category,
        "competition": battle.prompt.competition,
        "prompt": battle.prompt,
        "outcomes": Outcome,
        "progress": battles.progress(voter, category),
    }


def _refuse(request: HtmxRequest, voter: Voter | None, battle: Battle, message: str, *, status: int) -> HttpResponse:
    """The battle as it stands, with the reason on top: nothing is lost, and it says how to go on."""
    template = "arena/_battle.html" if request.htmx else "arena/battle.html"
    response = render(request, template, _context(voter, battle) | {"message": message}, status=status)
    response["HX-Push-Url"] = "false"  # the address of a POST is no place to come back to
    return response
