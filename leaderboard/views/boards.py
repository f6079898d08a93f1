"""Boards: the overview, one category, its CSV."""

from __future__ import annotations

from datetime import date
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.cache import patch_cache_control
from django.utils.translation import gettext
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from arena import blinding
from arena.models import Category
from arena.views.images import PUBLIC_SECONDS
from leaderboard import charts
from leaderboard.board import image_records, standings, summaries
from leaderboard.board.head_to_head import Window
from leaderboard.board.standings import Standing
from leaderboard.board_page import (
    certainty,
    conditions,
    csv_export,
    figures,
    filters,
    json_ld,
    opened,
    pictures,
    rows,
    scatter,
    verdicts,
)
from leaderboard.competitions import overview, use_cases
from leaderboard.model_facts import price_and_speed
from leaderboard.models import Board, RecentBoard
from leaderboard.news import changes
from leaderboard.page_cache import cached_page, first_category, of_category, of_first_category
from leaderboard.rating.verdict import Verdict
from leaderboard.social_cards import board
from providers.web.query_parameters import Parameters
from providers.web.sentence import sentence

SHOWN = ("sort", *filters.FIELDS)  # the words by which an address says which rows it shows, and in which order
WORDS = ("window", "tag", *SHOWN)  # that the address of a category's board may carry


@require_safe
@cached_page(*WORDS, version=of_first_category, blind=True)
def index(request: HttpRequest) -> HttpResponse:
    """The rankings: the board of the first category, with the others as tabs."""
    category = first_category()
    if category is None:
        return render(request, "leaderboard/no_boards.html")
    return _board(request, category)


@require_safe
@cached_page(*SHOWN, blind=True)
def overall(request: HttpRequest) -> HttpResponse:
    """One board over all categories, said to be so: the boards of the categories are the better answer."""
    view = OverallView(request)
    hidden = blinding.open_prompts_of(request)
    context = {
        "view": view,
        "overall": view.overall,
        "board_name": gettext("All categories"),
        "tabs": summaries.tabs(),
        "images": pictures.of_models(None, [row.standing.rating.image_model_id for row in view.shown], hidden),
        "hidden": hidden,
        "opened": {},
        **_table(view),
    }
    return render(request, "leaderboard/overall.html", context, status=400 if view.errors else 200)


@require_safe
@cached_page(*SHOWN)
def overall_csv(request: HttpRequest) -> HttpResponse:
    """What the page with the same query shows."""
    return _csv(OverallView(request), "overall")


@require_safe
@cache_control(public=True, max_age=PUBLIC_SECONDS)  # it may show images
def card(request: HttpRequest, slug: str) -> HttpResponse:
    category = get_object_or_404(Category.objects.select_related("board"), slug=slug)
    return HttpResponse(board.of_category(category, request.get_host()), content_type="image/jpeg")


@require_safe
@cached_page(*WORDS, version=of_category, blind=True)
def category(request: HttpRequest, slug: str) -> HttpResponse:
    categories = Category.objects.select_related("board", "recent_board")
    return _board(request, get_object_or_404(categories, slug=slug))


def _board(request: HttpRequest, category: Category) -> HttpResponse:
    """The page of a category that came with its boards."""
    view = View(request, category)
    state = standings.about(category, view.window)
    hidden = blinding.open_prompts_of(request)
    models = [row.standing.rating.image_model_id for row in view.shown[: opened.MAX_ROWS]]
    images = pictures.of_models(category, models, hidden)
    snapshot = category.snapshots.only("pk", "taken_at", "category").order_by("-taken_at", "-pk").first()
    whole = view.window == "all" and not view.tag
    more = opened.of_rows(category, view.rows, images) if whole else {}
    context = {
        "category": category,
        "board": state,
        "view": view,
        "board_name": category.name,
        **_table(view),
        "tabs": summaries.tabs(),
        "verdict": view.verdict(state),
        "images": images,
        "opened": more,
        "certainty": [] if view.tag else certainty.of_board(category, state, view.rows),
        "hidden": hidden,
        "start": None if view.rows else summaries.starts([category])[category.pk],
        "files": category.vote_files.all() if category.source_name else (),
        "playable": not view.rows and summaries.playable().filter(pk=category.pk).exists(),
        "snapshot": snapshot,
        "landscape": scatter.of_rows(view.shown, frame=charts.HALF),
        "duels": view.duels(),
        "canonical": request.build_absolute_uri(category.get_absolute_url()),
        "card": request.build_absolute_uri(board.address(category)),
        "json_ld": json_ld.of_board(category, view.rows, request.build_absolute_uri("/")),
        "week": changes.of_category(category) if whole and not category.source_name else None,
        "competitions": overview.of_category(category),
        "examples": use_cases.examples(category, view.tag, hidden) if view.tag else [],
    }
    response = render(request, "leaderboard/category.html", context, status=_status(view))
    if view.computing:
        patch_cache_control(response, no_store=True)
    return response


