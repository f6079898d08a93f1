"""The catalogue and a model’s own page, also as Markdown, with all its images, and as a card to share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Value
from django.db.models.functions import Replace
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext, gettext_lazy
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from arena import blinding
from arena.models import Category
from arena.views.images import PUBLIC_SECONDS
from leaderboard.board import place_words
from leaderboard.board_page import pictures
from leaderboard.board_page.verdicts import find_ratings
from leaderboard.chooser import abilities, catalogue, catalogue_words, choice, lanes
from leaderboard.chooser.catalogue import CatalogueFilters, CatalogueRow
from leaderboard.chooser.choice import Choice
from leaderboard.chooser.lanes import Lane
from leaderboard.model_facts import rights
from leaderboard.page_cache import cached_page
from leaderboard.profiles import competitions, json_ld, watched
from leaderboard.profiles import model as profile
from leaderboard.rating import verdict as verdicts
from leaderboard.rating.verdict import Contender, Verdict
from leaderboard.social_cards import model as cards
from leaderboard.templatetags.boards import choices_with
from leaderboard.templatetags.images import rights_answer
from providers import accounts
from providers.gateway import code_examples
from providers.models import ImageModel
from providers.spending.money import usd
from providers.web.query_parameters import Parameters
from providers.web.sentence import sentence


@dataclass(frozen=True, slots=True)
class Tool:
    """A filter of the toolbar; `value` is the chosen option, "" for none."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]
    value: str


# A sort's key ("" where nothing sorts by it), the column's head and class.
COLUMNS = (
    ("model", gettext_lazy("Model"), "col-model"),
    ("price", gettext_lazy("Price"), "number col-price"),
    ("seconds", gettext_lazy("Seconds"), "number col-seconds"),
    ("elo", "Elo", "number col-elo"),
    ("largest", gettext_lazy("Largest"), "col-largest"),
    ("", gettext_lazy("Edits"), "col-edits"),
    ("", gettext_lazy("Commercial use"), "col-licence"),
    ("", gettext_lazy("Providers"), "col-providers"),
    ("released", gettext_lazy("Released"), "number col-released"),
)


# Of competitions.ORDERS, in words.
GALLERY_ORDERS = (gettext_lazy("Newest"), gettext_lazy("Most won"), gettext_lazy("Least won"))


@require_safe
@cached_page(*catalogue.PARAMETERS, blind=True)
def models(request: HttpRequest) -> HttpResponse:
    category, rows, filters = _catalogue(request)
    if filters.for_me:
        return _choice(request, category, rows, filters)
    shown = catalogue.shown(rows, filters)
    verdict = catalogue_words.verdict(rows, shown, filters)
    without = None if shown else catalogue.without(rows, filters)
    context = {"count": len(shown), "loosened": filters.query(**{without[1]: ""}) if without else ""}
    return _table(request, category, rows, filters, verdict, lanes.of_table(shown, filters), context)


def _choice(
    request: HttpRequest, category: Category | None, rows: Sequence[CatalogueRow], filters: CatalogueFilters
) -> HttpResponse:
    """“Which for me?”: the filters as a sentence, and one answer above what fits, may fit and does not."""
    rows = [row for row in rows if row.image_model.origin != ImageModel.Origin.IMPORTED]  # nobody sells those

    def could_be_best(rated: Sequence[CatalogueRow]) -> Sequence[CatalogueRow]:
        ratings = [row.rating for row in rated if row.rating]
        assert category is not None
        finding = find_ratings(category, ratings, category.board)
        return [rated[index] for index in finding.named] if finding.kind in ("lead", "open") else rated

    sold = catalogue.at_provider(rows, filters)
    answer = choice.choose(sold, lambda row: catalogue.fit(row, filters), could_be_best)
    context = {
        "choice": answer,
        "left_out": [(n, catalogue_words.REASONS[reason]) for reason, n in answer.left_out.items()],
        "needs": [(key, words, key in filters.needs) for key, words in catalogue_words.NEEDS.items()],
        "is_choice": True,
    }
    return _table(request, category, rows, filters, _answer(rows, filters, answer), lanes.of_choice(answer), context)


