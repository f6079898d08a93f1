"""The endpoints of /api/v1/. What may be shown is decided where pages decide it: nothing here has rules of its own."""

from __future__ import annotations

from django.conf import settings
from django.db.models import Count, Prefetch, QuerySet
from django.db.models.fields.json import KT
from django.http import Http404, HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.urls import resolve, reverse
from django.views.decorators.csrf import csrf_exempt

from arena import blinding
from arena.models import Category, Competition, Entry, Prompt, Vote
from leaderboard.api import openapi, representations
from leaderboard.api.endpoint import CORS, ApiError, Json, endpoint, invalid, paged
from leaderboard.board import image_records, published_votes, standings
from leaderboard.board_page import filters
from leaderboard.competitions import overview
from leaderboard.models import Board, Rating, Snapshot
from leaderboard.page_cache import of_category
from leaderboard.views.boards import WORDS, OverallView, View
from providers.models import ImageModel, ModeChoices, Offering
from providers.performance import summaries

PAGING = ("limit", "cursor")
BOARD_PARAMETERS = WORDS
OVERALL_PARAMETERS = ("sort", *filters.FIELDS)


@endpoint()
def index(request: HttpRequest) -> Json:
    """Where everything is."""
    names = ("leaderboards", "models", "offerings", "competitions", "prompts", "snapshots", "votes", "statistics")
    return {
        "name": settings.SITE_NAME,
        "version": openapi.VERSION,
        "openapi": _url(request, "openapi"),
        "licence": published_votes.LICENCE,
        **{name: _url(request, name) for name in names},
    }


@endpoint()
def document(request: HttpRequest) -> Json:
    """The OpenAPI file."""
    return openapi.document(request.build_absolute_uri("/").rstrip("/"))


# Boards ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@endpoint()
def leaderboards(request: HttpRequest) -> Json:
    """Every board, without its rows. All at once: a site has a handful."""
    sizes = dict(Rating.objects.order_by().values_list("category").annotate(n=Count("*")))
    categories = Category.objects.select_related("board", "recent_board")
    return {
        "data": [
            representations.board(request, category, standings.about(category), sizes.get(category.pk, 0))
            | {"api_url": _url(request, "leaderboard", category.slug)}
            for category in categories
        ]
    }


@endpoint(*BOARD_PARAMETERS, version=of_category)
def leaderboard(request: HttpRequest, slug: str) -> Json:
    """One board with all its rows – or those that pass the filters, the very ones of the page –, in its order."""
    category = Category.objects.select_related("board", "recent_board").filter(slug=slug).first()
    if category is None:
        raise Http404(f"There is no board {slug!r}.")
    view = View(request, category)
    if view.errors:
        raise invalid(view.errors)
    if view.computing:
        message = f"The board of {view.tag!r} is being computed. Ask again in a few seconds."
        raise ApiError(503, "computing", message, "tag", Retry_After="5")
    state = standings.about(category, view.window)
    snapshot = category.snapshots.only("pk", "category").order_by("-taken_at", "-pk").first()
    verdict = view.verdict(state)
    return representations.board(request, category, state, len(view.rows)) | {
        "window": view.window,
        "since": representations.day(view.since),
        "tag": view.tag or None,
        "tags": [tag for tag, votes in view.tags if votes],
        "verdict": {"claim": str(verdict.claim), "value": str(verdict.value)},
        "snapshot": snapshot.pk if snapshot else None,
        "standings": [representations.standing(row) for row in view.shown],
    }


@endpoint(*OVERALL_PARAMETERS)
def overall(request: HttpRequest) -> Json:
    """The board over all categories that are voted on here; empty while there are fewer than two."""
    view = OverallView(request)
    if view.errors:
        raise invalid(view.errors)
    return {
        "id": "overall",
        "leaderboards": [category.slug for category in view.overall.categories],
        "models": len(view.rows),
        "votes": view.overall.votes,
        "url": request.build_absolute_uri(reverse("leaderboard:overall")),
        "standings": [representations.standing(row) for row in view.shown],
    }


# The catalogue ───────────────────────────────────────────────────────────────────────────────────────────────────────


