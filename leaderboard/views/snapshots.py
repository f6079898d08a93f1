"""Boards as they once stood, for good."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from leaderboard import snapshots as records
from leaderboard.models import Snapshot


@require_safe
def snapshot(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Snapshot.objects.select_related("category"), pk=pk)
    return render(request, "leaderboard/snapshot.html", {"snapshot": found, "category": found.category})


@require_safe
def snapshot_csv(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Snapshot, pk=pk)
    return HttpResponse(
        records.cells_csv(found),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="snapshot-{found.pk}.csv"'},
    )