def _catalogue(request: HttpRequest) -> tuple[Category | None, list[CatalogueRow], CatalogueFilters]:
    """The category and the rows of the task that the URL names, and its filters."""
    task = catalogue.task_of(request.GET.dict())
    category = catalogue.category_of(task)
    rows = catalogue.rows(task, category)
    return category, rows, catalogue.read(request.GET, rows)


def _table(
    request: HttpRequest,
    category: Category | None,
    rows: Sequence[CatalogueRow],
    filters: CatalogueFilters,
    verdict: Verdict,
    shown: Sequence[Lane],
    context: dict[str, Any],
) -> HttpResponse:
    rated = [row.image_model.pk for lane in shown for row in lane.rows if row.rating]
    hidden = _hidden(request)
    context |= {
        "rows": rows,
        "filters": filters,
        "verdict": verdict,
        "lanes": shown,
        "tools": _tools(rows, filters),
        "columns": COLUMNS,
        "direction": "descending" if catalogue.SORTS[filters.sort][1] else "ascending",
        "images": pictures.of_models(category, rated, hidden) if category else {},
        "hidden": hidden,
    }
    return render(request, "leaderboard/models.html", context, status=400 if filters.errors else 200)


def _answer(rows: Sequence[CatalogueRow], filters: CatalogueFilters, answer: Choice) -> Verdict:
    best = answer.answer
    price = best.usable_price if best is not None and best.rating else None
    contender = None if best is None else Contender(best.image_model.name)
    without = catalogue.without(rows, filters)
    claim = verdicts.of_choice(
        contender,
        fitting=answer.fitting,
        rated=len(answer.rated),
        is_clear=answer.is_clear,
        usable_price="" if price is None else usd(round(price, 4)),
        without=None if without is None else (without[0], str(catalogue_words.LIMITS[without[1]])),
    ).claim
    value = ""
    if answer.rated and not answer.is_clear and len(answer.rated) > 1:
        value = gettext("Votes do not distinguish it from others yet (%(place)s).") % {
            "place": place_words.text(answer.rated[0].place)
        }
    if answer.rated and answer.unrated and answer.unrated[0].price is not None:
        first = answer.unrated[0]
        if price is None or first.price < price:
            cheaper = gettext("Unrated and cheaper: %(name)s, %(price)s.")
            value = f"{value} {cheaper % {'name': first.image_model.name, 'price': usd(first.price)}}".strip()
    return Verdict(claim, value)


def _tools(rows: Sequence[CatalogueRow], filters: CatalogueFilters) -> list[Tool]:
    given = filters.given
    labs = {row.image_model.lab.slug: row.image_model.lab.name for row in rows if row.image_model.lab}
    providers = sorted(filters.sold_by, key=accounts.name_of)
    anything = ("", gettext("any"))
    price, seconds = given.get("price", ""), given.get("seconds", "")
    rights_ = [(answer, rights_answer(answer)) for answer in rights.ANSWERS]
    tasks = [(task, str(words)) for task, words in catalogue_words.TASKS.items()]
    sizes = [(tier, gettext("up to %(words)s") % {"words": tier}) for tier in abilities.TIERS]
    return [
        Tool("task", gettext("Task"), tasks, given.get("task", "")),
        Tool("price", gettext("Price"), [anything, *_limits(filters, "price")], price),
        Tool("seconds", gettext("Seconds"), [anything, *_limits(filters, "seconds")], seconds),
        Tool("rights", gettext("Commercial"), [anything, *rights_], filters.rights),
        Tool("size", gettext("Size"), [anything, *sizes], filters.size),
        Tool("edits", gettext("Edits"), [anything, ("yes", gettext("yes"))], "yes" if filters.edits else ""),
        Tool("provider", gettext("Provider"), [anything, *((key, accounts.name_of(key)) for key in providers)],
             filters.provider),
        Tool("lab", gettext("Lab"), [anything, *sorted(labs.items(), key=lambda lab: lab[1].casefold())], filters.lab),
    ]  # fmt: skip


