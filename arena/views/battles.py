"""Voting: the pair a voter owes, what comes to the screen, the vote, the skip, the report."""

from __future__ import annotations

import functools
from collections.abc import Callable
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe
from django_htmx.http import HttpResponseClientRedirect, HttpResponseClientRefresh

from arena import battles, invitations, reports, voters, voting
from arena.battle_page import page as battle_page
from arena.battle_page import reveal_registry
from arena.battles import ballots, competition_choice, skips, voter_state
from arena.battles.competition_choice import CompetitionChoice
from arena.battles.rows import BattleRow
from arena.battles.voter_state import VoterState
from arena.generation import progress as generation_progress
from arena.htmx import HtmxRequest
from arena.integrity import networks
from arena.models import Category
from arena.voters import progress as voter_progress

AHEAD = 2  # pairs a browser holds beyond the one on its screen; a fast voter would empty one


@never_cache
@require_safe
def arena(request: HtmxRequest, slug: str) -> HttpResponse:
    """The page of the battle that is this voter's to answer; of a ballot, for a browser without a voter's cookie."""
    category = invitations.category_or_404(request, slug)
    choice = competition_choice.of(request, category.pk)
    if choice.competition == competition_choice.NOT_OPEN:
        return _not_open(request, category, choice)
    voter = voters.named(request)
    state = None if voter is None else battles.serve_state(voter, category.pk, choice)
    if state is not None and state.battle is not None:
        following = battles.ahead(state, 1, choice=choice)
        response = HttpResponse(battle_page.page(request, state.battle, state, choice=choice, following=following))
        if request.htmx:
            response["HX-Push-Url"] = f"{state.battle.url}{choice.query}"
        return response
    drawn = ballots.of_browser(request, category, choice) if state is None else None
    if drawn is None:
        return _nothing(request, category, state, choice)
    ballot, row = drawn
    response = HttpResponse(battle_page.page(request, row, VoterState(0, 0, 0, 0, 0, b"", row, []), choice=choice))
    ballots.remember(response, request, ballot, choice)
    return response


def _not_open(request: HttpRequest, category: Category, choice: CompetitionChoice) -> HttpResponse:
    """No pair of another competition in place of the one that was asked for: 400 where there is none of this name,
    410 once it is over, 200 where its pairs are still to come."""
    known = competition_choice.published(category, choice)
    making = generation_progress.of(category) if known is not None and known.is_open else None
    context = {"category": category, "competition": known, "slug": choice.slug, "making": making}
    context["wait"] = f"{reverse('arena:wait', args=[category.slug])}{choice.query}"
    status = 400 if known is None else 410 if known.is_over else 200
    return render(request, "arena/not_open.html", context, status=status)


def _nothing(
    request: HttpRequest, category: Category, state: VoterState | None, choice: CompetitionChoice
) -> HttpResponse:
    context = {
        "category": category,
        "choice": choice,
        "wait": f"{reverse('arena:wait', args=[category.slug])}{choice.query}",
        "progress": voter_progress.of(None if state is None else state.voter, category),
        "making": generation_progress.of(category),
        "ranking_url": reveal_registry.extras.ranking_url(category.slug),
        "board_url": category.get_absolute_url()
        if category.is_private
        else reveal_registry.extras.board_url(category.slug),
    }
    return render(request, "arena/nothing.html", context)


@never_cache
@require_safe
def wait(request: HttpRequest, slug: str) -> HttpResponse:
    """The fragment that replaces itself while the models are at work, and leads to the first pair that is there."""
    category = invitations.category_or_404(request, slug)
    voter = voters.named(request)
    choice = competition_choice.of(request, category.pk)
    state = None if voter is None else battles.serve_state(voter, category.pk, choice)
    if state is not None and state.battle is not None:
        return HttpResponseClientRedirect(f"{state.battle.url}{choice.query}")
    generating = generation_progress.of(category)
    if generating is None or (state is None and choice.pool(category.pk).size):
        return HttpResponseClientRefresh()
    return render(request, "arena/_making.html", {"making": generating, "wait": request.get_full_path()})


View = Callable[..., HttpResponse]


def _of_voter(view: View) -> View:
    """The view of a battle gets the state of the voter whose battle it is; somebody else's does not exist for them.

    A browser that sends a ballot back becomes a voter by it, and gets the cookie.
    """

    @functools.wraps(view)
    def with_state(request: HttpRequest, pk: UUID) -> HttpResponse:
        voter, ballot = voters.named(request), None
        if voter is None:
            ballot = ballots.find(request, pk)
            if ballot is None:
                raise Http404("Voting needs this site's cookie.")
            try:
                voter = ballots.adopt(request, ballot)
            except ballots.BadBallot as error:
                context = {"message": str(error), "status": error.status}
                return render(request, "arena/ballot_rejected.html", context, status=error.status)
        state = voter_state.look_at(voter, pk)
        if state is None or state.battle is None:
            raise Http404("This battle is not this voter's.")
        if state.battle.is_private and not invitations.may_see(request, state.battle.category):
            raise Http404("The invitation to this battle is not valid any more.")
        response = view(request, state, state.battle)
        if ballot is not None:
            voters.remember(response, voter)
            ballots.forget(response, request, ballot)
        return response

    return with_state


