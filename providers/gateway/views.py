"""The addresses of the gateway. Each view is a receipt; whatever it raises becomes OpenAI's envelope in `api`."""

from __future__ import annotations

import functools
import logging
import threading
import uuid
from collections.abc import Callable, Generator, Iterator
from queue import SimpleQueue
from time import monotonic
from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse, StreamingHttpResponse
from django.views.decorators.csrf import csrf_exempt

from providers.db import release_connection
from providers.gateway import discovery, keys, lifecycle, responses, signed_files
from providers.gateway.disconnect import Client
from providers.gateway.errors import Refusal
from providers.gateway.lookup_cache import Changed
from providers.request import GeneratedImage, Mode

from .wire import is_true

log = logging.getLogger(__name__)
View = Callable[..., HttpResponseBase]


def client_of(request: HttpRequest) -> Client:
    """The other end. A server that cannot notice a closed connection leaves it there for ever."""
    found: Client | None = getattr(request, "gateway_client", None)
    return found or Client()


def api(*methods: str) -> Callable[[View], View]:
    """A view of the API: no cookies, so no CSRF; refusals in the envelope; a request id on everything."""

    def decorate(view: View) -> View:
        @csrf_exempt
        @functools.wraps(view)
        def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            try:
                if request.method not in methods:
                    allowed = ", ".join(methods)
                    message = f"{request.method} is not possible here. Use {allowed}."
                    raise Refusal(405, "method_not_allowed", message, headers={"Allow": allowed})
                response = view(request, *args, **kwargs)
            except Refusal as refusal:
                response = refused(refusal)
            except Exception:
                log.exception("%s %s failed", request.method, request.path)
                message = "Something failed here, and it is in our log."
                response = refused(Refusal(500, "internal_error", message, kind="server_error"))
            response._has_been_logged = True  # type: ignore[attr-defined]  # every refusal would be a warning of Django's
            response.headers.setdefault("x-request-id", f"req_{uuid.uuid4().hex}")
            response.headers.setdefault("Cache-Control", "no-store")
            return response

        return wrapped

    return decorate


def refused(refusal: Refusal) -> JsonResponse:
    response = JsonResponse(refusal.body(), status=refusal.status, headers=refusal.headers)
    if request_id := refusal.more.get("metadata", {}).get("request_id"):
        response["x-request-id"] = request_id
    return response


@api("POST")
def generations(request: HttpRequest) -> HttpResponseBase:
    return _images(request, "text-to-image")


@api("POST")
def edits(request: HttpRequest) -> HttpResponseBase:
    return _images(request, "edit")


def _images(request: HttpRequest, mode: Mode) -> HttpResponseBase:
    begun = getattr(request, "gateway_begun", None) or monotonic()
    client, origin = client_of(request), origin_of(request)
    question = lifecycle.read(request, mode)
    if is_true(request.GET.get("dryRun", "false")):
        question = lifecycle.look_again(request, question)
        return JsonResponse(discovery.dry_run(question), headers=question.headers)
    try:
        job = lifecycle.begin(request, question, client, begun)
    except Changed:
        question = lifecycle.look_again(request, question)
        job = lifecycle.begin(request, question, client, begun)
    if job.asked.stream:
        return StreamingHttpResponse(
            _events(job, client, origin),
            content_type="text/event-stream",
            headers={**_headers(job), "Cache-Control": "no-cache", "X-Accel-Buffering": "no"},
        )
    try:
        done = lifecycle.finish(job, client)
    except Refusal as refusal:
        response = refused(refusal)
        for name, value in _headers(job).items():
            response[name] = value
        return response
    body = responses.body(done.row, done.images, response_format=job.asked.response_format, origin=origin)
    answer = HttpResponse(
        body, content_type="application/json", headers={**_headers(job), **responses.headers(done.row)}
    )
    answer._resource_closers.append(functools.partial(_log_failure, done.afterwards))  # type: ignore[attr-defined]
    return answer


def _log_failure(action: Callable[[], None]) -> None:
    """Django drops what goes wrong when a response is closed."""
    try:
        action()
    except Exception:
        log.exception("A request was answered, but not written down as done")


