"""Everything that is published, with sizes, hashes and how to cite it."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from arena.models import Category
from leaderboard.board import published_votes, snapshots
from leaderboard.models import PublishedVotes, Rating, RegisteredModel, Snapshot
from providers.models import ImageModel


@require_safe
def data(request: HttpRequest) -> HttpResponse:
    categories = list(Category.objects.all())
    published = [file for category in categories for file in published_votes.latest(category)]
    with_files = {file.category_id for file in published}
    latest = [(category, category.snapshots.order_by("-pk").first()) for category in categories]
    boards = [(category, snapshot, snapshot and snapshots.is_intact(snapshot)) for category, snapshot in latest]
    rated = Rating.objects.filter(category__in=categories, category__source_name="").order_by("-votes", "pk")
    context = {
        "files": sorted(published, key=lambda file: file.month, reverse=True),
        "boards": [row for row in boards if row[1] or row[0].pk in with_files],
        "example": rated.select_related("category", "image_model").first(),
        "register": RegisteredModel.objects.filter(
            category__in=Category.objects.all(), image_model__in=ImageModel.objects.all()
        ).select_related("category", "image_model__lab"),
        "columns": published_votes.COLUMNS,
        "licence": published_votes.LICENCE,
        "host": request.get_host(),
        "origin": request.build_absolute_uri("/").rstrip("/"),
    }
    return render(request, "leaderboard/data.html", context)


@require_safe
def files(request: HttpRequest) -> JsonResponse:
    """The list of /data/ for programs."""

    def listed(row: PublishedVotes) -> dict[str, Any]:
        url = request.build_absolute_uri(reverse("leaderboard:votes-file", kwargs={"pk": row.pk}))
        return {
            "category": row.category.slug,
            "month": f"{row.month:%Y-%m}",
            "votes": row.votes,
            "bytes": row.size,
            "sha256": row.sha256,
            "url": url,
        }

    votes = [listed(row) for category in Category.objects.all() for row in published_votes.latest(category)]
    taken = [
        {
            "category": snapshot.category.slug,
            "taken_at": snapshot.taken_at.isoformat(),
            "cells_sha256": snapshot.sha256,
            "chain_sha256": snapshot.chain_sha256,
            "url": request.build_absolute_uri(snapshot.get_absolute_url()),
        }
        for snapshot in Snapshot.objects.defer("cells", "ratings", "facts").select_related("category").order_by("pk")
    ]
    return JsonResponse({"licence": published_votes.LICENCE, "votes": votes, "snapshots": taken})


@require_safe
def votes_file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """One version of a month's votes. It never changes, so any cache may have it for ever."""
    published = get_object_or_404(PublishedVotes.objects.select_related("category"), pk=pk)
    name = f"votes-{published.category.slug}-{published.month:%Y-%m}.csv"
    return FileResponse(
        published.file.open("rb"),
        as_attachment=True,
        filename=name,
        content_type="text/csv; charset=utf-8",
        headers={"Cache-Control": "public, max-age=31536000, immutable", "ETag": f'"{published.sha256}"'},
    )
