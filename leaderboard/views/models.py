"""The catalogue and a model’s own page, also as Markdown, with all its images, and as a card to share."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from arena import blinding
from leaderboard import rights
from leaderboard.board_page import pictures
from leaderboard.chooser import catalogue
from leaderboard.chooser.catalogue import CatalogueFilters, CatalogueRow
from leaderboard.page_cache import cached_page
from leaderboard.profiles import competitions, json_ld
from leaderboard.profiles import model as profile
from leaderboard.social_cards import model as cards
from providers import accounts
from providers.gateway import code_examples
from providers.models import ImageModel


@dataclass(frozen=True, slots=True)
class Lane:
    """Rows under one head; `folded` of them are behind a link with the query `unfold`."""

    title: str
    note: str
    rows: Sequence[CatalogueRow]
    folded: int = 0
    unfold: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """A filter of the toolbar; `value` is the chosen option, "" for none."""

    name: str
    label: str
    options: Sequence[tuple[str, str]]
    value: str


# A sort's key ("" where nothing sorts by it), the column's head and class.
COLUMNS = (
    ("model", "Model", "col-model"),
    ("price", "Price", "number col-price"),
    ("seconds", "Seconds", "number col-seconds"),
    ("elo", "Elo", "number col-elo"),
    ("largest", "Largest", "col-largest"),
    ("", "Edits", "col-edits"),
    ("", "Commercial use", "col-licence"),
    ("", "Providers", "col-providers"),
    ("released", "Released", "number col-released"),
)


@require_safe
@cached_page(*catalogue.PARAMETERS, blind=True)
def models(request: HttpRequest) -> HttpResponse:
    task = catalogue.task_of(request.GET.dict())
    rows = catalogue.rows(task)
    filters = catalogue.read(request.GET.dict(), rows)
    shown = catalogue.shown(rows, filters)
    category = catalogue.category_of(task)
    rated = [row.image_model.pk for row in shown if row.rating]
    hidden = _hidden(request)
    context = {
        "rows": rows,
        "count": len(shown),
        "filters": filters,
        "verdict": catalogue.verdict(rows, shown, filters),
        "lanes": _lanes(shown, filters),
        "tools": _tools(rows, filters),
        "columns": COLUMNS,
        "direction": "descending" if catalogue.SORTS[filters.sort][1] else "ascending",
        "images": pictures.of_models(category, rated, hidden) if category else {},
        "hidden": hidden,
    }
    return render(request, "leaderboard/models.html", context, status=400 if filters.errors else 200)


def _lanes(shown: Sequence[CatalogueRow], filters: CatalogueFilters) -> list[Lane]:
    rated = [row for row in shown if row.rating]
    imported = [row for row in shown if not row.rating and row.image_model.origin == ImageModel.Origin.IMPORTED]
    others = [row for row in shown if not row.rating and row not in imported]
    folded = len(rated) - catalogue.FOLD if others and "rated" not in filters.given else 0
    early = all(row.rating and row.rating.place.is_tied_with_all for row in rated)
    lanes = [
        Lane(
            f"{len(rated)} rated by votes",
            f"too early: all {len(rated)} could be first" if early and len(rated) > 1 else "",
            rated[: catalogue.FOLD] if folded > 0 else rated,
            max(folded, 0),
            filters.query(rated="all"),
        ),
        Lane(
            f"{len(others)} not rated yet",
            "nobody has voted on their images here; price, rights and speed are known all the same",
            others,
        ),
        Lane(f"{len(imported)} known from imported votes only", "nobody sells them here", imported),
    ]
    return [lane for lane in lanes if lane.rows]


def _tools(rows: Sequence[CatalogueRow], filters: CatalogueFilters) -> list[Tool]:
    given = filters.given
    labs = {row.image_model.lab.slug: row.image_model.lab.name for row in rows if row.image_model.lab}
    providers = sorted({key for row in rows for key in row.facts.providers}, key=accounts.name_of)
    return [
        Tool("task", "Task", list(catalogue.TASKS.items()), given.get("task", "")),
        Tool("price", "Price", _limits(("0.01", "0.02", "0.05", "0.10"), given.get("price", ""), "up to ${}"),
             given.get("price", "")),
        Tool("seconds", "Seconds", _limits(("2", "5", "10", "30"), given.get("seconds", ""), "up to {}"),
             given.get("seconds", "")),
        Tool("rights", "Commercial", [("", "any"), *((key, key) for key in rights.ANSWERS)], filters.rights),
        Tool("edits", "Edits", [("", "any"), ("yes", "yes")], "yes" if filters.edits else ""),
        Tool("provider", "Provider", [("", "any"), *((key, accounts.name_of(key)) for key in providers)],
             filters.provider),
        Tool("lab", "Lab", [("", "any"), *sorted(labs.items(), key=lambda lab: lab[1].casefold())], filters.lab),
    ]  # fmt: skip


def _limits(usual: Sequence[str], given: str, text: str) -> list[tuple[str, str]]:
    values = usual if given in ("", *usual) else (*usual, given)
    return [("", "any"), *((value, text.format(value)) for value in values)]


@require_safe
@cached_page("board", blind=True)
def model(request: HttpRequest, slug: str) -> HttpResponse:
    image_model = _found(slug)
    base = base_url(request)
    model_profile = profile.of_model(image_model, base, request.GET.get("board", ""), _hidden(request))
    context = {
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
    return render(request, "leaderboard/model.html", context)


@require_safe
@cached_page(blind=True)
def gallery(request: HttpRequest, slug: str) -> HttpResponse:
    image_model = _found(slug)
    entries = competitions.entries_of(image_model)
    shown = competitions.shown(entries, _hidden(request))
    context = {"image_model": image_model, "entries": shown, "hidden": len(shown) < len(entries)}
    return render(request, "leaderboard/model_images.html", context)


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
@cache_control(public=True, max_age=600)
def model_card(request: HttpRequest, slug: str) -> HttpResponse:
    return HttpResponse(cards.of_model(_found(slug), request.get_host()), content_type="image/jpeg")


def base_url(request: HttpRequest) -> str:
    """Of our API, as the reader of this page reaches it."""
    return request.build_absolute_uri("/openai/v1")


def _found(slug: str) -> ImageModel:
    models = profile.with_outcomes(ImageModel.objects.select_related("lab"))
    image_model: ImageModel = get_object_or_404(models, slug=slug)
    return image_model


def _hidden(request: HttpRequest) -> Collection[int]:
    """Prompts this reader is being asked about: their images must not be seen beside a model's name."""
    return blinding.open_prompts_of(request)
