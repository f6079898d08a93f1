"""Pages that are the same for everybody, kept in Valkey as they were printed.

A print is handed out while the boards it shows are the ones it was made from, for a minute at most: prices, speeds and
titles may be that old, ratings never. After that one reader has it printed again; whoever asks meanwhile gets the last
good one, so a board that was just computed costs one print, not one per reader.

Readers who vote must stay blind: whoever has an open battle gets a page of their own, made for this answer and never
kept. So does who is logged in, since curators want to see what they have just changed.

An address has a small number of places for its prints, chosen by a hash of its query; what falls on the same place
pushes the other one out. So nobody can fill the memory by making up filters.
"""

from __future__ import annotations

import gzip
import hashlib
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import wraps
from typing import Any, TypeVar, cast

import redis
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.core.cache import cache
from django.db.models import Count, Max
from django.http import HttpRequest, HttpResponse
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from django.utils.http import http_date

from arena import blinding, generation_progress
from arena.models import Category
from leaderboard import cache as kept
from leaderboard.models import Board

log = logging.getLogger(__name__)

FRESH = 60.0  # seconds a print is handed out unasked
LAST_GOOD = 600  # seconds one is kept for those who come while it is printed again
PLACES = 32  # of one address
LONGEST = 300  # characters of a query that is worth keeping
PRINTING = 20  # seconds after which whoever prints is taken for dead
WAIT, LOOK = 3.0, 0.02  # seconds a reader waits for the very first print, and between two looks

# Caches on the way may hand a page out for a moment, and an old one while they ask for the new; browsers always ask.
SHARED = {
    "public": True, "max_age": 0, "s_maxage": 10, "stale_while_revalidate": 30, "stale_if_error": 600,
}  # fmt: skip
OWN = {"private": True, "no_cache": True}

View = TypeVar("View", bound=Callable[..., HttpResponse])
Version = Callable[[Mapping[str, Any]], str]


@dataclass(frozen=True, slots=True)
class Print:
    """A page as it goes out. It holds nothing secret, so it can be compressed beforehand."""

    request: str  # whose answer this is: places are shared
    version: str
    printed_at: float  # seconds since the epoch
    changed_at: int  # when this very text was printed first
    etag: str
    headers: Mapping[str, str]
    zipped: bytes


def of_category(named: Mapping[str, Any]) -> str:
    """Of the boards of one category; before its first votes, of the images that they will be about."""
    boards = ("board__votes", "board__computed_at", "board__error", "recent_board__computed_at")
    found = Category.objects.filter(slug=named["slug"]).values_list("pk", *boards).first()
    return repr((found, None if found is None or found[1] else generation_progress.of_all(found[:1])))


def of_all_boards(named: Mapping[str, Any]) -> str:
    del named
    return repr(sorted(Board.objects.aggregate(at=Max("computed_at"), n=Count("*")).items()))


def of_every_category(named: Mapping[str, Any]) -> str:
    """Of all boards, and of the images that are being made for those without votes."""
    beginning = Category.objects.exclude(board__votes__gt=0)
    return repr((of_all_boards(named), sorted(generation_progress.of_all(beginning).items())))


def printed(*words: str, version: Version = of_all_boards, blind: bool = False) -> Callable[[View], View]:
    """Keep what the view answers. `words` are those of the query that it reads; others change nothing.

    `blind` pages show images beside names, and hold them back from readers who are being asked about them.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            asked = _canonical(request, words)
            if len(asked) > LONGEST or _is_personal(request, blind):
                response = view(request, *args, **kwargs)
                patch_cache_control(response, **OWN)
                patch_vary_headers(response, ["Cookie"])
                return response
            found = _found(request, asked, version(kwargs), lambda: view(request, *args, **kwargs))
            if isinstance(found, HttpResponse):
                return found
            response = _response(request, found)
            patch_cache_control(response, **(OWN if blind else SHARED))
            if blind:
                patch_vary_headers(response, ["Cookie"])
            return _conditional(request, found, response)

        return cast(View, answer)

    return decorate


def _canonical(request: HttpRequest, words: tuple[str, ...]) -> str:
    """What the answer depends on: the words in a fixed order, and the host, which absolute addresses name."""
    given = [(word, [text.strip() for text in request.GET.getlist(word) if text.strip()]) for word in sorted(words)]
    return repr((request.scheme, request.get_host(), [each for each in given if each[1]]))


def _is_personal(request: HttpRequest, blind: bool) -> bool:
    if settings.SESSION_COOKIE_NAME in request.COOKIES:
        return True
    return blind and bool(blinding.open_prompts_of(request))


def _found(request: HttpRequest, asked: str, version: str, view: Callable[[], HttpResponse]) -> Print | HttpResponse:
    """The print to hand out, made now if need be; the view's own answer if that is not to be kept."""
    files = getattr(staticfiles_storage, "manifest_hash", "")  # after an update pages name other files
    place = int.from_bytes(hashlib.sha256(asked.encode()).digest()[:4]) % PLACES
    key = f"{kept.PREFIX}print:{hashlib.sha256(repr((request.path, files, place)).encode()).hexdigest()[:40]}"
    try:
        old = _at(key, asked)
        if old and old.version == version and time.time() - old.printed_at < FRESH:
            return old
        if not cache.add(f"{key}:printing", 1, PRINTING):
            if waited := old or _wait(key, asked):
                return waited
            return view()
        try:
            if (made := _at(key, asked)) and made != old:  # while we looked, somebody else had it printed
                return made
            response = view()
            if response.status_code != 200:
                return response
            new = _print(asked, version, response, old)
            cache.set(key, new, LAST_GOOD)
        finally:
            cache.delete(f"{key}:printing")
    except redis.RedisError as error:
        log.warning("Valkey does not answer (%s): the page is made for this reader alone.", error)
        return view()
    return new


def _at(key: str, asked: str) -> Print | None:
    found = cast(Print | None, cache.get(key))
    return found if found is not None and found.request == asked else None


def _wait(key: str, asked: str) -> Print | None:
    """For the first print of an address, which somebody else is making. None if nothing comes of it."""
    until = time.monotonic() + WAIT
    while time.monotonic() < until:
        time.sleep(LOOK)
        being_made = cache.has_key(f"{key}:printing")  # asked first: a print is there before its maker says so
        if (found := _at(key, asked)) is not None:
            return found
        if not being_made:
            return None
    return None


def _print(asked: str, version: str, response: HttpResponse, old: Print | None) -> Print:
    now, etag = time.time(), f'W/"{hashlib.sha256(response.content).hexdigest()[:20]}"'
    if old and old.etag == etag:
        return replace(old, version=version, printed_at=now)
    headers = {name: value for name, value in response.items() if name in ("Content-Type", "Content-Disposition")}
    return Print(asked, version, now, int(now), etag, headers, gzip.compress(response.content, 6, mtime=0))


def _response(request: HttpRequest, found: Print) -> HttpResponse:
    takes_gzip = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(found.zipped if takes_gzip else gzip.decompress(found.zipped), headers=dict(found.headers))
    if takes_gzip:
        response["Content-Encoding"] = "gzip"
    patch_vary_headers(response, ["Accept-Encoding"])
    return response


def _conditional(request: HttpRequest, found: Print, response: HttpResponse) -> HttpResponse:
    """304 for who has this text already."""
    response["ETag"] = found.etag
    response.headers["Last-Modified"] = http_date(found.changed_at)
    answer = get_conditional_response(request, etag=found.etag, last_modified=found.changed_at, response=response)
    return cast(HttpResponse, answer)
