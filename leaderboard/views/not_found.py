"""What a URL that nothing answers to gets: a page with the names that it may have meant, or an error in JSON."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from leaderboard.chooser import search

SUGGESTIONS = 5  # of each kind


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    if request.get_preferred_type(["text/html", "application/json"]) == "application/json":
        message = f"There is nothing at {request.path}. /api/v1/ lists what there is."
        return JsonResponse({"error": {"code": "not_found", "message": message, "param": None}}, status=404)
    name = _name(request)
    similar = search.find(name) if name else search.Found()
    suggestions = [*similar.models[:SUGGESTIONS], *similar.labs[:SUGGESTIONS], *similar.competitions[:SUGGESTIONS]]
    return render(request, "404.html", {"name": name, "suggestions": suggestions}, status=404)


def _name(request: HttpRequest) -> str:
    """Of the model, lab or competition that the URL asks for; "" for any other URL, which costs no query."""
    match = request.resolver_match
    if match is None or match.namespace != "leaderboard":
        return ""
    return str(match.kwargs.get("slug", match.kwargs.get("key", "")))