@endpoint("lab", "origin", "mode", *PAGING)
def models(request: HttpRequest) -> Json:
    rows = _models()
    if lab := request.GET.get("lab", "").strip():
        rows = rows.filter(lab__slug=_text(lab, "lab"))
    if origin := _choice(request, "origin", ImageModel.Origin.values):
        rows = rows.filter(origin=origin)
    if mode := _choice(request, "mode", ModeChoices.values):
        rows = rows.filter(modes__contains=[mode])
    return paged(request, rows, "slug", lambda row: _model(request, row))


@endpoint()
def model(request: HttpRequest, slug: str) -> Json:
    """One model, with all its offerings."""
    row = _models().filter(slug=slug).first()
    if row is None:
        raise Http404(f"There is no model {slug!r}.")
    sold = _offerings().filter(image_model=row).order_by("provider", "-mode")
    return _model(request, row) | {"offerings": [representations.offering(offering) for offering in sold]}


def _models() -> QuerySet[ImageModel]:
    ratings = Rating.objects.select_related("category").order_by("category__position", "category__name")
    rows: QuerySet[ImageModel] = ImageModel.objects.select_related("lab").prefetch_related(
        Prefetch("ratings", ratings, to_attr="all_ratings")
    )
    return rows


def _model(request: HttpRequest, row: ImageModel) -> Json:
    api_url = {"api_url": _url(request, "model", row.slug)}
    return representations.model(request, row, row.all_ratings) | api_url  # type: ignore[attr-defined]  # prefetched


@endpoint("model", "provider", "mode", *PAGING)
def offerings(request: HttpRequest) -> Json:
    """What is sold now, with price and speed."""
    rows = _offerings()
    if slug := request.GET.get("model", "").strip():
        rows = rows.filter(image_model__slug=_text(slug, "model"))
    if provider := request.GET.get("provider", "").strip():
        rows = rows.filter(provider=_text(provider, "provider"))
    if mode := _choice(request, "mode", ModeChoices.values):
        rows = rows.filter(mode=mode)
    return paged(request, rows, "id", representations.offering)


def _offerings() -> QuerySet[Offering]:
    rows: QuerySet[Offering] = (
        Offering.objects.active()
        .select_related("image_model")
        .annotate(sent_quality=KT("parameters__sends__quality"), figures=summaries.measured())
    )
    return rows


# Competitions ────────────────────────────────────────────────────────────────────────────────────────────────────────


@endpoint("category", "state", "tag", *PAGING)
def competitions(request: HttpRequest) -> Json:
    listing = overview.listed(request.GET.dict())
    if listing.errors:
        raise invalid(listing.errors)
    return paged(
        request, listing.competitions, "id", lambda row: representations.competition(request, row), newest_first=True
    )


@endpoint()
def competition(request: HttpRequest, slug: str) -> Json:
    """One competition, with what its votes say of each model's images."""
    row = overview.listed({}).competitions.filter(slug=slug).first()
    if row is None:
        raise Http404(f"There is no competition {slug!r}.")
    records = image_records.of_competition(row)
    return representations.competition(request, row) | {
        "records": [representations.record(record) for record in records]
    }


@endpoint("competition", "tag", *PAGING)
def prompts(request: HttpRequest) -> Json:
    """Prompts of competitions that have opened."""
    rows = _prompts()
    if slug := request.GET.get("competition", "").strip():
        rows = rows.filter(competition__slug=_text(slug, "competition"))
    if tag := request.GET.get("tag", "").strip():
        rows = rows.filter(tags__contains=[_text(tag, "tag")])
    return paged(request, rows, "id", lambda row: representations.prompt(request, row))


@endpoint(blind=True)
def prompt(request: HttpRequest, pk: int) -> Json:
    """One prompt with the images made for it, best first; none for a voter who is being asked about it."""
    row = _prompts().filter(pk=pk).first()
    if row is None:
        raise Http404(f"There is no prompt {pk}.")
    hidden = blinding.open_prompts_of(request)
    (asked,) = overview.best_answers([row], 10_000, hidden)
    images = [representations.image(request, answer.entry, answer.result) for answer in asked.answers]
    return representations.prompt(request, row) | {"images": images, "hidden": asked.is_hidden}


