"""A page for the address of a form: browsers show an error of their own where an answer is empty."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import render

Answer = Callable[[HttpRequest], HttpResponseBase]


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