def _headers(job: lifecycle.Job) -> dict[str, str]:
    again = {} if job.is_new else {"Idempotent-Replayed": "true"}
    return {"x-request-id": job.row.request_id, **job.headers, **again}


def _events(job: lifecycle.Job, client: Client, origin: str) -> Iterator[bytes]:
    yield b": working\n\n"
    try:
        done = yield from _with_partial(job, client)
        done.afterwards()  # a stream that is left has no end
        yield from responses.events(done.row, done.images, response_format=job.asked.response_format, origin=origin)
    except Refusal as refusal:
        yield responses.failed_event(refusal)
    except Exception:
        log.exception("A stream failed")
        message = "Something failed here, and it is in our log."
        yield responses.failed_event(Refusal(500, "internal_error", message, kind="server_error"))


def _with_partial(job: lifecycle.Job, client: Client) -> Generator[bytes, None, lifecycle.Done]:
    """Half-made images while the whole one is made, by a thread of its own: this one has to bring them."""
    if not job.asked.partial_images:
        return lifecycle.finish(job, client)
    news: SimpleQueue[GeneratedImage | lifecycle.Done | Exception] = SimpleQueue()
    threading.Thread(target=_finish_aloud, args=(job, client, news.put), name="partial").start()
    shown = 0
    while isinstance(image := news.get(), GeneratedImage):
        yield responses.partial_event(job.asked, image, shown)
        shown += 1
    if isinstance(image, Exception):
        raise image
    return image


def _finish_aloud(
    job: lifecycle.Job, client: Client, tell: Callable[[GeneratedImage | lifecycle.Done | Exception], None]
) -> None:
    try:
        tell(lifecycle.finish(job, client, tell))
    except Exception as error:
        tell(error)
    finally:
        release_connection()


def origin_of(request: HttpRequest) -> str:
    try:
        return settings.GATEWAY_ORIGIN or f"{request.scheme}://{request.get_host()}"
    except DisallowedHost as error:
        message = (
            f"{request.headers.get('Host', '')[:100]!r} is not a name of this site. It has to be in ALLOWED_HOSTS."
        )
        raise Refusal(400, "unknown_host", message) from error


@api("GET")
def models(request: HttpRequest) -> JsonResponse:
    keys.authenticate(request)
    return JsonResponse({"object": "list", "data": discovery.models()})


@api("GET")
def model(request: HttpRequest, name: str) -> JsonResponse:
    keys.authenticate(request)
    target = lifecycle.find(name)
    found = discovery.model(target, name)
    if is_true(request.GET.get("schema", "false")):
        found["schema"] = discovery.parameters(target)
    return JsonResponse(found)


@api("GET", "HEAD")
def file(request: HttpRequest, name: str) -> HttpResponse:
    """An image by its signed address."""
    query = request.GET
    if not signed_files.is_signed(name, query.get("expires", ""), query.get("signature", "")):
        raise Refusal(404, "file_not_found", "There is no such image. Addresses of images work for an hour.")
    found = signed_files.read(name)
    if found is None:
        raise Refusal(404, "file_not_found", "This image is deleted. Addresses of images work for an hour.")
    headers = {**signed_files.HEADERS, "Cache-Control": "private, max-age=600"}
    return HttpResponse(found[0], content_type=found[1], headers=headers)


@api("GET")
def openapi(request: HttpRequest) -> JsonResponse:
    response = JsonResponse(discovery.openapi(origin_of(request)), json_dumps_params={"indent": 1})
    response["Access-Control-Allow-Origin"] = "*"
    return response


@api("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
def unknown(request: HttpRequest, rest: str = "") -> HttpResponse:
    known = "/images/generations, /images/edits, /models and /models/{id}"
    message = f"Unknown address {request.method} {request.path}. Below /openai/v1 there are {known}."
    raise Refusal(404, "unknown_url", message)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponseBase:
    """Addresses that no pattern matches, such as those with a line break in them."""
    return unknown(request)
