"""Pages that are the same for everybody, cached in Valkey as they were rendered.

A cached page is served while the boards it shows are the ones it was rendered from, for a minute at most: prices,
speeds and titles may be that old, ratings never. After that one request renders it again; the others are answered with
the old page meanwhile, so a board that was just computed costs one rendering, not one per reader. No request ever waits
for another: where there is no old page, each renders its own.

Readers who vote must stay blind: a visitor with an open battle gets a page rendered for this request alone and never
cached. So does a user who is logged in, since curators want to see what they have just changed.

A path has a small number of slots for its pages, chosen by a hash of the query; pages of one slot replace each other.
So nobody can fill the memory by inventing filters.
"""

from __future__ import annotations

import gzip
import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, TypeVar, cast

from django.conf import settings
from django.db.models import Case, Count, Max, When
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.http import http_date
from django.utils.translation import get_language

from arena import blinding
from arena.generation import progress as generation_progress
from arena.models import Category, Prompt
from leaderboard import cache
from leaderboard.models import Board
from providers.connections.database import one_moment

FRESH_SECONDS = 60.0  # a cached page is served without rendering it again
STALE_SECONDS = 600  # it stays for those who come while it is rendered again
SLOTS = 32  # of one path
MAX_QUERY = 300  # characters of a query that is worth caching
RENDER_TIMEOUT = 20  # seconds after which the process that renders is taken for dead

# Caches on the way may serve a page for a moment, and an old one while they fetch the new; browsers always revalidate.
# English ones only: a cache that ignores Vary then never shows a reader of English another language.
SHARED = {
    "public": True, "max_age": 0, "s_maxage": 10, "stale_while_revalidate": 30, "stale_if_error": 600,
}  # fmt: skip
PRIVATE = {"private": True, "no_cache": True}

View = TypeVar("View", bound=Callable[..., HttpResponse])
Version = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class CachedPage:
    """A page as it is sent. It holds nothing secret, so it can be compressed beforehand."""

    request: str  # the canonical request it answers: slots are shared
    version: str
    rendered_at: float  # seconds since the epoch
    changed_at: int  # when this very text was rendered first
    etag: str
    headers: Mapping[str, str]
    gzipped: bytes


def of_category(url_kwargs: Mapping[str, Any]) -> str:
    """Version of the boards of one category; before its first votes, of the images that they will be about."""
    boards = ("board__votes", "board__computed_at", "board__error", "recent_board__computed_at")
    row = Category.objects.filter(slug=url_kwargs["slug"]).values_list("pk", *boards).first()
    return repr((row, None if row is None or row[1] else generation_progress.of_all(row[:1])))


def of_prompt(url_kwargs: Mapping[str, Any]) -> str:
    """Version of the board that a prompt is rated on."""
    board = ("competition__category", "competition__category__board__computed_at")
    return repr(Prompt.objects.filter(pk=url_kwargs["pk"]).values_list(*board).first())


def first_category() -> Category | None:
    """The category whose board the rankings open with: of votes cast here, before imported ones. With its boards."""
    categories = Category.objects.select_related("board", "recent_board")
    first: Category | None = categories.order_by(
        Case(When(source_name="", then=0), default=1), "position", "name"
    ).first()
    return first


def of_first_category(url_kwargs: Mapping[str, Any]) -> str:
    """Version of the rankings' first page."""
    del url_kwargs
    category = first_category()
    if category is None:
        return ""
    board, recent = getattr(category, "board", None), getattr(category, "recent_board", None)
    if board is None or not board.votes:
        return of_category({"slug": category.slug})
    return repr((category.pk, board.votes, board.computed_at, board.error, recent and recent.computed_at))


def of_all_boards(url_kwargs: Mapping[str, Any]) -> str:
    del url_kwargs
    return repr(sorted(Board.objects.aggregate(at=Max("computed_at"), n=Count("*")).items()))


