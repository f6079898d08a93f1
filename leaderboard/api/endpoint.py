"""What every endpoint of the API does: cached like a page, errors as JSON, open to programs in browsers, paged."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from leaderboard.page_cache import Version, cached_page, of_all_boards

CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Last-Modified, Retry-After",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "X-Robots-Tag": "noindex",
}
PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "if-none-match, if-modified-since, accept",
    "Access-Control-Max-Age": "86400",
    "Allow": "GET, HEAD, OPTIONS",
}
LIMIT, MAX_LIMIT = 50, 200  # rows of one page of a list

Json = dict[str, Any]
Endpoint = Callable[..., Json]


class ApiError(Exception):
    """An error response: status, a code for programs, a sentence for people, and the parameter it is about."""

    def __init__(self, status: int, code: str, message: str, param: str | None = None, **headers: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.param, self.headers = status, code, message, param, headers

    def response(self) -> JsonResponse:
        error = {"code": self.code, "message": self.message, "param": self.param}
        headers = {name.replace("_", "-"): value for name, value in self.headers.items()}
        return JsonResponse({"error": error}, status=self.status, headers=headers)


def endpoint(
    *parameters: str, version: Version = of_all_boards, blind: bool = False
) -> Callable[[Endpoint], Callable[..., HttpResponse]]:
    """A view that returns what the function does, as JSON; `parameters` are the query parameters it reads.

    Cached and revalidated (ETag) exactly as pages are: page_cache.py. Other parameters are rejected, because a program
    whose filter is misspelled must not take the unfiltered answer for the filtered one.
    """

    def decorate(function: Endpoint) -> Callable[..., HttpResponse]:
        @cached_page(*parameters, version=version, blind=blind)
        def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return JsonResponse(function(request, *args, **kwargs))

        @csrf_exempt  # it reads no cookie and changes nothing: a POST gets 405, not a page about a missing token
        @wraps(function)
        def respond(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                response = _answer(request, parameters, lambda: answer(request, *args, **kwargs))
            except Http404 as error:
                response = ApiError(404, "not_found", str(error)).response()
            except ApiError as error:
                response = error.response()
            for name, value in CORS.items():
                response.headers[name] = value
            return response

        return respond

    return decorate


def _answer(request: HttpRequest, parameters: Sequence[str], answer: Callable[[], HttpResponse]) -> HttpResponse:
    if request.method == "OPTIONS":
        return HttpResponse(status=204, headers=PREFLIGHT)
    if request.method not in ("GET", "HEAD"):
        raise ApiError(405, "method_not_allowed", "This API is read-only: use GET.", Allow="GET, HEAD, OPTIONS")
    for name in request.GET:
        if name not in parameters:
            known = f"It has: {', '.join(parameters)}." if parameters else "It has none."
            raise ApiError(400, "unknown_parameter", f"There is no parameter {name[:60]!r} here. {known}", name[:60])
    return answer()


def invalid(errors: Mapping[str, str]) -> ApiError:
    """400 for the first of several parameters that cannot be used."""
    param, message = next(iter(errors.items()))
    return ApiError(400, "invalid_parameter", message, param)


def paged(
    request: HttpRequest, rows: QuerySet[Any], key: str, describe: Callable[[Any], Json], *, newest_first: bool = False
) -> Json:
    """One page of a list: `limit` rows after `cursor`. `key` is a unique field, by which they are ordered.

    A cursor names the last row of a page, so rows that come or go meanwhile neither repeat nor hide others.
    """
    limit = _limit(request)
    if cursor := request.GET.get("cursor", "").strip():
        rows = rows.filter(**{f"{key}__{'lt' if newest_first else 'gt'}": _key_of(cursor, rows, key)})
    page = list(rows.order_by(f"-{key}" if newest_first else key)[: limit + 1])
    has_more = len(page) > limit
    page = page[:limit]
    following = None
    if has_more:
        words = {**request.GET.dict(), "cursor": _cursor(str(getattr(page[-1], key)))}
        following = request.build_absolute_uri(f"{request.path}?{urlencode(words)}")
    return {"data": [describe(row) for row in page], "has_more": has_more, "next": following}


def _limit(request: HttpRequest) -> int:
    text = request.GET.get("limit", "").strip() or str(LIMIT)
    if not (text.isascii() and text.isdecimal() and 1 <= int(text[:6]) <= MAX_LIMIT):
        raise ApiError(400, "invalid_parameter", f"limit: a whole number from 1 to {MAX_LIMIT}", "limit")
    return int(text)


def _cursor(key: str) -> str:
    return base64.urlsafe_b64encode(key.encode()).decode().rstrip("=")


def _key_of(cursor: str, rows: QuerySet[Any], key: str) -> Any:
    try:
        text = base64.urlsafe_b64decode(cursor.encode("ascii") + b"==").decode()
        field: Any = rows.model._meta.get_field(key)
        value = field.to_python(text)
        if "\0" in text or (isinstance(value, int) and not 0 <= value < 2**63):
            raise ValueError(text)
    except (ValueError, ValidationError) as error:
        raise ApiError(400, "invalid_parameter", "cursor: take it from the `next` of a page", "cursor") from error
    return value
