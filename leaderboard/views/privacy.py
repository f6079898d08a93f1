"""What is stored about visitors, and their own votes: to read, to take along, to delete."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from arena import voters
from arena.battles import ballots
from arena.voters import own_votes


@never_cache
@require_safe
def privacy(request: HttpRequest) -> HttpResponse:
    voter = voters.current(request)
    context = {
        "own": None if voter is None else own_votes.count(voter.pk),
        "deleted": request.GET.get("deleted") == "1",
        "network_days": settings.NETWORK_RETENTION_DAYS,
        "battle_days": settings.RETENTION["unanswered battles"],
        "voter_days": settings.RETENTION["voters without battles"],
        "lifetime": settings.BATTLE_LIFETIME // 60,
    }
    return render(request, "leaderboard/privacy.html", context)


@never_cache
@require_safe
def own(request: HttpRequest) -> JsonResponse:
    """The visitor's own votes, as a file."""
    voter = voters.current(request)
    if voter is None:
        raise Http404("This browser has no votes here.")
    response = JsonResponse(own_votes.exported(voter.pk), json_dumps_params={"indent": 1, "ensure_ascii": False})
    response["Content-Disposition"] = 'attachment; filename="my-votes.json"'
    return response


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def delete(request: HttpRequest) -> HttpResponse:
    """Asks first; then the votes do not count any more, and this browser is nobody's."""
    voter = voters.current(request)
    if voter is None:
        raise Http404("This browser has no votes here.")
    if request.method != "POST":
        return render(request, "leaderboard/privacy_delete.html", {"own": own_votes.count(voter.pk)})
    own_votes.delete(voter.pk)
    response = redirect(reverse("leaderboard:privacy") + "?deleted=1")
    response.delete_cookie(voters.COOKIE, samesite="Lax")
    for name in request.COOKIES:
        if name.startswith(ballots.COOKIE):
            response.delete_cookie(name, samesite="Lax")
    return response
