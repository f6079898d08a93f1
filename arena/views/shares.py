"""Links to answered pairs: made by their voter, opened blind by anybody."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from arena import blinding, shares, voters
from arena.battle_page import page as battle_page
from arena.battle_page import round_card
from arena.models import Battle, Category, Entry, Prompt, Share
from arena.shares import card as share_card
from arena.views.images import PUBLIC_SECONDS, blind_image
from providers.cache import ProcessCache


@never_cache
@require_POST
def pair(request: HttpRequest, pk: UUID) -> HttpResponseBase:
    """Share one answered battle of this voter."""
    public = Battle.objects.filter(prompt__in=Prompt.objects.all())
    battle = get_object_or_404(public, pk=pk, voter=voters.named(request), vote__isnull=False)
    return _link(request, battle.voter_id, [battle.pk])


@never_cache
@require_POST
def round_of_five(request: HttpRequest, slug: str, number: int) -> HttpResponseBase:
    """Share a finished round of this voter."""
    voter, category = voters.named(request), get_object_or_404(Category.objects, slug=slug)
    card = None if voter is None or not 0 < number < 10_000 else round_card.read(voter, category, number)
    if voter is None or card is None:
        raise Http404("This browser has no such round.")
    return _link(request, voter, [vote.battle for vote in card.votes])


def _link(request: HttpRequest, voter: int, answered: Sequence[UUID]) -> HttpResponseBase:
    link = shares.share(voter, answered)
    if request.accepts("application/json") and not request.accepts("text/html"):
        return JsonResponse({"url": request.build_absolute_uri(link.get_absolute_url())})
    return redirect(link)


@never_cache
@require_safe
def shared(request: HttpRequest, token: str) -> HttpResponse:
    """The first pair that this browser has not answered yet."""
    link = get_object_or_404(Share, token=token)
    given = shares.answers(request, link)
    number = 1 if voters.named(request) == link.voter_id else min(len(given) + 1, len(link.battles))
    return redirect("arena:shared-pair", token=token, number=number)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def shared_pair(request: HttpRequest, token: str, number: str) -> HttpResponse:
    """A shared pair: blind until this browser has answered it, then with names and the choice of its voter, who sees
    their own answer."""
    link = get_object_or_404(Share, token=token)
    is_own = voters.named(request) == link.voter_id
    return _pair(request, link, int(number), shares.answers(request, link), is_own=is_own)


def _pair(request: HttpRequest, link: Share, number: int, given: list[str], *, is_own: bool) -> HttpResponse:
    battle = shares.battle_of(link, number)
    if battle is None or (number > len(given) + 1 and not is_own):
        raise Http404("There is no such pair in this share.")
    if battle.prompt_id in blinding.open_prompts_of(request):
        return render(request, "arena/image_hidden.html", {"prompt": battle.prompt}, status=403)
    row = shares.row_of(battle)
    if row is None:
        context = {"message": gettext("An image of this pair was taken away."), "status": 410}
        return render(request, "arena/ballot_rejected.html", context, status=410)
    if request.method == "POST" and not is_own and number == len(given) + 1:
        try:
            shares.answer(link, battle, request.POST.get("outcome", ""))
        except ValueError as error:
            return HttpResponse(str(error), status=400, content_type="text/plain; charset=utf-8")
        response = redirect("arena:shared-pair", token=link.token, number=number)
        shares.remember(response, request, link, [*given, request.POST["outcome"]])
        return response
    outcome = battle.vote.outcome if is_own else given[number - 1] if number <= len(given) else ""
    page = battle_page.shared(
        request, row, link, number, outcome=outcome, shared_outcome=battle.vote.outcome, is_own=is_own
    )
    return HttpResponse(page)


@require_safe
def image(request: HttpRequest, token: str, number: str, side: str, small: bool = False) -> HttpResponse:
    """An image of a shared pair, as blind as in a battle."""
    battle = shares.battle_of(get_object_or_404(Share, token=token), int(number))
    entry = None if battle is None else battle.left if side == "left" else battle.right
    if entry is None or entry.hidden_at is not None or entry.retired_at is not None:
        raise Http404("This image is not shown any more.")
    return blind_image(entry.small if small else entry.image)


# By the entries shown, because drawing takes a tenth of a second: one that is taken away is on no card after that.
_cards: ProcessCache[tuple[int, ...], bytes] = ProcessCache(seconds=3600, max_entries=100)


@require_safe
def card(request: HttpRequest, token: str) -> HttpResponse:
    """The picture for where the link is posted."""
    link = get_object_or_404(Share, token=token)
    entries = shares.shown_entries(link)
    picture = _cards.get_or_compute(tuple(entry.pk for entry in entries), lambda: _draw(entries))
    headers = {"Cache-Control": f"public, max-age={PUBLIC_SECONDS}", "X-Robots-Tag": "noindex"}
    return HttpResponse(picture, content_type="image/jpeg", headers=headers)


def _draw(entries: Sequence[Entry]) -> bytes:
    pictures = []
    for entry in entries:
        with entry.thumbnail.open("rb") as file:
            pictures.append(file.read())
    return share_card.draw(pictures, site_name=settings.SITE_NAME, is_demo=settings.DEMO)
