"""The gateway's views. Whatever they raise becomes OpenAI's error envelope in `api`."""

from __future__ import annotations

import functools
import logging
import re
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from queue import SimpleQueue
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from providers.connections.database import release_connection
from providers.gateway import (
    discovery,
    errors,
    idempotency,
    jobs,
    lifecycle,
    names,
    responses,
    responses_api,
    signed_files,
)
from providers.gateway.disconnect import CORS, ClientConnection, connection_of, prefers
from providers.gateway.errors import ApiError
from providers.gateway.lifecycle import ImageJob
from providers.gateway.responses_api import ToolCall
from providers.models import ApiKey
from providers.request import GeneratedImage, Mode

from .wire import ApiRequest, is_true

log = logging.getLogger(__name__)
View = Callable[..., HttpResponseBase]
Step = GeneratedImage | list[GeneratedImage] | Exception  # a partial image, all whole ones, or why there are none
VARIATION = "Another picture of the same subject, in the same style, with a different composition."
NO_DEFAULTS: Mapping[str, str] = {}
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")


def api(*methods: str) -> Callable[[View], View]:
    """A view of the API: no cookies, so no CSRF; errors in the envelope; a request id on every response."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @functools.wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            connection = connection_of(request)
            try:
                if request.method == "OPTIONS":
                    response: HttpResponseBase = _preflight(request, methods)
                elif request.method in methods:
                    response = view(request, *args, **kwargs)
                else:
                    raise errors.method_not_allowed(methods)
            except ApiError as error:
                response = error_response(error)
                _note_rejection(connection, error)
                if error.status in (404, 405):
                    lifecycle.show_limit(request)
            except errors.OUTAGES as error:
                facts = (request.method, request.path, error, connection.headers["x-request-id"])
                log.warning("%s %s: %s (%s)", *facts, exc_info=isinstance(error, OSError))
                response = error_response(errors.outage(error, may_be_paid=connection.is_generating))
            except Exception:
                # With the id that the client has: it is what a report names.
                log.exception("%s %s failed (%s)", request.method, request.path, connection.headers["x-request-id"])
                response = error_response(errors.internal_error())
            response._has_been_logged = True  # type: ignore[attr-defined]  # Django would log a warning for each error
            for name, value in connection.headers.items():
                response.headers.setdefault(name, value)
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return wrapped

    return decorate


def _preflight(request: HttpRequest, methods: tuple[str, ...]) -> HttpResponse:
    """What browsers ask before they send a request with a key. Authorization has to be named: * does not cover it."""
    requested = request.headers.get("Access-Control-Request-Headers", "")
    names = [name for part in requested.split(",") if _HEADER_NAME.fullmatch(name := part.strip())]
    allowed = ", ".join((*methods, "OPTIONS"))
    headers = {
        **CORS,
        "Allow": allowed,
        "Access-Control-Allow-Methods": allowed,
        "Access-Control-Allow-Headers": ", ".join(names or ["authorization", "content-type"]),
        "Access-Control-Max-Age": "86400",
        "Vary": "Access-Control-Request-Headers",
    }
    return HttpResponse(status=204, headers=headers)


def _note_rejection(connection: ClientConnection, error: ApiError) -> None:
    """A client may retry what we have rejected with such a status: idempotency.py."""
    if connection.key is not None and (error.status in (408, 409, 429) or error.status >= 500):
        idempotency.note_rejection(connection.key.digest, connection.fingerprint)


def error_response(error: ApiError) -> JsonResponse:
    return JsonResponse(error.body(), status=error.status, headers=error.headers)


@api("POST")
def generations(request: HttpRequest) -> HttpResponseBase:
    return _images(request, "text-to-image")


@api("POST")
def edits(request: HttpRequest) -> HttpResponseBase:
    return _images(request, "edit")


@api("POST")
def variations(request: HttpRequest) -> HttpResponseBase:
    """An edit whose prompt asks for a variation, unless the client has written one."""
    return _images(request, "edit", {"prompt": VARIATION})


def _images(http: HttpRequest, mode: Mode, defaults: Mapping[str, str] = NO_DEFAULTS) -> HttpResponseBase:
    connection, origin = connection_of(http), origin_of(http)
    key = lifecycle.authenticate(http)
    request = lifecycle.read(http, key, mode, defaults)
    jobs.check(http, request)
    if is_true(http.GET.get("dryRun", "false")):
        return _dry_run(http, key, request)
    job = lifecycle.claim(http, key, request, streamed=request.stream)
    connection.headers |= {"x-request-id": job.row.request_id}
    if job.is_retry:
        connection.headers |= {"Idempotent-Replayed": "true"}
    if prefers(http, "respond-async"):
        return _accepted(job, origin)
    if job.request.stream:
        return ImagesStream(job, connection, _events(job, connection, origin))
    connection.may_begin = prefers(http, "keep-alive")
    images = lifecycle.generate(job, connection)
    content = responses.body(job.row, images, response_format=job.request.response_format, origin=origin)
    return ImagesResponse(job, connection, images, content)


def _dry_run(http: HttpRequest, key: ApiKey, request: ApiRequest) -> JsonResponse:
    _, target, request = lifecycle.look_up_again(http, key, request)
    return JsonResponse(discovery.dry_run(request, target))


@api("POST")
def create_response(http: HttpRequest) -> HttpResponseBase:
    """The image tool of OpenAI's Responses API."""
    connection = connection_of(http)
    key = lifecycle.authenticate(http)
    call = responses_api.read(http, key)
    if is_true(http.GET.get("dryRun", "false")):
        return _dry_run(http, key, call.request)
    job = lifecycle.claim(http, key, call.request, streamed=call.stream)
    connection.headers |= {"x-request-id": job.row.request_id}
    if call.stream:
        return ImagesStream(job, connection, _response_events(job, connection, call))
    connection.may_begin = prefers(http, "keep-alive")
    images = lifecycle.generate(job, connection)
    return ImagesResponse(job, connection, images, responses_api.body(job.row, call, images))


