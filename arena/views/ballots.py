"""The start page's pair: its images, and the first vote of somebody who had no cookie yet."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from arena import ballots, battles, voters
from arena.models import Entry
from arena.views.images import blind_image


@require_safe
def image(request: HttpRequest, token: str) -> HttpResponse:
    entry = ballots.unseal_image(token)
    found = Entry.objects.filter(pk=entry).first() if entry is not None else None
    if found is None:
        raise Http404("This image is not shown any more.")
    return blind_image(found.small)


@never_cache
@require_POST
def cast(request: HttpRequest) -> HttpResponse:
    """The vote makes the voter and the battle; the battle's own page then names the models."""
    try:
        ballot = ballots.unseal(request.POST.get("ballot", ""))
        voter = voters.welcome(request)
        battle = ballots.cast(ballot, voter, request.POST.get("outcome", ""))
    except ballots.BadBallot as error:
        return _refuse(request, str(error), 410)
    except ValueError as error:
        return _refuse(request, str(error), 400)
    except battles.VoteRejected as error:
        return _refuse(request, str(error), 409)
    response = redirect(battle)
    voters.remember(response, voter)
    return response


def _refuse(request: HttpRequest, message: str, status: int) -> HttpResponse:
    return render(request, "arena/ballot_refused.html", {"message": message, "status": status}, status=status)
