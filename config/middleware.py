"""Compressed pages, and URLs that would end in an error: those of forms, those that no database can look up, and a
database that is away."""

from __future__ import annotations

import logging
from collections.abc import Callable

import redis
from django.db import InterfaceError, OperationalError, connection
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.gzip import GZipMiddleware
from django.shortcuts import render

from config.entry.messages import page
from providers.connections.database import release_connection

log = logging.getLogger(__name__)

Answer = Callable[[HttpRequest], HttpResponseBase]


def readable(get_response: Answer) -> Answer:
    """Middleware: no NUL reaches a query of the database, which cannot hold one in a text. In what is looked for it is
    left out, as nobody can have meant it; a page has none in its address."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path:
            return render(request, "400.html", status=400)
        while "%00" in request.META["QUERY_STRING"]:  # what is left of %0%000 is one, too
            request.META["QUERY_STRING"] = request.META["QUERY_STRING"].replace("%00", "")
        return get_response(request)

    return answer


def explained(get_response: Answer) -> Answer:
    """Middleware: who opens an address that only forms are sent to is led to the page that the form is on.

    A vote that was refused leaves such an address in the browser, from where it is opened again.
    """

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        is_empty = response.status_code == 405 and not getattr(response, "content", b"?")
        is_browser = "text/html" in request.headers.get("Accept", "")  # programs take anything, and want no page
        if not (is_empty and request.method == "GET" and is_browser):
            return response
        above = request.path.rstrip("/").rpartition("/")[0] + "/"
        page = render(request, "405.html", {"above": above}, status=405)
        page["Allow"] = response["Allow"]
        return page

    return answer


class CompressedPages(GZipMiddleware):
    """Middleware: pages are compressed, a third of their size on a phone's line. What the API answers is not: most of
    it is images, which are compressed already.

    A page's length gives nothing away (BREACH): its token for forms is masked in another way each time, and random
    bytes are added.
    """

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        is_page = response.headers.get("Content-Type", "").startswith("text/html")
        return super().process_response(request, response) if is_page else response


class DatabaseOutage:
    """Middleware: a database that restarts, hangs or refuses is a 503 with Retry-After, never an internal error.

    What failed on a broken connection is tried once more on a new one, where a second time is harmless: reading, and
    casting a vote (one statement, which stores the same answer once). It is the innermost middleware, so that this
    repeats the view alone. A page here needs no template: context processors would query the database.
    """

    IDEMPOTENT = frozenset({"vote", "skip", "show"})  # names of routes

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not isinstance(response, OutageResponse):
            return response
        match = request.resolver_match
        is_harmless = request.method in ("GET", "HEAD") or (match is not None and match.url_name in self.IDEMPOTENT)
        if is_harmless and not connection.in_atomic_block:
            release_connection()
            response = self.get_response(request)
        if isinstance(response, OutageResponse):
            log.warning("%s %s: %s", request.method, request.path, response.reason)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        # OSError: the file store is away, full or hanging. A file that is missing is the view's to explain.
        is_outage = isinstance(exception, OperationalError | InterfaceError | redis.RedisError | OSError)
        return OutageResponse(exception) if is_outage and not isinstance(exception, FileNotFoundError) else None


class OutageResponse(HttpResponse):
    def __init__(self, error: Exception) -> None:
        part = "files" if isinstance(error, OSError) else "cache" if isinstance(error, redis.RedisError) else "database"
        message = f"The site cannot reach its {part} at the moment. Nothing is lost. Try again in a few seconds."
        super().__init__(page(503, message), status=503, headers={"Retry-After": "5", "Cache-Control": "no-store"})
        self.reason = f"{type(error).__name__}: {error}".splitlines()[0]