@never_cache
@require_safe
def battle(request: HttpRequest, pk: UUID) -> HttpResponse:
    try:
        return _battle(request, pk)
    except Http404:
        return render(request, "arena/not_yours.html", status=404)


@_of_voter
def _battle(request: HttpRequest, state: VoterState, row: BattleRow) -> HttpResponse:
    if row.served_at is None and row.is_open:
        try:
            state, row = _shown(state)
        except battles.VoteRejected:
            query = competition_choice.of(request, row.category).query
            return redirect(f"/arena/{row.category_slug}/{query}")
    choice = competition_choice.of(request, row.category)
    following = battles.ahead(state, 1, choice=choice) if row.is_open else None
    message = reports.answer(row.pk) if row.is_reported and row.outcome is None else ""
    return HttpResponse(battle_page.page(request, row, state, choice=choice, following=following, message=message))


def _shown(state: VoterState) -> tuple[VoterState, BattleRow]:
    state = battles.show(state)
    assert state.battle is not None
    return state, state.battle


@never_cache
@require_POST
@_of_voter
def show(request: HttpRequest, state: VoterState, row: BattleRow) -> HttpResponse:
    """A pair that was loaded ahead is on the screen now."""
    try:
        battles.show(state)
    except (battles.AlreadyVoted, battles.BattleSkipped) as error:  # no conflict: a quick answer may overtake this
        return HttpResponse(str(error), content_type="text/plain; charset=utf-8")
    except battles.VoteRejected as error:
        return HttpResponse(str(error), status=409, content_type="text/plain; charset=utf-8")
    return HttpResponse(status=204)


@never_cache
@require_POST
@_of_voter
def vote(request: HtmxRequest, state: VoterState, row: BattleRow) -> HttpResponse:
    """Take the answer; the reply – and only it – names the models, and brings the pairs that come after.

    Those are drawn before the vote is stored. Nothing of a vote that cannot be taken is decided here: the statement
    stores nothing then, and `voting.explain` says why.
    """
    choice = competition_choice.of(request, row.category)
    following = battles.ahead(state, AHEAD, choice=choice, durable=False) if request.htmx else None
    try:
        cast = voting.cast(row, request.POST.get("outcome", ""))
        if cast is None:
            voting.explain(row.pk, request.POST["outcome"])
    except ValueError as error:
        return _rejection(request, state, str(error), status=400)
    except battles.BattleExpired as error:
        return _rejection(request, state, str(error), status=410)
    except battles.VoteRejected as error:
        return _rejection(request, state, str(error), status=409)
    if not request.htmx:
        return redirect(f"{row.url}{choice.query}")
    if cast is None:
        state, row = _again(state)
    return HttpResponse(battle_page.section(request, row, state, choice=choice, cast=cast, following=following))


@never_cache
@require_POST
@_of_voter
def skip(request: HtmxRequest, state: VoterState, row: BattleRow) -> HttpResponse:
    """Put the battle aside and go on to the next."""
    try:
        skips.skip(row)
    except skips.TooManySkips as error:
        return _rejection(request, state, str(error), status=409, is_later=True)
    except battles.VoteRejected as error:
        return _rejection(request, state, str(error), status=409)
    choice = competition_choice.of(request, row.category)
    following = battles.serve_state(state.voter, row.category, choice) if request.htmx else None
    if following is None or following.battle is None:
        return redirect(f"/arena/{row.category_slug}/{choice.query}")
    ahead = battles.ahead(following, AHEAD, choice=choice)
    section = battle_page.section(request, following.battle, following, choice=choice, following=ahead)
    response = HttpResponse(section)
    response["HX-Push-Url"] = f"{following.battle.url}{choice.query}"
    return response


@never_cache
@_of_voter
def report(request: HttpRequest, state: VoterState, row: BattleRow) -> HttpResponse:
    """Say what is wrong with an image. The battle is void; its page says thanks."""
    message, choice = "", competition_choice.of(request, row.category)
    if request.method == "POST":
        try:
            side, reason = request.POST.get("side", ""), request.POST.get("reason", "")
            reports.report(row.battle, side, reason, network=networks.of(request).address)
        except ValueError as error:
            message = str(error)
        else:
            return redirect(f"{row.url}{choice.query}")
    page = battle_page.page(request, row, state, choice=choice, message=message, template="arena/report.html")
    return HttpResponse(page, status=400 if message else 200)


def _again(state: VoterState) -> tuple[VoterState, BattleRow]:
    """The state as it is by now."""
    assert state.battle is not None
    current = voter_state.look_at(state.voter, state.battle.pk)
    assert current is not None
    assert current.battle is not None
    return current, current.battle


def _rejection(
    request: HtmxRequest, state: VoterState, message: str, *, status: int, is_later: bool = False
) -> HttpResponse:
    """The battle as it stands, with the reason on top: nothing is lost, and it says how to go on.

    `is_later` puts the reason in the place of the pair."""
    state, row = _again(state)
    choice = competition_choice.of(request, row.category)
    fill = battle_page.section if request.htmx else battle_page.page
    content = fill(request, row, state, choice=choice, message=message, is_later=is_later)
    response = HttpResponse(content, status=status)
    response["HX-Push-Url"] = "false"  # the URL of a POST is no place to come back to
    return response
