"""Boards: the overview, one category, its CSV."""

from __future__ import annotations

from datetime import date

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from arena.models import Category
from leaderboard import (
    board_cards,
    board_pictures,
    exports,
    facts,
    filters,
    heads,
    landscape,
    listing,
    results,
    standings,
    structured,
)
from leaderboard.standings import Standing

from .printed import of_category, of_every_category, printed

WORDS = ("window", "tag", "sort", *filters.FIELDS)  # that the address of a board may carry


@require_safe
@printed(version=of_every_category)
def index(request: HttpRequest) -> HttpResponse:
    return render(request, "leaderboard/index.html", {"boards": heads.all_boards(3)})


@require_safe
@printed()
def overall(request: HttpRequest) -> HttpResponse:
    """One board over all categories, said to be so: the boards of the categories are the better answer."""
    found = standings.overall()
    return render(request, "leaderboard/overall.html", {"overall": found, "rows": found.standings})


@require_safe
@cache_control(public=True, max_age=86_400)
def card(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Category.objects.select_related("board"), slug=slug)
    return HttpResponse(board_cards.of_category(found, request.get_host()), content_type="image/jpeg")


@require_safe
@printed(*WORDS, version=of_category)
def category(request: HttpRequest, slug: str) -> HttpResponse:
    found = get_object_or_404(Category.objects.select_related("board", "recent_board"), slug=slug)
    view = View(request, found)
    bounded = [row.standing.rating for row in view.rows if row.standing.half_width is not None]
    context = {
        "category": found,
        "board": standings.about(found, view.window),
        "view": view,
        "rows": view.rows,
        "start": None if view.rows else heads.starts([found])[found.pk],
        "shown": view.shown,
        "groups": listing.by_tier(view.shown),
        "filters": view.filters,
        "choices": view.choices,
        "unknown": listing.unknown(view.rows),
        "files": found.vote_files.all(),
        "playable": heads.playable().filter(pk=found.pk).exists(),
        "limit": None if view.tag else standings.limit(found, view.window),
        "snapshot": found.snapshots.only("pk", "taken_at", "category").order_by("-taken_at", "-pk").first(),
        "low": min((rating.lower for rating in bounded), default=0.0),
        "high": max((rating.upper for rating in bounded), default=0.0),
        "landscape": landscape.of_rows(view.shown),
        "intervals": board_pictures.intervals(view.shown),
        "duels": None if view.tag else board_pictures.duels(found, view.shown, view.since),
        "card": request.build_absolute_uri(board_cards.address(found)),
        "json_ld": structured.of_board(found, view.rows, request.build_absolute_uri("/")),
    }
    return render(request, "leaderboard/category.html", context, status=400 if view.errors else 200)


@require_safe
@printed(*WORDS, version=of_category)
def category_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """What the page with the same query shows."""
    found = get_object_or_404(Category.objects.select_related("recent_board"), slug=slug)
    view = View(request, found)
    if view.errors:
        return HttpResponse("\n".join(view.errors.values()), status=400, content_type="text/plain; charset=utf-8")
    name = "-".join(filter(None, (found.slug, view.window if view.window != "all" else "", view.tag)))
    return HttpResponse(
        exports.board_csv(view.shown),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )


class View:
    """What an address shows of a category: which of its boards, and which rows of that. Bad words are in `errors`."""

    def __init__(self, request: HttpRequest, category: Category) -> None:
        words = request.GET.dict()
        self.errors: dict[str, str] = {}
        self.windows = standings.windows(category)
        self.window: standings.Window = "all"
        self.since: date | None = None  # the first day whose votes count
        if (window := words.get("window", "")) not in ("", *self.windows):
            self.errors["window"] = f"There is no board for “{window}”. There is: {', '.join(self.windows)}."
        elif window == "90d":
            self.window = "90d"
            self.since = category.recent_board.since
        self.tags = results.tags(category)
        self.tag = words.get("tag", "")
        self.tag_is_folded = self.tag in [tag for tag, _ in self.tags[12:]]
        self.needed = 0  # how many votes a board of this tag would take
        if self.tag and self.tag not in dict(self.tags):
            self.errors["tag"] = f"No prompt here is tagged “{self.tag}”. Choose a tag from the list."
            self.tag = ""
        if self.tag and self.window != "all":
            self.errors["window"] = "The board of a tag counts the votes of all time: choose a tag or a window."
            self.window, self.since = "all", None
        whole = standings.board(category)
        known = facts.of_models([each.rating.image_model_id for each in whole], category.mode)
        # What can be chosen is the same on every board of the category, so that going to another one keeps it.
        self.choices = filters.choices(listing.rows(whole, category.mode, known))
        part = self._standings(category) if self.tag or self.window != "all" else whole
        self.rows = listing.rows(part, category.mode, known, imported=bool(category.source_name))
        self.filters = filters.read(words, self.choices, keep=("window", "tag"))
        self.shown = filters.shown(self.rows, self.filters)
        self.errors |= self.filters.errors

    def _standings(self, category: Category) -> list[Standing]:
        if not self.tag:
            return standings.board(category, self.window)
        part = standings.slice(category, self.tag)
        self.needed = 0 if part.standings else part.needed
        return part.standings
