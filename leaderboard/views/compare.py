"""Models side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext
from django.views.decorators.http import require_safe

from arena import blinding
from leaderboard.board.standings import Standing
from leaderboard.board.translation import translated
from leaderboard.comparison import facts, side_by_side
from leaderboard.comparison.side_by_side import CategoryComparison, PairOnPrompts, UseVotes
from leaderboard.model_facts import price_and_speed
from leaderboard.model_facts.price_and_speed import Facts
from leaderboard.page_cache import cached_page
from leaderboard.rating import number_words, verdict
from leaderboard.rating.verdict import Contender, Verdict
from providers.models import ImageModel
from providers.web.query_parameters import Parameters
from providers.web.sentence import sentence

MOST, PAIR = 4, 2  # more columns fit no screen
MAX_NAMED = 24  # names under a search
MAX_OFTEN = 2  # pairs named beside the search of a comparison
FASTER = 1.3  # times as long; less is not worth a word


@require_safe
@cached_page("model", "q")
def pick(request: HttpRequest) -> HttpResponse:
    """Two to four models to choose by name; with enough of them, the way to their page.

    `model` are slugs, `q` a name or a part of one: the only model that it fits is taken, of several one is chosen.
    """
    given = list(filter(None, request.GET.getlist("model")))
    chosen = list(dict.fromkeys(given))
    models = list(ImageModel.objects.current().select_related("lab").only("slug", "name", "lab__name"))
    known = {model.slug: model for model in models}
    unknown = [slug for slug in chosen if slug not in known]
    message = ""
    if unknown:
        message = gettext("There is no model “%(name)s”. Find it by its name.") % {"name": unknown[0]}
    chosen = [slug for slug in chosen if slug in known]
    query = request.GET.get("q", "").strip()[:100]
    named = _named(query, models, chosen) if query else []
    if query and not named and not message:
        message = gettext("No model is called “%(query)s”.") % {"query": query}
    if len(named) == 1:
        chosen, named, query = [*chosen, named[0].slug], [], ""
    if not message and len(chosen) > MOST:
        too_many = gettext("%(models)s models are too many for one page; at most %(most)s fit.")
        message = too_many % {"models": len(chosen), "most": MOST}
    if not message and len(given) > len(chosen) == 1:
        message = gettext("A model cannot be compared with itself. Choose another one.")
    if not message and not named and len(chosen) >= PAIR:
        return redirect(address(chosen))
    context = {
        "models": models,
        "chosen": [known[slug] for slug in chosen[:MOST]],
        "query": query,
        "named": named[:MAX_NAMED],
        "message": message,
        "often": side_by_side.most_met(),
    }
    return render(request, "leaderboard/compare_pick.html", context, status=400 if message else 200)


def _named(query: str, models: Sequence[ImageModel], chosen: Sequence[str]) -> list[ImageModel]:
    """Those not chosen yet that have the query in their name, slug or lab; one of exactly that name alone."""
    text = query.casefold()
    rows = [model for model in models if model.slug not in chosen]
    exact = [model for model in rows if text in (model.name.casefold(), model.slug)]
    if len(exact) == 1:
        return exact
    return [
        model for model in rows if text in f"{model.name} {model.slug} {model.lab.name if model.lab else ''}".casefold()
    ]


@require_safe
@cached_page("first", blind=True)
def compare(request: HttpRequest, **slugs: str) -> HttpResponse:
    """Two to four models. Their order does not matter, so one address is the right one and the others lead there;
    `first` is the slug of the one to stand on the left."""
    requested = list(slugs.values())
    by_slug = {row.slug: row for row in ImageModel.objects.filter(slug__in=requested).select_related("lab")}
    if missing := [slug for slug in requested if slug not in by_slug]:
        raise Http404(f"There is no model “{missing[0]}”.")
    if len(set(requested)) < len(requested):  # the form says what is wrong, or leads to those that differ
        return redirect(f"{reverse('leaderboard:compare-pick')}?{urlencode([('model', slug) for slug in requested])}")
    if requested != sorted(requested):
        return redirect(address(requested), permanent=True)
    asked = Parameters(request.GET, ["first"])
    first = asked.one_of("first", requested, requested[0], where=sentence("one of these models"))
    models = [by_slug[slug] for slug in sorted(requested, key=lambda slug: slug != first)]
    hidden = blinding.open_prompts_of(request)
    known = price_and_speed.of_models([model.pk for model in models])
    arenas = side_by_side.arenas(models)
    on_prompts = side_by_side.between(*models) if len(models) == PAIR else PairOnPrompts({}, {})
    uses = side_by_side.by_use(models[0], models[1], on_prompts.by_tag) if len(models) == PAIR else []
    shared = side_by_side.shared(models, hidden, on_prompts.by_prompt)
    arena = _arena_of(arenas)
    standings: list[Standing | None] = arena.standings if arena else [None] * len(models)
    is_answer = arena is not None and all(standings)
    pair = arena.duels[0] if arena and is_answer and len(models) == PAIR and arena.duels else None
    context = {
        "heading": translated(number_words.either([model.name for model in models])) + "?",
        "verdict": _verdict(models, arena if is_answer else None, arenas, known, uses),
        "models": models,
        "errors": asked.errors,
        "is_pair": len(models) == PAIR,
        "heads": list(zip(models, standings, side_by_side.best_entries(models, shared), strict=True)),
        "pair": pair,
        "others": [other for other in arenas if other.duels and not (pair and other is arena)],
        "arena": arena,
        "rows": facts.of_models(models, standings, known, [other for other in arenas if other is not arena]),
        "uses": uses,
        "arenas": arenas,
        "has_duels": any(arena.duels for arena in arenas),
        "shared": shared,
        "hidden": hidden,
        "is_full": len(models) == MOST,
        "often": [pair for pair in side_by_side.most_met() if set(pair) != set(models)][:MAX_OFTEN],
    }
    return render(request, "leaderboard/compare.html", context, status=400 if asked.errors else 200)


def _arena_of(arenas: Sequence[CategoryComparison]) -> CategoryComparison | None:
    """The category that facts are from: the first that rates most of the models, votes cast here before imported."""
    ordered = sorted(arenas, key=lambda arena: (arena.standings.count(None), bool(arena.category.source_name)))
    return ordered[0] if ordered else None


def _verdict(
    models: Sequence[ImageModel],
    arena: CategoryComparison | None,
    arenas: Sequence[CategoryComparison],
    known: Mapping[int, Facts],
    uses: Sequence[UseVotes],
) -> Verdict:
    """Of two models, from one category; of more there is none."""
    if len(models) != PAIR:
        return Verdict("")
    one, other = (_contender(model, known.get(model.pk, Facts())) for model in models)
    if arena is None:
        rated = [any(arena.standings[index] for arena in arenas) for index in (0, 1)]
        return verdict.of_pair(one, other, rated=(rated[0], rated[1]))
    if not arena.duels:
        return verdict.of_pair(one, other)
    pair = arena.duels[0]
    answer = verdict.of_pair(one, other, share=pair.expected, lower=pair.lower, upper=pair.upper, votes=pair.met.votes)
    return Verdict(answer.claim, answer.value or _worth(one, other, arena, uses))


def _worth(one: Contender, other: Contender, arena: CategoryComparison, uses: Sequence[UseVotes]) -> str:
    """The sentence of value: time, and where the cheaper one does no worse."""
    parts = []
    if one.seconds and other.seconds:
        quick, slow = sorted((one, other), key=lambda model: model.seconds or 0)
        if (slow.seconds or 0) >= FASTER * (quick.seconds or 1):
            part = number_words.fraction((quick.seconds or 0) / (slow.seconds or 1))
            parts.append(gettext("%(name)s takes %(part)s the time.") % {"name": quick.name, "part": translated(part)})
    if one.price is not None and other.price is not None and one.price != other.price:
        cheap = one if one.price < other.price else other
        level = [use.tag for use in uses if not use.votes.is_apart][:2]
        if level and len(level) < len(uses):
            buy = gettext("%(name)s is the better buy for %(uses)s, where votes see no difference.")
            parts.append(buy % {"name": cheap.name, "uses": translated(number_words.both(level))})
    return " ".join(parts) or gettext("By votes in %(category)s.") % {"category": arena.category.name}


def _contender(model: ImageModel, facts: Facts) -> Contender:
    return Contender(model.name, price=None if facts.price is None else float(facts.price), seconds=facts.seconds)


def address(slugs: list[str]) -> str:
    names = ("one", "two", "three", "four")
    return reverse("leaderboard:compare", kwargs=dict(zip(names, sorted(slugs), strict=False)))
