"""Models side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from arena import blinding
from leaderboard import model_comparison
from leaderboard.board_page import price_and_speed
from leaderboard.board_page.price_and_speed import Facts
from leaderboard.model_comparison import CategoryComparison
from leaderboard.page_cache import cached_page
from leaderboard.rating import verdict
from leaderboard.rating.verdict import Contender, Verdict
from providers.models import ImageModel

MOST = 4  # more columns fit no screen


@require_safe
@cached_page("model")
def pick(request: HttpRequest) -> HttpResponse:
    """A form to choose two to four models; with enough of them, the way to their page."""
    given = list(filter(None, request.GET.getlist("model")))
    chosen = list(dict.fromkeys(given))
    models = list(ImageModel.objects.current().select_related("lab").only("slug", "name", "lab__name"))
    known = {model.slug for model in models}
    unknown = [slug for slug in chosen if slug not in known]
    message = f"There is no model “{unknown[0]}”. Choose from the lists." if unknown else ""
    chosen = [slug for slug in chosen if slug in known]
    if not message and len(chosen) > MOST:
        message = f"{len(chosen)} models are too many for one page; at most {MOST} fit."
    if not message and len(given) > len(chosen) == 1:
        message = "A model cannot be compared with itself. Choose another one for each place."
    if not message and len(chosen) >= 2:
        return redirect(address(chosen))
    slots = [(number, chosen[number - 1] if number <= len(chosen) else "") for number in range(1, MOST + 1)]
    context = {"models": models, "slots": slots, "message": message}
    return render(request, "leaderboard/compare_pick.html", context, status=400 if message else 200)


@require_safe
@cached_page(blind=True)
def compare(request: HttpRequest, **slugs: str) -> HttpResponse:
    """Two to four models. Their order does not matter, so one address is the right one and the others lead there."""
    requested = list(slugs.values())
    by_slug = {row.slug: row for row in ImageModel.objects.filter(slug__in=requested).select_related("lab")}
    if missing := [slug for slug in requested if slug not in by_slug]:
        raise Http404(f"There is no model “{missing[0]}”.")
    if len(set(requested)) < len(requested):  # the form says what is wrong, or leads to those that differ
        return redirect(f"{reverse('leaderboard:compare-pick')}?{urlencode([('model', slug) for slug in requested])}")
    if requested != sorted(requested):
        return redirect(address(requested), permanent=True)
    models = [by_slug[slug] for slug in requested]
    hidden = blinding.open_prompts_of(request)
    known = price_and_speed.of_models([model.pk for model in models])
    arenas = model_comparison.arenas(models)
    again = [("model", slug) for slug in (*requested, "")]
    context = {
        "heading": " or ".join(model.name for model in models) + "?",
        "verdict": _verdict(models, arenas, known),
        "other_models": f"{reverse('leaderboard:compare-pick')}?{urlencode(again)}",
        "models": models,
        "facts": [(model, known.get(model.pk, price_and_speed.Facts())) for model in models],
        "arenas": arenas,
        "has_duels": any(arena.duels for arena in arenas),
        "shared": model_comparison.shared(models, hidden),
        "hidden": hidden,
    }
    return render(request, "leaderboard/compare.html", context)


def _verdict(models: Sequence[ImageModel], arenas: Sequence[CategoryComparison], known: Mapping[int, Facts]) -> Verdict:
    """Of two models: the answer from the first category that rates both, of votes cast here before imported ones."""
    if len(models) != 2:
        return Verdict("")
    one, other = (_contender(model, known.get(model.pk, Facts())) for model in models)
    ordered = sorted(arenas, key=lambda arena: bool(arena.category.source_name))
    arena = next((arena for arena in ordered if all(arena.standings)), None)
    if arena is None:
        rated = [any(arena.standings[index] for arena in arenas) for index in (0, 1)]
        return verdict.of_pair(one, other, rated=(rated[0], rated[1]))
    if not arena.duels:
        return verdict.of_pair(one, other)
    pair = arena.duels[0]
    answer = verdict.of_pair(one, other, share=pair.expected, lower=pair.lower, upper=pair.upper, votes=pair.met.votes)
    return Verdict(answer.claim, answer.value or f"By votes in {arena.category.name}.")


def _contender(model: ImageModel, facts: Facts) -> Contender:
    return Contender(model.name, price=None if facts.price is None else float(facts.price), seconds=facts.seconds)


def address(slugs: list[str]) -> str:
    names = ("one", "two", "three", "four")
    return reverse("leaderboard:compare", kwargs=dict(zip(names, sorted(slugs), strict=False)))