def _limits(filters: CatalogueFilters, name: str) -> list[tuple[str, str]]:
    return [(value, gettext("up to %(words)s") % {"words": words}) for value, words in choices_with(filters, name)]


@require_safe
@cached_page("board", blind=True)
def model(request: HttpRequest, slug: str) -> HttpResponse:
    try:
        image_model = _found(slug)
    except Http404:
        if (known := _alias(slug)) is None:
            raise
        return redirect(known, permanent=True)
    base = base_url(request)
    places = profile.places_of(image_model)
    asked = Parameters(request.GET, ["board"])
    board = asked.one_of(
        "board", [row.rating.category.slug for row in places], where=sentence("a board that rates this model")
    )
    model_profile = profile.of_model(image_model, base, board, _hidden(request), places)
    context = {
        "errors": asked.errors,
        "image_model": image_model,
        "profile": model_profile,
        "history": profile.history(image_model, model_profile.category) if model_profile.category else None,
        "parameters": profile.parameters(model_profile),
        "base_url": base,
        "tasks": code_examples.tasks(image_model.slug, base, list(model_profile.tasks)),
        "json_ld": json_ld.of_model(model_profile, request.build_absolute_uri("/")),
        "card": request.build_absolute_uri(cards.address(image_model, model_profile.standings)),
        "playground": f"{reverse('providers:playground')}?model={image_model.slug}"
        if model_profile.can_be_tried
        else "",
    }
    return render(request, "leaderboard/model.html", context, status=400 if asked.errors else 200)


@require_safe
@cached_page("sort", blind=True)
def gallery(request: HttpRequest, slug: str) -> HttpResponse:
    image_model = _found(slug)
    asked = Parameters(request.GET, ["sort"])
    order = asked.one_of("sort", competitions.ORDERS, "new")
    entries = competitions.entries_of(image_model)
    shown = competitions.shown(entries, _hidden(request))
    images = competitions.gallery(image_model, shown, order)
    context = {
        "errors": asked.errors,
        "image_model": image_model,
        "images": images,
        "voted": sum(bool(image.votes) for image in images),
        "hidden": len(shown) < len(entries),
        "orders": zip(competitions.ORDERS, GALLERY_ORDERS, strict=True),
        "order": order,
    }
    return render(request, "leaderboard/model_images.html", context, status=400 if asked.errors else 200)


@require_safe
@cached_page()
def model_markdown(request: HttpRequest, slug: str) -> HttpResponse:
    """The same facts without layout, for those who read pages by program."""
    image_model = _found(slug)
    base = base_url(request)
    model_profile = profile.of_model(image_model, base)
    context = {
        "image_model": image_model,
        "profile": model_profile,
        "base_url": base,
        "page_url": request.build_absolute_uri(image_model.get_absolute_url()),
        "tasks": code_examples.tasks(image_model.slug, base, list(model_profile.tasks)),
    }
    return render(request, "leaderboard/model.md", context, content_type="text/markdown; charset=utf-8")


@require_safe
@cache_control(public=True, max_age=PUBLIC_SECONDS)  # it shows two of the model's images
def model_card(request: HttpRequest, slug: str) -> HttpResponse:
    return HttpResponse(cards.of_model(_found(slug), request.get_host()), content_type="image/jpeg")


def base_url(request: HttpRequest) -> str:
    """Of our API, as the reader of this page reaches it."""
    return request.build_absolute_uri("/openai/v1")


def _found(slug: str) -> ImageModel:
    models = watched.with_watched(profile.with_outcomes(ImageModel.objects.select_related("lab")))
    models = competitions.with_records(models)
    image_model: ImageModel = get_object_or_404(models, slug=slug)
    return image_model


def _alias(slug: str) -> ImageModel | None:
    """The model whose id, written without dots, is this slug."""
    dashed = Replace("slug", Value("."), Value("-"))
    models = ImageModel.objects.current().annotate(dashed=dashed)
    image_model: ImageModel | None = models.filter(dashed=slug.replace(".", "-")).first()
    return image_model


def _hidden(request: HttpRequest) -> Collection[int]:
    """Prompts this reader is being asked about: their images must not be seen beside a model's name."""
    return blinding.open_prompts_of(request)
