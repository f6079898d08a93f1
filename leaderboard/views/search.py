"""Search."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from leaderboard.chooser import search as finder


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    query = request.GET.get("q", "").strip()
    results = finder.find(query)
    status = 400 if results.message and query else 200
    return render(request, "leaderboard/search.html", {"query": query, "results": results}, status=status)