def cached_page(*parameters: str, version: Version = of_all_boards, blind: bool = False) -> Callable[[View], View]:
    """Cache what the view returns. `parameters` are the query parameters that it reads; others change nothing.

    `blind` pages show images beside names, and leave out those that the reader is being asked about.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def respond(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            def render() -> HttpResponse:
                with one_moment():  # head, table and charts of a page are of the same computed board
                    return view(request, *args, **kwargs)

            canonical = _canonical(request, parameters)
            if len(canonical) > MAX_QUERY or _is_personal(request, blind):
                response = render()
                patch_cache_control(response, **PRIVATE)
                patch_vary_headers(response, ["Cookie"])
                return response
            page = _page(request, canonical, version(kwargs), render)
            if isinstance(page, HttpResponse):
                return page
            response = _response(request, page)
            is_shared = not blind and get_language() == settings.LANGUAGE_CODE
            patch_cache_control(response, **(SHARED if is_shared else PRIVATE))
            if blind:
                patch_vary_headers(response, ["Cookie"])
            return _conditional(request, page, response)

        respond.query_parameters = parameters  # type: ignore[attr-defined]  # tests try each
        return cast(View, respond)

    return decorate


def _canonical(request: HttpRequest, parameters: tuple[str, ...]) -> str:
    """What the page depends on: language, parameters in a fixed order, and the host, which absolute URLs name."""
    given = [
        (name, [text.strip() for text in request.GET.getlist(name) if text.strip()]) for name in sorted(parameters)
    ]
    return repr(
        (get_language(), request.scheme, request.get_host(), [(name, values) for name, values in given if values])
    )


def _is_personal(request: HttpRequest, blind: bool) -> bool:
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        return True
    return blind and blinding.of_reader(request).is_personal


def _page(
    request: HttpRequest, canonical: str, version: str, view: Callable[[], HttpResponse]
) -> CachedPage | HttpResponse:
    """The page to serve, rendered now if need be; the view's own response if that is not to be cached."""
    slot = int.from_bytes(hashlib.sha256(canonical.encode()).digest()[:4]) % SLOTS
    key = ("page", request.path, slot)
    old = _read(key, canonical)
    if old and old.version == version and time.time() - old.rendered_at < FRESH_SECONDS:
        return old
    with cache.lock("rendering", *key, seconds=RENDER_TIMEOUT) as ours:
        if not ours:
            return old or view()
        if (rendered := _read(key, canonical)) and rendered != old:  # another request rendered it since we looked
            return rendered
        response = view()
        if response.status_code != 200:
            return response
        return cache.put(_cached(canonical, version, response, old), *key, seconds=STALE_SECONDS)


def _read(key: tuple[object, ...], canonical: str) -> CachedPage | None:
    page = cache.get(*key)
    return page if isinstance(page, CachedPage) and page.request == canonical else None


def _cached(canonical: str, version: str, response: HttpResponse, old: CachedPage | None) -> CachedPage:
    now, etag = time.time(), f'W/"{hashlib.sha256(response.content).hexdigest()[:20]}"'
    if old and old.etag == etag:
        return replace(old, version=version, rendered_at=now)
    headers = {name: value for name, value in response.items() if name in ("Content-Type", "Content-Disposition")}
    return CachedPage(canonical, version, now, int(now), etag, headers, gzip.compress(response.content, 6, mtime=0))


def _response(request: HttpRequest, page: CachedPage) -> HttpResponse:
    takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(page.gzipped if takes_gzip else gzip.decompress(page.gzipped), headers=dict(page.headers))
    if takes_gzip:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _conditional(request: HttpRequest, page: CachedPage, response: HttpResponse) -> HttpResponse:
    """304 for a client that has this text already."""
    response["ETag"] = page.etag
    response.headers["Last-Modified"] = http_date(page.changed_at)
    conditional = get_conditional_response(request, etag=page.etag, last_modified=page.changed_at, response=response)
    return cast(HttpResponse, conditional)
