"""Pages that see everything: home, boards, models, competitions."""

from __future__ import annotations

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from arena import battles, integrity, matchmaking
from arena.models import Category, Competition, Entry
from providers.models import ImageModel

from . import boards as constants
from . import comparison, elo, exports, ranks, snapshots, standings
from .models import Board, Snapshot

HEAD = 5  # rows of a board shown on the home page


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    categories = list(Category.objects.all())
    boards = [(category, standings.board(category)[:HEAD]) for category in categories]
    boards.sort(key=lambda board: not board[1])  # boards that still wait for votes come last
    playable = [category for category in categories if battles.pool(category).size]
    return render(request, "leaderboard/home.html", {"boards": boards, "playable": playable})


@require_safe
def index(request: HttpRequest) -> HttpResponse:
    categories = Category.objects.select_related("board").annotate(models=Count("ratings"))
    boards = [(category, standings.board(category)[:3]) for category in categories]
    return render(request, "leaderboard/index.html", {"boards": boards})


@require_safe
def category(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Category.objects.select_related("board"), slug=slug)
    board = standings.board(found)
    context = {
        "category": found,
        "board": getattr(found, "board", None),
        "standings": board,
        "files": found.vote_files.all(),
        "playable": bool(battles.pool(found).size),
        "limit": standings.limit(found),
        "snapshot": found.snapshots.order_by("-taken_at", "-pk").first(),
        "low": min((each.rating.lower for each in board if each.half_width is not None), default=0.0),
        "high": max((each.rating.upper for each in board if each.half_width is not None), default=0.0),
    }
    return render(request, "leaderboard/category.html", context)


@require_safe
def category_csv(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Category, slug=slug)
    return HttpResponse(
        exports.board_csv(found),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{found.slug}.csv"'},
    )


@require_safe
def snapshot(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Snapshot.objects.select_related("category"), pk=pk)
    return render(request, "leaderboard/snapshot.html", {"snapshot": found, "category": found.category})


@require_safe
def snapshot_csv(request: HttpRequest, pk: int) -> HttpResponse:
    found = get_object_or_404(Snapshot, pk=pk)
    return HttpResponse(
        snapshots.cells_csv(found),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="snapshot-{found.pk}.csv"'},
    )


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
def model(request: HttpRequest, slug: str) -> HttpResponse:
    image_model = get_object_or_404(ImageModel.objects.select_related("lab"), slug=slug)
    context = {
        "image_model": image_model,
        "standings": standings.of_model(image_model),
        "competitions": standings.voted_competitions(image_model),
        "price": standings.starting_price(image_model),
        "offerings": image_model.offerings.active(),
        "gallery": standings.gallery(image_model),
    }
    return render(request, "leaderboard/model.html", context)


@require_safe
def competitions(request: HttpRequest) -> HttpResponse:
    published = (
        Competition.objects.published()
        .select_related("category")
        .annotate(prompt_count=Count("prompts", filter=Q(prompts__retired_at=None)))
    )
    return render(request, "leaderboard/competitions.html", {"competitions": published})


@require_safe
def competition(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Competition.objects.published().select_related("category"), slug=slug)
    records = standings.of_competition(found)
    entries: dict[int, list[Entry]] = {}
    for entry in (
        Entry.objects.current()
        .filter(prompt__competition=found)
        .select_related("image_model", "call__offering")
        .order_by("image_model__name")
    ):
        entries.setdefault(entry.prompt_id, []).append(entry)
    context = {
        "competition": found,
        "records": records,
        "prompts": [(prompt, entries.get(prompt.pk, [])) for prompt in found.prompts.current()],
        "votes": sum(record.votes for record in records) // 2,
    }
    return render(request, "leaderboard/competition.html", context)


@require_safe
def methodology(request: HttpRequest) -> HttpResponse:
    found = standings.example()
    compared = found[1] if found else []
    context = {
        "example": found[0] if found else None,
        "compared": compared,
        "moved_by_order": comparison.largest_difference(compared),
        "running_k": comparison.K,
        "sides": Board.objects.exclude(side_effect=None).filter(side_effect_se__lt=1000).select_related("category"),
        "cap": integrity.CAP,
        "cap_days": integrity.CAP_DAYS,
        "min_clusters": constants.MIN_CLUSTERS,
        "mean": elo.MEAN,
        "scale": elo.SCALE,
        "draws": ranks.DRAWS,
        "uniform_share": matchmaking.UNIFORM_SHARE,
        "largest_share": matchmaking.LARGEST_SHARE,
        "boost": matchmaking.BOOST,
        "method_version": elo.METHOD_VERSION,
        "usable_votes": constants.USABLE_VOTES,
        "usable_voters": constants.USABLE_VOTERS,
        "usable_half_width": constants.USABLE_HALF_WIDTH,
        "settled_half_width": constants.SETTLED_HALF_WIDTH,
    }
    return render(request, "leaderboard/methodology.html", context)
