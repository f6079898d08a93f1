"""The catalogue and a model’s own page, also as Markdown, with all its images, and as a card to share."""

from __future__ import annotations

from collections.abc import Collection

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import is_valid_path
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from arena import blinding
from leaderboard.page_cache import cached_page
from leaderboard.profiles import competitions, json_ld
from leaderboard.profiles import model as profile
from leaderboard.social_cards import model as cards
from providers.gateway import code_examples
from providers.models import ImageModel


@require_safe
@cached_page("q")
def models(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    image_models = ImageModel.objects.select_related("lab").prefetch_related("ratings__category", "offerings")
    if query:
        image_models = image_models.filter(
            Q(name__icontains=query) | Q(slug__icontains=query) | Q(lab__name__icontains=query)
        )
    groups = [
        (label, [each for each in image_models if each.origin == origin])
        for origin, label in (
            ("catalog", "Catalogue"),
            ("sample", "Sample models"),
            ("imported", "Known from imported votes"),
        )
    ]
    groups.sort(key=lambda group: not any(each.ratings.all() for each in group[1]))  # rated models first
    return render(request, "leaderboard/models.html", {"groups": groups, "query": query})


@require_safe
@cached_page("board", blind=True)
def model(request: HttpRequest, slug: str) -> HttpResponse:
    image_model = _found(slug)
    base = base_url(request)
    found = profile.of_model(image_model, base, request.GET.get("board", ""), _hidden(request))
    context = {
        "image_model": image_model,
        "profile": found,
        "history": profile.history(image_model, found.category) if found.category else None,
        "parameters": profile.parameters(found),
        "base_url": base,
        "tasks": code_examples.tasks(image_model.slug, base, list(found.tasks)),
        "json_ld": json_ld.of_model(found, request.build_absolute_uri("/")),
        "card": request.build_absolute_uri(cards.address(image_model, found.standings)),
        "playground": f"/playground/?model={image_model.slug}" if found.tasks and is_valid_path("/playground/") else "",
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
    found = profile.of_model(image_model, base)
    context = {
        "image_model": image_model,
        "profile": found,
        "base_url": base,
        "page_url": request.build_absolute_uri(image_model.get_absolute_url()),
        "tasks": code_examples.tasks(image_model.slug, base, list(found.tasks)),
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
    found: ImageModel = get_object_or_404(models, slug=slug)
    return found


def _hidden(request: HttpRequest) -> Collection[int]:
    """Prompts this reader is being asked about: their images must not be seen beside a model's name."""
    return blinding.open_prompts_of(request)