def _response_events(job: ImageJob, connection: ClientConnection, call: ToolCall) -> Iterator[bytes]:
    yield b": working\n\n"
    try:
        images = lifecycle.generate(job, connection)
        lifecycle.settle(job, images)
        yield from responses_api.events(job.row, call, images)
    except ApiError as error:
        yield responses_api.error_event(error)
    except Exception:
        log.exception("A stream failed (%s)", connection.headers["x-request-id"])
        yield responses_api.error_event(errors.internal_error())


def _accepted(job: ImageJob, origin: str) -> JsonResponse:
    """202: a worker runs it. A retry gets the same job."""
    if not job.is_retry:
        jobs.submit(job, origin)
    headers = {
        "Location": f"{origin}/openai/v1/images/jobs/{jobs.id_of(job.row)}",
        "Preference-Applied": "respond-async",
        "Retry-After": str(jobs.RETRY_AFTER),
    }
    return JsonResponse(jobs.describe(job.row, origin), status=202, headers=headers)


@api("GET", "HEAD", "DELETE")
def job(request: HttpRequest, name: str) -> JsonResponse:
    """The state of an asynchronous request; DELETE cancels it."""
    key = lifecycle.identify(request)
    row = jobs.find(key, name)
    if request.method == "DELETE":
        jobs.cancel(row)
        row.refresh_from_db()
    headers = {"Retry-After": str(jobs.RETRY_AFTER)} if row.status == "running" else {}
    return JsonResponse(jobs.describe(row, origin_of(request)), headers=headers)


class ImagesResponse(HttpResponse):
    """The images as JSON. The job ends when the response is closed: no client waits for that."""

    def __init__(
        self, job: ImageJob, connection: ClientConnection, images: list[GeneratedImage], content: bytes
    ) -> None:
        super().__init__(content, content_type="application/json", headers=responses.headers(job.row))
        self._end = functools.partial(lifecycle.end, job, connection, images)

    def close(self) -> None:
        super().close()
        _logged(self._end)


class ImagesStream(StreamingHttpResponse):
    """The images as server-sent events."""

    def __init__(self, job: ImageJob, connection: ClientConnection, events: Iterator[bytes]) -> None:
        headers = {"Cache-Control": "no-cache", "X-Accel-Buffering": "no"}
        super().__init__(events, content_type="text/event-stream", headers=headers)
        self._job, self._connection = job, connection

    def close(self) -> None:
        super().close()
        if self._job.is_settled or self._job.is_retry:
            _logged(functools.partial(lifecycle.end, self._job, self._connection, []))


