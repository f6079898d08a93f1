"""Voting: a redirect to the battle a voter owes, its page, the vote."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from arena import battles, blinding, generation_progress, pairing, reports, voter_progress, voters, voting
from arena.htmx import HtmxRequest
from arena.models import Battle, Category, Report, Voter

AHEAD = 2  # pairs a browser holds beyond the one on its screen; a fast voter would empty one


@never_cache
@require_safe
def arena(request: HttpRequest, slug: str) -> HttpResponse:
    """Send the voter to the battle of this category that is theirs to answer."""
    category = get_object_or_404(Category, slug=slug)
    voter = voters.welcome(request)
    battle = battles.serve(voter, category)
    if battle is None:
        context = {
            "category": category,
            "progress": voter_progress.of(voter, category),
            "making": generation_progress.of(category),
        }
        response = render(request, "arena/nothing.html", context)
    else:
        response = redirect(battle)
    voters.remember(response, voter)
    return response


@never_cache
@require_safe
def wait(request: HttpRequest, slug: str) -> HttpResponse:
    """The fragment that replaces itself while the models are at work, and leads to the first pair that is there."""
    category = get_object_or_404(Category, slug=slug)
    voter = voters.current(request)
    battle = battles.serve(voter, category) if voter else None
    if battle is not None:
        return HttpResponseClientRedirect(battle.get_absolute_url())
    found = generation_progress.of(category)
    if found is None or (voter is None and pairing.pool(category).size):
        return HttpResponseClientRefresh()
    return render(request, "arena/_making.html", {"making": found, "wait": request.path})


@never_cache
@require_safe
def battle(request: HttpRequest, pk: UUID) -> HttpResponse:
    try:
        voter, found = _own(request, pk)
    except Http404:
        return render(request, "arena/not_yours.html", status=404)
    if found.served_at is None and _is_open(found):
        try:
            battles.show(found)
        except battles.VoteRejected:
            return redirect("arena:arena", slug=found.prompt.competition.category.slug)
    following = battles.ahead(voter, found.prompt.competition.category, found, 1) if _is_open(found) else []
    return render(request, "arena/battle.html", _context(voter, found, following))


@never_cache
@require_POST
def show(request: HttpRequest, pk: UUID) -> HttpResponse:
    """A pair that was loaded ahead is on the screen now."""
    _, found = _own(request, pk)
    try:
        battles.show(found)
    except (
        battles.AlreadyVoted,
        battles.BattleSkipped,
    ) as error:  # no conflict: a quick answer may overtake this request
        return HttpResponse(str(error), content_type="text/plain; charset=utf-8")
    except battles.VoteRejected as error:
        return HttpResponse(str(error), status=409, content_type="text/plain; charset=utf-8")
    return HttpResponse(status=204)


@never_cache
@require_POST
def vote(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Take the answer; the reply – and only it – names the models, and brings the pairs that come after."""
    voter, found = _own(request, pk)
    following = battles.ahead(voter, found.prompt.competition.category, found, AHEAD) if request.htmx else []
    try:
        voting.cast_vote(found, request.POST.get("outcome", ""))
    except ValueError as error:
        return _refuse(request, voter, found, str(error), status=400)
    except battles.BattleExpired as error:
        return _refuse(request, voter, found, str(error), status=410)
    except battles.VoteRejected as error:
        return _refuse(request, voter, found, str(error), status=409)
    if not request.htmx:
        return redirect(found)
    return render(request, "arena/_battle.html", _context(*_own(request, pk), following))


@never_cache
@require_POST
def skip(request: HtmxRequest, pk: UUID) -> HttpResponse:
    """Put the battle aside and go on to the next."""
    voter, found = _own(request, pk)
    category = found.prompt.competition.category
    try:
        battles.skip(found)
    except battles.VoteRejected as error:
        return _refuse(request, voter, found, str(error), status=409)
    following = battles.serve(voter, category) if request.htmx else None
    if following is None:
        return redirect("arena:arena", slug=category.slug)
    context = _context(*_own(request, following.pk), battles.ahead(voter, category, following, AHEAD))
    response = render(request, "arena/_battle.html", context)
    response["HX-Push-Url"] = following.get_absolute_url()
    return response


@never_cache
def report(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Say what is wrong with an image. The battle is void; its page says thanks."""
    voter, found = _own(request, pk)
    message = ""
    if request.method == "POST":
        try:
            reports.report(found, request.POST.get("side", ""), request.POST.get("reason", ""))
        except ValueError as error:
            message = str(error)
        else:
            return redirect(found)
    context = _context(voter, found, []) | {"message": message}
    return render(request, "arena/report.html", context, status=400 if message else 200)


def _own(request: HttpRequest, pk: UUID) -> tuple[Voter, Battle]:
    """The voter, and a battle of theirs; somebody else's does not exist for them."""
    voter = voters.current(request)
    if voter is None:
        raise Http404("Voting needs this site's cookie.")
    related = ("voter", "left__image_model", "right__image_model", "prompt__competition__category", "vote")
    return voter, get_object_or_404(voter.battles.select_related(*related), pk=pk)


def _is_open(battle: Battle) -> bool:
    return not hasattr(battle, "vote") and battle.skipped_at is None and not battle.is_expired


def _context(voter: Voter, battle: Battle, following: list[Battle]) -> dict[str, Any]:
    category = battle.prompt.competition.category
    return {
        "battle": battle,
        "vote": getattr(battle, "vote", None),
        "open": _is_open(battle),
        "category": category,
        "competition": battle.prompt.competition,
        "prompt": battle.prompt,
        "progress": voter_progress.of(voter, category),
        "following": following,
        # Pages of single images name their makers: not while another pair of this prompt waits for an answer.
        "held_back": hasattr(battle, "vote") and battle.prompt_id in blinding.open_prompts(voter),
        "reported": not _is_open(battle) and battle.reports.exists(),
        "reasons": Report.Reason,
    }


def _refuse(request: HtmxRequest, voter: Voter, battle: Battle, message: str, *, status: int) -> HttpResponse:
    """The battle as it stands, with the reason on top: nothing is lost, and it says how to go on."""
    template = "arena/_battle.html" if request.htmx else "arena/battle.html"
    response = render(request, template, _context(voter, battle, []) | {"message": message}, status=status)
    response["HX-Push-Url"] = "false"  # the address of a POST is no place to come back to
    return response
