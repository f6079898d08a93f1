"""The playground's pages: the form, its results, the images of its own visitor."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.views.decorators.cache import cache_control, never_cache
from django.views.decorators.http import require_http_methods, require_safe

from providers import accounts
from providers.files import spool
from providers.gateway import code_examples
from providers.gateway.image_formats import EXTENSIONS
from providers.gateway.views import origin_of
from providers.models import Trial
from providers.web import client_address

from . import forms, trials, visitors
from .forms import FormError, TrialForm

_TYPES = {extension: content_type for content_type, extension in EXTENSIONS.items()}
LATEST = 12


@cache_control(private=True, no_cache=True)  # not no-store: browsers may go back to it without a request
@require_http_methods(["GET", "HEAD", "POST"])
def playground(request: HttpRequest) -> HttpResponse:
    if request.method != "POST":
        values, problem = forms.initial(request)
        context = _page(request, values) | ({"problem": problem} if problem else {})
        return render(request, "playground/playground.html", context, status=problem.status if problem else 200)
    visitor = visitors.current(request) or visitors.new()
    try:
        form = forms.read(request)
        if request.POST.get("action") == "price":
            context = _page(request, forms.submitted(request)) | {"prices": _prices(form)}
            return render(request, "playground/playground.html", context)
        group = trials.plan(form, visitor, client_address.network_of(request))
    except FormError as error:
        context = _page(request, forms.submitted(request)) | {"problem": error}
        return render(request, "playground/playground.html", context, status=error.status)
    response = redirect("providers:tried", group)
    visitors.remember(response, visitor)
    return response


@cache_control(private=True, no_cache=True)
@require_safe
def tried(request: HttpRequest, group: UUID) -> HttpResponse:
    """A group of trials, side by side, finished or not."""
    try:
        rows = _group(request, group)
    except Http404:
        return render(request, "playground/gone.html", status=404)
    first = rows[0]
    # Not the seed: with it, the next press of the button would make the same images again.
    values = {"models": [row.image_model.slug for row in rows], "prompt": first.prompt, "size": first.size, "seed": ""}
    return render(request, "playground/playground.html", _page(request, values) | _results(request, rows))


@never_cache
@require_safe
def results(request: HttpRequest, group: UUID) -> HttpResponse:
    """The fragment that replaces itself until all trials are over."""
    return render(request, "playground/_results.html", _results(request, _group(request, group)))


@require_safe
def image(request: HttpRequest, pk: UUID) -> HttpResponse:
    """An image, for its own visitor only."""
    visitor = visitors.current(request)
    trial = get_object_or_404(Trial.objects.of(visitor).filter(status="done"), pk=pk)
    try:
        content = spool.read(trial.file)
    except FileNotFoundError as error:
        raise Http404("This image is deleted.") from error
    headers = {"Cache-Control": "private, max-age=86400, immutable", "X-Content-Type-Options": "nosniff"}
    return HttpResponse(content, content_type=_TYPES[trial.file.rpartition(".")[2]], headers=headers)


def _group(request: HttpRequest, group: UUID) -> list[Trial]:
    visitor = visitors.current(request)
    rows = list(Trial.objects.of(visitor).filter(group=group).select_related("image_model").order_by("position"))
    if not visitor or not rows:
        raise Http404("Images of the playground are stored for a day, for the browser that requested them.")
    return rows


def _page(request: HttpRequest, values: dict[str, Any]) -> dict[str, Any]:
    chosen = [*values["models"], *[""] * forms.MAX_MODELS][: forms.MAX_MODELS]
    visitor = visitors.current(request)
    latest = Trial.objects.of(visitor).filter(status="done").select_related("image_model")[:LATEST] if visitor else []
    return {
        "choices": forms.choices(),
        "values": values,
        "chosen": chosen,
        "sizes": forms.SIZES,
        "own_size": values["size"] not in dict(forms.SIZES) and values["size"],
        "examples": forms.EXAMPLES,
        "latest": latest,
        "longest": forms.MAX_PROMPT,
        "free_budget": trials.free_budget(),
    }


def _results(request: HttpRequest, rows: Sequence[Trial]) -> dict[str, Any]:
    first = rows[0]
    seed = "" if first.seed is None else str(first.seed)
    costs = [row.cost for row in rows if row.cost is not None and not accounts.is_simulated(row.provider)]
    query = [("model", row.image_model.slug) for row in rows]
    query += [("prompt", first.prompt), ("size", first.size), ("seed", seed)]
    fields = {"prompt": first.prompt, "size": first.size, "seed": first.seed, "response_format": "url"}
    base_url = f"{origin_of(request)}/openai/v1"
    return {
        "group": first.group,
        "trials": rows,
        "running": not all(row.is_over for row in rows),
        "over": sum(row.is_over for row in rows),
        "total": sum(costs, Decimal(0)) if costs else None,
        "code": code_examples.examples(
            base_url, [row.image_model.slug for row in rows], fields, edit=first.mode == "edit"
        ),
        "here": reverse("providers:tried", args=[first.group]),
        "seed": seed,
        "with_seed": f"{reverse('providers:playground')}?{urlencode(query)}",
    }


def _prices(form: TrialForm) -> dict[str, Any]:
    rows = [(model, *trials.price_of(model, api_request)) for model, api_request in form.requests.items()]
    known = [price for _, price, _ in rows if price is not None]
    return {"rows": rows, "total": sum(known, Decimal(0)), "complete": len(known) == len(rows)}
