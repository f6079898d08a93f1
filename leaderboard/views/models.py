"""The catalogue and a model’s own page."""

from __future__ import annotations

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe
from django.views.decorators.vary import vary_on_cookie

from arena import blinding, voters
from leaderboard import standings
from providers.models import ImageModel


@require_safe
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
@vary_on_cookie
def model(request: HttpRequest, slug: str) -> HttpResponse:
    image_model = get_object_or_404(ImageModel.objects.select_related("lab"), slug=slug)
    context = {
        "image_model": image_model,
        "standings": standings.of_model(image_model),
        "competitions": standings.voted_competitions(image_model),
        "price": standings.starting_price(image_model),
        "offerings": image_model.offerings.active(),
        "gallery": standings.gallery(image_model, hidden=blinding.open_prompts(voters.current(request))),
    }
    return render(request, "leaderboard/model.html", context)
