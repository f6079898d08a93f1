"""Addresses that would end in an error: those of forms, and those that no database can look up."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

Answer = Callable[[HttpRequest], HttpResponseBase]


def readable(get_response: Answer) -> Answer:
    """Middleware: no NUL reaches a query of the database, which cannot hold one in a text. In what is looked for it is
    left out, as nobody can have meant it; a page has none in its address."""

    def answer(request: HttpRequest) -> HttpResponseBase:
        if "\0" in request.path:
            return render(request, "400.html", status=400)
        if "%00" in request.META["QUERY_STRING"]:
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
