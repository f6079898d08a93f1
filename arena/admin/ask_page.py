"""Ask the models: the price first, a confirmation with the sum, then how every model is coming along."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from arena import generation
from arena.admin.shared import number_of
from arena.generation import cost_estimates, spend_cap
from arena.generation.cost_estimates import Quote
from arena.models import Competition, Generation
from providers.files import file_store
from providers.offering.pricing import usd
from providers.spending import daily_cap

Status = Generation.Status


def page(model_admin: admin.ModelAdmin[Competition], request: HttpRequest, pk: int) -> HttpResponse:
    """GET: prices and progress. POST `action`: review, ask, pause, resume, cancel, retry."""
    competition = _competition(model_admin, request, pk)
    if request.method == "POST":
        action = ACTIONS.get(request.POST.get("action", "review"))
        response = action(model_admin, request, competition) if action else None
        return response or redirect(request.path)
    quotes = cost_estimates.of(competition)
    askable = [quote for quote in quotes if quote.provider]
    ticked = _ticked(askable, request.GET)
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Ask the models",
        "opts": model_admin.model._meta,
        "quotes": askable,
        "prompts": competition.prompts.current().count(),
        "all_missing": cost_sentence(askable, again=False),
        "ticked": {quote.image_model.pk for quote in ticked},
        **_sums(ticked, again="again" in request.GET),
        "today": daily_cap.today(),
        "daily_cap": daily_cap.cap(),
        "troubles": [(quote, quote.trouble) for quote in askable if quote.trouble],
        **_progress(competition, quotes),
    }
    return render(request, "admin/arena/competition/ask.html", context)


def progress(model_admin: admin.ModelAdmin[Competition], request: HttpRequest, pk: int) -> HttpResponse:
    """The fragment that refreshes itself while images are being generated."""
    competition = _competition(model_admin, request, pk)
    context = _progress(competition, cost_estimates.of(competition))
    return render(request, "admin/arena/competition/_ask_progress.html", context)


def total(model_admin: admin.ModelAdmin[Competition], request: HttpRequest, pk: int) -> HttpResponse:
    """The fragment with the sum of the models that are ticked."""
    competition = _competition(model_admin, request, pk)
    chosen = _chosen(cost_estimates.of(competition), request.GET.getlist("model"))
    return render(request, "admin/arena/competition/_ask_total.html", _sums(chosen, "again" in request.GET))


# ?tick= → which models a page opens with as ticked; none unless it says so, or names them.
TICKS: dict[str, Callable[[Quote], bool]] = {
    "missing": lambda quote: quote.missing > 0,
    "priced": lambda quote: quote.missing > 0 and not quote.is_unpriced,
    "free": lambda quote: quote.missing > 0 and quote.simulated,
}


def _ticked(askable: list[Quote], query: QueryDict) -> list[Quote]:
    """The models that a page opens with as ticked: `?model=` by number, as after a refusal, else by `?tick=`."""
    if "model" in query:
        return _chosen(askable, query.getlist("model"))
    rule = TICKS.get(query.get("tick", ""))
    return [quote for quote in askable if rule(quote)] if rule else []


def _again(request: HttpRequest) -> HttpResponse:
    """Back to the page, with what was ticked."""
    query = QueryDict(mutable=True)
    query.setlist("model", request.POST.getlist("model"))
    if "again" in request.POST:
        query["again"] = "on"
    return redirect(f"{request.path}?{query.urlencode()}")


def _competition(model_admin: admin.ModelAdmin[Competition], request: HttpRequest, pk: int) -> Competition:
    competition = get_object_or_404(Competition.everything.select_related("category"), pk=pk)
    if not model_admin.has_change_permission(request, competition):
        raise PermissionDenied
    return competition


def _progress(competition: Competition, quotes: list[Quote]) -> dict[str, Any]:
    rows = [quote for quote in quotes if quote.counts.planned]
    ahead = 0 if competition.paused_at else generation.ahead_of(competition)
    return {
        "competition": competition,
        "rows": rows,
        "unfinished": sum(quote.counts.unfinished for quote in rows),
        "queued": sum(quote.counts.queued for quote in rows),
        "done": sum(quote.counts.done for quote in rows),
        "failed": sum(quote.counts.failed for quote in rows),
        "planned": sum(quote.counts.planned for quote in rows),
        "ahead": _images(ahead) if ahead else "",
        "failure_kinds": _failure_kinds(competition, rows),
        "spent": spend_cap.of(competition),
        "store_trouble": file_store.trouble(),
    }


@dataclass(frozen=True, slots=True)
class FailureKind:
    """What failed for one reason, of all models that can be asked again."""

    outcome: str
    example: str  # the error of one of them
    models: list[int]
    images: int


def _failure_kinds(competition: Competition, quotes: list[Quote]) -> list[FailureKind]:
    """The reasons for which images failed, the most frequent first; refusals of the content are none."""
    examples = dict(_failed(competition).order_by().values_list("outcome").annotate(Max("error")))
    counts: dict[str, dict[int, int]] = {}
    for quote in quotes:
        for outcome, count in quote.counts.failed_otherwise if quote.provider else ():
            counts.setdefault(outcome, {})[quote.image_model.pk] = count
    kinds = [
        FailureKind(outcome, examples.get(outcome) or "", list(models), sum(models.values()))
        for outcome, models in counts.items()
    ]
    return sorted(kinds, key=lambda kind: -kind.images)


def _chosen(quotes: list[Quote], models: list[str]) -> list[Quote]:
    return [quote for quote in quotes if quote.provider and str(quote.image_model.pk) in models]


def _total(quotes: list[Quote], again: bool = False) -> Decimal:
    """US dollars, as far as prices are known."""
    return sum((quote.asks(again) * quote.real_price for quote in quotes), Decimal(0))


def _sums(chosen: list[Quote], again: bool) -> dict[str, Any]:
    return {
        "chosen": chosen,
        "again": again,
        "images": sum(quote.asks(again) for quote in chosen),
        "total": _total(chosen, again),
        "sentence": cost_sentence(chosen, again),
    }


def cost_sentence(chosen: list[Quote], again: bool) -> str:
    """What asking these models would cost, and what the sum counts where no price is known."""
    images = sum(quote.asks(again) for quote in chosen)
    models = sum(quote.asks(again) > 0 for quote in chosen)
    unpriced = sum(quote.asks(again) > 0 and quote.is_unpriced for quote in chosen)
    verb = "costs" if images == 1 else "cost"
    sentence = f"{_images(images)} of {_models(models)} {verb} about {usd(_total(chosen, again))}."
    if not unpriced:
        return sentence
    ceiling = usd(settings.UNKNOWN_PRICE_CEILING)
    return f"{sentence} That counts {ceiling} for each image of {_models(unpriced)} whose price is not known."


# What the buttons do; None goes back to the page ──────────────────────────────────────────────────────────────────────


def _review(
    model_admin: admin.ModelAdmin[Competition], request: HttpRequest, competition: Competition
) -> HttpResponse | None:
    """The confirmation with the sum."""
    quotes, again = cost_estimates.of(competition), "again" in request.POST
    chosen = _chosen(quotes, request.POST.getlist("model"))
    sums = _sums(chosen, again)
    if not chosen:
        messages.warning(request, "Nothing was asked: choose at least one model.")
        return None
    if error := spend_cap.refusal(competition, quotes, chosen, again):
        messages.error(request, error)
        return _again(request)
    if not sums["images"]:
        messages.info(request, "Nothing is missing: these models have already been asked.")
        return None
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Ask the models?",
        "question": f"Ask for {_images(sums['images'])}, about {usd(sums['total'])}",
        "opts": model_admin.model._meta,
        "competition": competition,
        **sums,
    }
    return render(request, "admin/arena/competition/ask_confirm.html", context)


def _ask(
    model_admin: admin.ModelAdmin[Competition], request: HttpRequest, competition: Competition
) -> HttpResponse | None:
    quotes, again = cost_estimates.of(competition), "again" in request.POST
    chosen = _chosen(quotes, request.POST.getlist("model"))
    sums = _sums(chosen, again)
    if request.POST.get("confirmed") != f"{sums['images']} for {sums['total']}":
        return _review(model_admin, request, competition)  # what would be bought is not what was confirmed
    if error := spend_cap.refusal(competition, quotes, chosen, again):
        messages.error(request, error)
        return _again(request)
    image_models = [quote.image_model for quote in chosen]
    queued = generation.plan_all(competition, image_models)
    if again:
        prompts = competition.prompts.current()
        queued += generation.retry_failed(_failed(competition).filter(prompt__in=prompts, image_model__in=image_models))
    text = f"{_images(queued)} of {_models(len(chosen))} queued, for about {usd(sums['total'])}."
    messages.success(request, text)
    model_admin.log_change(request, competition, f"Asked the models: {text}")
    return None


def _pause(model_admin: admin.ModelAdmin[Competition], request: HttpRequest, competition: Competition) -> None:
    if Competition.everything.filter(pk=competition.pk, paused_at=None).update(paused_at=timezone.now()):
        model_admin.log_change(request, competition, "Paused.")
    messages.success(request, "Paused: what is queued waits. What was sent already comes in.")


def _resume(model_admin: admin.ModelAdmin[Competition], request: HttpRequest, competition: Competition) -> None:
    if Competition.everything.filter(pk=competition.pk, paused_at__isnull=False).update(paused_at=None):
        model_admin.log_change(request, competition, "Resumed.")
    messages.success(request, "Resumed: the workers go on with what is queued.")


def _cancel(model_admin: admin.ModelAdmin[Competition], request: HttpRequest, competition: Competition) -> None:
    """What is queued, of one model if it is named."""
    rows = Generation.objects.of_competition(competition)
    if (image_model := number_of(request.POST.get("model", ""))) is not None:
        rows = rows.filter(image_model=image_model)
    count = generation.cancel(rows, f"Cancelled by {request.user.get_username()}.")
    if count:
        model_admin.log_change(request, competition, f"Cancelled {_images(count)}.")
    messages.success(request, f"{_images(count)} cancelled; what was sent already comes in.")


def _retry(model_admin: admin.ModelAdmin[Competition], request: HttpRequest, competition: Competition) -> None:
    """The images of the chosen models that failed for one reason."""
    quotes, outcome = cost_estimates.of(competition), request.POST.get("outcome", "")
    chosen = [q for q in _chosen(quotes, request.POST.getlist("model")) if outcome in q.counts.failures]
    if not chosen:
        messages.warning(request, "Nothing was asked: choose what to retry.")
        return
    rows = _failed(competition).filter(
        prompt__retired_at=None,
        image_model__in=[quote.image_model for quote in chosen],
        outcome__in=[outcome, ""] if outcome == "internal" else [outcome],
    )
    counts = dict(rows.order_by().values_list("image_model").annotate(Count("pk")))
    retried = [replace(quote, missing=counts.get(quote.image_model.pk, 0)) for quote in chosen]
    if error := spend_cap.refusal(competition, quotes, retried, again=False):
        messages.error(request, error)
        return
    count = generation.retry_failed(rows)
    messages.success(request, f"{_images(count)} queued again.")
    of = str(chosen[0].image_model) if len(chosen) == 1 else _models(len(chosen))
    model_admin.log_change(request, competition, f"Retried {_images(count)} of {of} ({outcome}).")


def _failed(competition: Competition) -> Any:
    return Generation.objects.filter(prompt__competition=competition, status=Status.FAILED)


def _images(count: int) -> str:
    return "1 image" if count == 1 else f"{count:,} images"


def _models(count: int) -> str:
    return "1 model" if count == 1 else f"{count:,} models"


ACTIONS: dict[str, Any] = {
    "review": _review,
    "ask": _ask,
    "pause": _pause,
    "resume": _resume,
    "cancel": _cancel,
    "retry": _retry,
}
