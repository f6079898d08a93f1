"""POST /suggestions/: a visitor of the playground would like a prompt to be voted on."""

from __future__ import annotations

import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from arena import suggestions
from providers.models import Trial
from providers.playground import visitors


@never_cache
@require_POST
def suggest(request: HttpRequest) -> HttpResponse:
    visitor = visitors.current(request)
    try:
        group = uuid.UUID(request.POST.get("trials", ""))
    except ValueError as error:
        raise Http404("Which trials? Suggest a prompt from the playground.") from error
    trials = list(Trial.objects.of(visitor).filter(group=group).order_by("position")) if visitor else []
    if not trials:
        raise Http404("These trials are not this browser's, or they are older than a day.")
    suggestions.suggest(trials)
    return redirect("providers:tried", group)
