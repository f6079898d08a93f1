"""Addresses of pages that became filters, strips and presets of others: they lead there for ever."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from arena.models import Category
from leaderboard.competitions import use_cases

# Names that the chooser's parameters once had.
RENAMED = {"budget": "price", "tier": "size", "category": "task"}


@require_safe
def uses(request: HttpRequest) -> HttpResponse:
    """Uses are a filter of the rankings."""
    return redirect("leaderboard:index", permanent=True)


@require_safe
def use(request: HttpRequest, tag: str) -> HttpResponse:
    """To the board that has most to say about the tag, which may be another one tomorrow."""
    category = use_cases.category_of(tag)
    if category is None:
        raise Http404(f"No prompt is tagged “{tag}”. The tags are the uses that the rankings can be filtered by.")
    return redirect(f"{category.get_absolute_url()}?{urlencode({'tag': tag})}")


@require_safe
def week(request: HttpRequest) -> HttpResponse:
    """What moved this week is a strip under each board."""
    return redirect(f"{reverse('leaderboard:index')}#week", permanent=True)


@require_safe
def competitions(request: HttpRequest) -> HttpResponse:
    """The competitions of a category stand under its board."""
    category = Category.objects.filter(slug=request.GET.get("category", "").strip()).first()
    board = category.get_absolute_url() if category else reverse("leaderboard:index")
    return redirect(f"{board}#competitions", permanent=True)


@require_safe
def choose(request: HttpRequest) -> HttpResponse:
    """“Which for me?” is a preset of the catalogue; its parameters keep their meaning in today's words."""
    query = request.GET.copy()
    for old, new in RENAMED.items():
        if value := query.get(old, "").strip():
            if old == "category":
                value = Category.objects.filter(slug=value).values_list("mode", flat=True).first() or value
            query[new] = query.get(new) or value
        query.pop(old, None)
    query["for"] = "me"
    return redirect(f"{reverse('leaderboard:models')}?{query.urlencode()}", permanent=True)