def _prompts() -> QuerySet[Prompt]:
    rows: QuerySet[Prompt] = Prompt.objects.current().filter(competition__in=Competition.objects.unveiled())
    return rows.select_related("competition__category")


# The record ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@endpoint("category", *PAGING)
def snapshots(request: HttpRequest) -> Json:
    """Boards as they once stood, the newest first."""
    rows = Snapshot.objects.select_related("category").defer("cells", "ratings")
    if slug := request.GET.get("category", "").strip():
        rows = rows.filter(category__slug=_text(slug, "category"))
    return paged(request, rows, "id", lambda row: representations.snapshot(request, row), newest_first=True)


@endpoint()
def snapshot(request: HttpRequest, pk: int) -> Json:
    row = Snapshot.objects.select_related("category").defer("cells").filter(pk=pk).first()
    if row is None:
        raise Http404(f"There is no snapshot {pk}.")
    return representations.snapshot(request, row) | {
        "votes_files": row.facts.get("votes_files", {}),
        "standings": representations.snapshot_standings(row),
    }


@endpoint()
def votes(request: HttpRequest) -> Json:
    """The files with every vote, a month each, and their hashes."""
    files = [(category, row) for category in Category.objects.all() for row in published_votes.latest(category)]
    return {
        "licence": published_votes.LICENCE,
        "columns": list(published_votes.COLUMNS),
        "data": [
            {
                "leaderboard": category.slug,
                "month": f"{row.month:%Y-%m}",
                "votes": row.votes,
                "bytes": row.size,
                "sha256": row.sha256,
                "url": request.build_absolute_uri(reverse("leaderboard:votes-file", args=[row.pk])),
            }
            for category, row in files
        ],
    }


@endpoint()
def statistics(request: HttpRequest) -> Json:
    """The site in numbers; votes are those that count."""
    boards = Board.objects.select_related("category").order_by("category__position", "category__name")
    return {
        "votes": sum(board.votes for board in boards if not board.category.source_name),
        "imported_votes": sum(board.votes for board in boards if board.category.source_name),
        "excluded_votes": Vote.objects.exclude(excluded_reason="").count(),
        "models": ImageModel.objects.current().count(),
        "rated_models": Rating.objects.order_by().values("image_model").distinct().count(),
        "images": Entry.objects.current().count(),
        "prompts": _prompts().count(),
        "competitions": Competition.objects.published().count(),
        "providers": Offering.objects.active().order_by().values("provider").distinct().count(),
        "snapshots": Snapshot.objects.count(),
        "leaderboards": [
            {
                "id": board.category.slug,
                "votes": board.votes,
                "voters": board.voters,
                "prompts": board.prompts,
                "effective_voters": representations.number(board.effective_voters),
                "effective_prompts": representations.number(board.effective_prompts),
                "tie_rate": representations.number(board.tie_rate),
                "side_effect_elo": representations.number(board.side_effect),
                "computed_at": representations.moment(board.computed_at),
            }
            for board in boards
        ],
    }


@csrf_exempt
def unknown(request: HttpRequest, path: str = "") -> HttpResponse:
    """404 in JSON; where only the slash at the end is missing, a redirect that programs in browsers may follow."""
    if request.method in ("GET", "HEAD") and resolve(f"{request.path}/").view_name != "leaderboard:api-unknown":
        words = f"?{request.GET.urlencode()}" if request.GET else ""
        return HttpResponsePermanentRedirect(f"{request.path}/{words}", headers=CORS)
    return _not_found(request, path)


@endpoint()
def _not_found(request: HttpRequest, path: str) -> Json:
    raise Http404(f"There is nothing at /api/v1/{path[:100]}. {_url(request, 'index')} lists what there is.")


def _choice(request: HttpRequest, name: str, choices: list[str]) -> str:
    value = request.GET.get(name, "").strip()
    if value and value not in choices:
        raise ApiError(400, "invalid_parameter", f"{name}: one of {', '.join(choices)}", name)
    return value


def _text(value: str, name: str) -> str:
    if "\0" in value:
        raise ApiError(400, "invalid_parameter", f"{name}: this cannot be in a name", name)
    return value


def _url(request: HttpRequest, name: str, *args: object) -> str:
    return request.build_absolute_uri(reverse(f"leaderboard:api-{name}", args=args))
