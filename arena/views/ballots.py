"""The first vote of a browser that had no voter's cookie yet, sent from the start page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from arena import battles, voters, voting
from arena.battles import ballots
from arena.models import Battle


@never_cache
@require_POST
def cast(request: HttpRequest) -> HttpResponse:
    """The vote makes the voter and the battle; the battle's own page then names the models."""
    try:
        ballot = ballots.unseal(request.POST.get("ballot", ""))
        battle = ballot.as_battle
        voter = voters.named(request)
        if voter is None:
            if ballots.find(request, battle.pk) is None:
                raise ballots.BadBallot(gettext("This pair was drawn for another browser, or yours keeps no cookies."))
            voter = ballots.adopt(request, ballot)
        elif not Battle.objects.filter(pk=battle.pk, voter=voter).exists():
            raise ballots.BadBallot(gettext("You have pairs of your own by now. Take the next one."))
        voting.cast_vote(battle, request.POST.get("outcome", ""))
    except ballots.BadBallot as error:
        return _rejection(request, str(error), error.status)
    except ValueError as error:
        return _rejection(request, str(error), 400)
    except battles.VoteRejected as error:
        return _rejection(request, str(error), 409)
    response = redirect(battle)
    voters.remember(response, voter)
    ballots.forget(response, request, ballot)
    return response


def _rejection(request: HttpRequest, message: str, status: int) -> HttpResponse:
    return render(request, "arena/ballot_rejected.html", {"message": message, "status": status}, status=status)