def _logged(action: Callable[[], None]) -> None:
    """Django and servers drop what is raised when a response is closed."""
    try:
        action()
    except Exception:
        log.exception("A request was answered, but its row could not be saved")


def _events(job: ImageJob, connection: ClientConnection, origin: str) -> Iterator[bytes]:
    yield b": working\n\n"
    try:
        images = yield from _with_partial_images(job, connection)
        lifecycle.settle(job, images)
        yield from responses.events(job.row, images, response_format=job.request.response_format, origin=origin)
    except ApiError as error:
        yield responses.error_event(error)
    except Exception:
        log.exception("A stream failed (%s)", connection.headers["x-request-id"])
        yield responses.error_event(errors.internal_error())


def _with_partial_images(job: ImageJob, connection: ClientConnection) -> Generator[bytes, None, list[GeneratedImage]]:
    """Yield events of partial images while another thread generates the whole one; return the images."""
    if not job.request.partial_images:
        return lifecycle.generate(job, connection)
    queue: SimpleQueue[Step] = SimpleQueue()
    threading.Thread(target=_generate_into, args=(queue.put, job, connection), name="partial").start()
    count = 0
    while isinstance(item := queue.get(), GeneratedImage):
        yield responses.partial_event(job.request, item, count)
        count += 1
    if isinstance(item, Exception):
        raise item
    return item


def _generate_into(put: Callable[[Step], None], job: ImageJob, connection: ClientConnection) -> None:
    try:
        images = lifecycle.generate(job, connection, put)
        lifecycle.settle(job, images)  # here, for perhaps nobody takes them any more
        put(images)
    except Exception as error:
        put(error)
    finally:
        release_connection()


def origin_of(request: HttpRequest) -> str:
    """Scheme and host under which clients reach this site. Raises ApiError for a host that is not ours."""
    try:
        return settings.GATEWAY_ORIGIN or f"{request.scheme}://{request.get_host()}"
    except DisallowedHost as error:
        message = (
            f"{request.headers.get('Host', '')[:100]!r} is not a host of this site. It has to be in ALLOWED_HOSTS."
        )
        raise ApiError(400, "unknown_host", message) from error


@api("GET", "HEAD")
def models(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"object": "list", "data": discovery.models(lifecycle.identify(request))})


@api("GET", "HEAD")
def key(request: HttpRequest) -> JsonResponse:
    """The key's own limits and what it has spent."""
    return JsonResponse(discovery.key(lifecycle.identify(request)))


@api("GET", "HEAD")
def model(request: HttpRequest, name: str) -> JsonResponse:
    name = name.strip("/")
    target = names.resolve(lifecycle.identify(request), name)
    description = discovery.model(target, name)
    if is_true(request.GET.get("schema", "false")):
        description["schema"] = discovery.parameters(target)
    return JsonResponse(description)


@api("GET", "HEAD")
def file(request: HttpRequest, name: str) -> HttpResponse:
    """An image behind its signed URL."""
    query = request.GET
    if not signed_files.is_signed(name, query.get("expires", ""), query.get("signature", "")):
        raise ApiError(404, "file_not_found", "There is no such image, or its URL has expired.")
    content = signed_files.read(name)
    if content is None:
        raise ApiError(404, "file_not_found", "This image has been deleted.")
    headers = {**signed_files.HEADERS, "Cache-Control": "private, max-age=600"}
    return HttpResponse(content[0], content_type=content[1], headers=headers)


@api("GET", "HEAD")
def openapi(request: HttpRequest) -> JsonResponse:
    return JsonResponse(discovery.openapi(origin_of(request)), json_dumps_params={"indent": 1})


@api("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
def unknown(request: HttpRequest, path: str = "") -> HttpResponse:
    """Also below /v1, where clients with a wrong base URL look for the API."""
    known = (
        "/images/generations, /images/edits, /images/variations, /images/jobs/{id}, /responses, /models, /models/{id} "
        "and /key"
    )
    message = (
        f"Unknown URL {request.method} {request.path[:200]}. The base URL of this API is "
        f"{origin_of(request)}/openai/v1; below it there are {known}."
    )
    raise ApiError(404, "unknown_url", message)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """URLs that no pattern matches, such as those with a line break in them."""
    return unknown(request)