@require_safe
@cached_page(*WORDS, version=of_category)
def category_csv(request: HttpRequest, slug: str) -> HttpResponse:
    """What the page with the same query shows."""
    category = get_object_or_404(Category.objects.select_related("recent_board"), slug=slug)
    view = View(request, category)
    if view.computing and not view.errors:
        text = f"The board of “{view.tag}” is being computed. Ask again in a few seconds."
        headers = {"Retry-After": "5", "Cache-Control": "no-store"}
        return HttpResponse(text, status=503, content_type="text/plain; charset=utf-8", headers=headers)
    return _csv(view, "-".join(filter(None, (category.slug, view.window if view.window != "all" else "", view.tag))))


def _status(view: View) -> int:
    """202: what was asked for is being made. Nobody keeps that page."""
    return 400 if view.errors else 202 if view.computing else 200


class View:
    """What an address shows of a category: which of its boards, and which rows of that. Bad words are in `errors`."""

    def __init__(self, request: HttpRequest, category: Category) -> None:
        asked = Parameters(request.GET, ("window", "tag"))
        self.category = category
        self.windows = standings.windows(category)
        self.window: Window = "all"
        self.since: date | None = None  # the first day whose votes count
        if asked.one_of("window", self.windows, where=sentence("a span of days with a board")) == "90d":
            self.window = "90d"
            self.since = category.recent_board.since
        self.tags = image_records.tags(category)
        self.tag = asked.one_of("tag", dict(self.tags), where=sentence("a tag of prompts here"))
        self.errors = asked.errors  # and those of the filters
        self.tag_is_folded = self.tag in [tag for tag, _ in self.tags[12:]]
        self.needed = 0  # how many votes a board of this tag would take
        self.part: standings.Slice | None = None  # the board of the tag
        self.computing = False  # it takes a moment, and this is its first reader
        if self.tag and self.window != "all":
            self.errors["window"] = sentence(
                "The board of a tag counts the votes of all time: choose a tag or a window."
            )
            self.window, self.since = "all", None
        whole = standings.board(category)
        known = price_and_speed.of_models([standing.rating.image_model_id for standing in whole], category.mode)
        # What can be chosen is the same on every board of the category, so that going to another one keeps it.
        self.choices = filters.choices(rows.rows(whole, category.mode, known))
        part = self._standings(category) if self.tag or self.window != "all" else whole
        self.everywhere = rows.rows(part, category.mode, known, imported=bool(category.source_name))
        self.filters = filters.read(request.GET, self.choices, keep=("window", "tag"))
        self.rows = rows.at_provider(self.everywhere, self.filters.provider)
        self.shown = filters.shown(self.rows, self.filters)
        self.errors |= self.filters.errors

    def _standings(self, category: Category) -> list[Standing]:
        if not self.tag:
            return standings.board(category, self.window)
        self.part = standings.slice(category, self.tag, votes_about=int(dict(self.tags)[self.tag]))
        if self.part is None:
            self.computing = True
            return []
        self.needed = 0 if self.part.standings else self.part.needed
        return self.part.standings

    def verdict(self, board: Board | RecentBoard | None) -> Verdict:
        """The sentence above the table."""
        if self.filters.active:
            whole = board if self.window == "all" and not self.tag else None
            return verdicts.of_filter(self.category, self.rows, self.shown, self.filters, whole)
        return verdicts.of_part(self.rows) if self.tag else verdicts.of_board(self.rows, board)

    def duels(self) -> figures.Duels | None:
        """Who wins against whom, of the rows that are shown."""
        if not self.shown:
            return None
        if self.part is not None:
            return figures.duels_from(self.part.pairs, self.shown)
        return figures.duels_of(opened.records_of(self.category, self.rows, self.window), self.shown)


class OverallView:
    """What an address shows of the board over all categories. A model costs what it costs in its cheapest mode."""

    def __init__(self, request: HttpRequest) -> None:
        self.overall = standings.overall()
        self.everywhere = rows.rows(self.overall.standings, mode="")  # at each model's cheapest provider
        self.choices = filters.choices(self.everywhere)
        self.filters = filters.read(request.GET, self.choices)
        self.rows = rows.at_provider(self.everywhere, self.filters.provider)
        self.shown = filters.shown(self.rows, self.filters)
        self.errors = self.filters.errors


def _table(view: View | OverallView) -> dict[str, Any]:
    """What the table of a board and the intervals below it are drawn from."""
    bounded = [row.standing.rating for row in view.rows if row.standing.half_width is not None]
    return {
        "rows": view.rows,
        "shown": view.shown,
        "loosened": None if view.shown else conditions.loosened(view.everywhere, view.filters),
        "groups": rows.groups(view.rows, view.shown, view.filters),
        "filters": view.filters,
        "usable": view.filters.query(**dict.fromkeys(view.errors, "")),
        "choices": view.choices,
        "unknown": rows.unknown(view.rows),
        "low": min((rating.lower for rating in bounded), default=0.0),
        "high": max((rating.upper for rating in bounded), default=0.0),
    }


def _csv(view: View | OverallView, name: str) -> HttpResponse:
    if view.errors:
        return HttpResponse("\n".join(view.errors.values()), status=400, content_type="text/plain; charset=utf-8")
    return HttpResponse(
        csv_export.board_csv(view.shown),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"'},
    )
