"""fal's wire format: /run answers at once, /queue gives a ticket, /rest takes uploads, /api lists requests."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any

from .canvas import canvas
from .faults import spoilt
from .files import address_of
from .http import Request, SimulatorReply, events_reply, html_reply, json_reply
from .jobs import SimulatedJob, Workshop
from .orders import Order
from .scenarios import Fault, Scenario, fault_of
from .sources import Unreadable, size_of_source, source_of
from .webhooks import as_fal, jwks, send

MASKS = frozenset({"mask_url", "mask_image_url"})
REFUSALS = {
    401: "Cannot access application. Authentication is required to access this application.",
    402: "Payment required.",
    403: "User is locked. Reason: Exhausted balance. Top up your balance.",
    404: "Application not found",
    429: "Too many requests. Please slow down.",
}
FAILURES = {
    500: "runner_server_error", 502: "runner_incomplete_response", 503: "runner_scheduling_failure",
    504: "startup_timeout",
}  # fmt: skip


def answer(workshop: Workshop, request: Request) -> SimulatorReply:
    place, _, path = request.path.partition("/")
    if place == "rest":
        return _storage(workshop, request, path)
    if not request.key("Key"):
        return _refusal(Fault(401))
    if place == "api" and path == "models/requests/by-endpoint":
        return _list(workshop, request)
    if place == "queue" and "/requests/" in path:
        return _about_job(workshop, request, path)
    if place in ("run", "queue") and request.method == "POST" and path:
        return _create(workshop, request, path, queued=place == "queue")
    return _refusal(Fault(404))


def _create(workshop: Workshop, request: Request, endpoint: str, *, queued: bool) -> SimulatorReply:
    arguments = request.json()
    if arguments is None:
        return _reply({"detail": "Invalid JSON", "error_type": "bad_request"}, 400)
    prompt = arguments.get("prompt")
    asked = Order("fal", endpoint, str(prompt or ""), (0, 0), arguments)
    workshop.note(asked, "asked")
    scenario = Scenario.of(asked.prompt)
    if fault := fault_of(scenario, asked.key, workshop.once):
        workshop.note(asked, "refused")
        return _refusal(fault, scenario)
    if isinstance(order := _order(workshop, asked, scenario), SimulatorReply):
        workshop.note(asked, "refused")
        return order
    job = workshop.start(order)
    if queued:
        if url := request.parameters().get("fal_webhook"):
            send(workshop, job, url, lambda: _webhook(job, request), as_fal(job))
        return spoilt(scenario, _reply(_ticket(job, request), 200, job.id))
    if not workshop.wait(job):
        return html_reply(503)
    return spoilt(scenario, _result(job, request))


def _order(workshop: Workshop, asked: Order, scenario: Scenario) -> Order | SimulatorReply:
    """The order in full, or the 422 that says what is wrong with it."""
    arguments = asked.arguments
    if not asked.prompt or "missing" in scenario:
        return _details("prompt", "Field required", "missing")
    if "invalid" in scenario:
        return _details("image_size", "Input should be less than or equal to 14142", "less_than_equal")
    try:
        source, size = source_of(arguments, workshop.gallery)
        if "input" in scenario:
            raise Unreadable("image_urls")
        for field in MASKS & arguments.keys():
            if size_of_source(arguments[field], workshop.gallery, field) != size:
                return _details(field, "The mask must have the size of the image.", "image_size_mismatch")
    except Unreadable as error:
        return _details(error.field, "Failed to download the file.", "file_download_error")
    if asked.endpoint.endswith("/edit") and not source:
        return _details("image_urls", "Field required", "missing")
    seed, n = arguments.get("seed"), arguments.get("num_images", 1)
    if not isinstance(n, int) or not 1 <= n <= 4:
        return _details("num_images", "Input should be less than or equal to 4", "less_than_equal")
    kind = str(arguments.get("output_format") or "png")
    if kind not in ("png", "jpeg", "webp"):
        return _details("output_format", "Input should be 'jpeg' or 'png'", "literal_error")
    return replace(
        asked, size=canvas(arguments, size), n=n, seed=seed if isinstance(seed, int) else None, format=kind,
        source=source,
    )  # fmt: skip


def _ticket(job: SimulatedJob, request: Request) -> dict[str, Any]:
    # As fal does it, the addresses drop whatever follows owner and application.
    application = "/".join(job.order.endpoint.split("/")[:2])
    base = f"{request.origin}/fal/queue/{application}/requests/{job.id}"
    return {
        "status": "IN_QUEUE", "request_id": job.id, "queue_position": 0, "response_url": base,
        "status_url": f"{base}/status", "cancel_url": f"{base}/cancel",
    }  # fmt: skip


def _list(workshop: Workshop, request: Request) -> SimulatorReply:
    """The requests that have ended, the latest first."""
    asked = request.parameters()
    if not (endpoint := asked.get("endpoint_id")):
        return json_reply({"error": {"type": "validation_error", "message": "endpoint_id is required"}}, 400)
    since = datetime.fromisoformat(asked.get("start", "1970-01-01T00:00:00+00:00"))
    jobs = [
        job
        for job in workshop.latest(100)
        if (job.order.provider, job.order.endpoint) == ("fal", endpoint)
        and job.created_at >= since
        and job.state not in ("queued", "running")
    ]
    items = [_listed(job, with_payloads=asked.get("expand") == "payloads") for job in jobs]
    return json_reply({"items": items, "next_cursor": None, "has_more": False})


def _listed(job: SimulatedJob, *, with_payloads: bool) -> dict[str, Any]:
    ended = job.cancelled or job.ends
    return {
        "request_id": job.id, "endpoint_id": job.order.endpoint, "sent_at": job.moment(job.created),
        "started_at": job.moment(job.starts), "ended_at": job.moment(ended), "status_code": 200,
        "duration": round(ended - job.starts, 3),
        **({"json_input": dict(job.order.arguments)} if with_payloads else {}),
    }  # fmt: skip


def _about_job(workshop: Workshop, request: Request, path: str) -> SimulatorReply:
    job_id, _, what = path.rpartition("/requests/")[2].partition("/")
    job = workshop.find(job_id)
    if job is None or "task-not-found" in job.scenario:
        return _refusal(Fault(404))
    if what == "cancel":
        if workshop.cancel(job):
            return _reply({"status": "CANCELLATION_REQUESTED"}, 202, job.id)
        return _reply({"status": "ALREADY_COMPLETED"}, 400, job.id)
    if workshop.once.still(f"poll-reset {job.id}", int(job.scenario.number("poll-reset"))):
        return SimulatorReply(reset=True)
    if workshop.once.still(f"poll-503 {job.id}", int(job.scenario.number("poll-503"))):
        return html_reply(503)
    if what == "status":
        status = _status(job, request)
        return _reply(status, 200 if status["status"] == "COMPLETED" else 202, job.id)
    if what == "status/stream":
        return events_reply(_statuses(workshop, job, request))
    if job.state in ("queued", "running"):
        return _reply({"detail": "Request is still in progress"}, 400, job.id)
    return _result(job, request)


def _status(job: SimulatedJob, request: Request) -> dict[str, Any]:
    common = {"request_id": job.id, "response_url": _ticket(job, request)["response_url"]}
    match job.state:
        case "queued":
            return {"status": "IN_QUEUE", "queue_position": 1, **common}
        case "running":
            return {"status": "IN_PROGRESS", "logs": [], **common}
    status = {"status": "COMPLETED", "logs": None, "metrics": {"inference_time": round(job.work_seconds, 3)}, **common}
    if "fail-after-queue" in job.scenario or "failed" in job.scenario:
        status |= {"error": "Request failed", "error_type": "runner_server_error"}
    return status


def _statuses(workshop: Workshop, job: SimulatedJob, request: Request) -> Iterator[tuple[str, Any]]:
    last: dict[str, Any] = {}
    while last.get("status") != "COMPLETED":
        if (status := _status(job, request)) != last:
            yield "", status
            last = status
        workshop.wait(job, 0.1)


def _result(job: SimulatedJob, request: Request) -> SimulatorReply:
    """The output, or what the job failed with: fal knows no other way to say so."""
    scenario = job.scenario
    if job.state == "cancelled" or "canceled" in scenario:
        return _reply({"detail": "Request cancelled by the client", "error_type": "client_cancelled"}, 499, job.id)
    if "policy" in scenario:
        text = "The content could not be processed because it contained material flagged by a content checker."
        return _details("prompt", text, "content_policy_violation", job.id)
    if "aborted" in scenario:
        return _refusal(Fault(504), job_id=job.id)
    if "failed" in scenario:
        return _reply({"detail": scenario.text("failed"), "error_type": "internal_error"}, 500, job.id)
    if "fail-after-queue" in scenario:
        status = int(scenario.number("fail-after-queue", 500))
        if status == 422:
            return _details("prompt", "Input should be shorter", "string_too_long", job.id)
        return _refusal(Fault(status), job_id=job.id)
    width, height = job.size
    pictures = [future.result() for future in job.pictures]
    inline = "data-uri" in scenario or job.order.arguments.get("sync_mode") is True
    images = [
        {
            "url": f"data:{picture.content_type};base64,{base64.b64encode(picture.read()).decode()}"
            if inline
            else address_of(job, picture, request.origin),
            "width": width,
            "height": height,
            "content_type": picture.content_type,
            "file_name": picture.name,
            "file_size": picture.size,
        }
        for picture in pictures
    ]
    body = {
        "images": [] if "no-image" in scenario else images,
        "timings": {"inference": round(job.work_seconds, 3)},
        "seed": job.seed,
        "has_nsfw_concepts": ["nsfw" in scenario] * len(images),
        "prompt": job.order.prompt,
    }
    return _reply(body, 200, job.id, {"x-fal-billable-units": f"{job.megapixels:.4f}"})


def _webhook(job: SimulatedJob, request: Request) -> dict[str, Any]:
    result = _result(job, request)
    assert isinstance(result.body, bytes)
    body = {"request_id": job.id, "gateway_request_id": job.id, "payload": json.loads(result.body)}
    if result.status == 200:
        return {**body, "status": "OK"}
    return {**body, "status": "ERROR", "error": f"Unexpected status code: {result.status}"}


def _storage(workshop: Workshop, request: Request, path: str) -> SimulatorReply:
    """Uploads in two steps: ask for an address, put the bytes there."""
    if request.method == "PUT" and path.startswith("upload/"):
        kind = request.headers.get("content-type", "application/octet-stream")
        workshop.gallery.keep(path.removeprefix("upload/"), request.body, kind)
        return _reply({}, 200)
    if path == ".well-known/jwks.json":
        return _reply(jwks())
    if request.method == "POST" and path == "storage/upload/initiate":
        name = f"{uuid.uuid4().hex}.upload"
        return _reply(
            {"upload_url": f"{request.origin}/fal/rest/upload/{name}", "file_url": f"{request.origin}/files/{name}"}
        )
    return _refusal(Fault(404))


def _refusal(fault: Fault, scenario: Scenario | None = None, job_id: str = "") -> SimulatorReply:
    if fault.gateway:
        return html_reply(fault.status)
    extra = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    if scenario is not None and "user-timeout" in scenario:
        extra |= {"x-fal-error-type": "request_timeout", "x-fal-request-timeout-type": "user"}
        return _reply({"detail": "Request timed out", "error_type": "request_timeout"}, 504, job_id, extra)
    if kind := FAILURES.get(fault.status):
        extra |= {"x-fal-error-type": kind}
        return _reply({"detail": "The runner failed.", "error_type": kind}, fault.status, job_id, extra)
    return _reply({"detail": REFUSALS.get(fault.status, "Bad request")}, fault.status, job_id, extra)


def _details(field: str, message: str, kind: str, job_id: str = "") -> SimulatorReply:
    detail = {"loc": ["body", field], "msg": message, "type": kind, "url": f"https://docs.fal.ai/errors/#{kind}"}
    return _reply({"detail": [detail]}, 422, job_id)


def _reply(value: Any, status: int = 200, job_id: str = "", headers: dict[str, str] | None = None) -> SimulatorReply:
    # Without the request id, fal's own client takes a 5xx for trouble of the gateway and tries ten times.
    return json_reply(value, status, {"x-fal-request-id": job_id or str(uuid.uuid4()), **(headers or {})})
