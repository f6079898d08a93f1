"""Boards as they once stood, for good."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from arena.models import Category
from leaderboard.board import snapshots
from leaderboard.models import Snapshot

NEWEST = 31  # of a category on the list; older ones are linked from one to the next


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    snapshots_by_category = [(category, snapshots.dates(category)[:NEWEST]) for category in Category.objects.all()]
    return render(
        request,
        "leaderboard/snapshots.html",
        {"snapshots_by_category": [dates for dates in snapshots_by_category if dates[1]]},
    )


@require_safe
def snapshot(request: HttpRequest, pk: int) -> HttpResponse:
    stored = get_object_or_404(Snapshot.objects.select_related("category"), pk=pk)
    others = snapshots.dates(stored.category)
    context = {
        "snapshot": stored,
        "category": stored.category,
        "rows": snapshots.places(stored),
        "moves": snapshots.moves(stored),
        "before": others.filter(pk__lt=stored.pk).first(),
        "after": others.filter(pk__gt=stored.pk).last(),
    }
    return render(request, "leaderboard/snapshot.html", context)


@require_safe
def snapshot_csv(request: HttpRequest, pk: int) -> HttpResponse:
    """The cells, harmless in a spreadsheet; `?exact` the bytes of the published sha256."""
    stored = get_object_or_404(Snapshot, pk=pk)
    return HttpResponse(
        snapshots.cells_csv(stored, exact="exact" in request.GET),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="snapshot-{stored.pk}.csv"'},
    )
