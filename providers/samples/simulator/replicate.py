"""Replicate's wire format: predictions that start, run and end, with `Prefer: wait` on the way in."""

from __future__ import annotations

import base64
import hashlib
import re
import time
import uuid
from dataclasses import replace
from datetime import datetime
from typing import Any

from .canvas import canvas
from .faults import spoilt
from .files import address_of
from .http import Request, SimulatorReply, html_reply, json_reply
from .jobs import SimulatedJob, Workshop, sample_model_of
from .orders import Order
from .scenarios import Fault, Scenario, fault_of
from .sources import Unreadable, source_of
from .webhooks import SECRET, as_replicate, send

PROBLEMS = {
    401: ("Unauthenticated", "You did not pass a valid authentication token"),
    402: ("Insufficient credit", "You have insufficient credit to run this model."),
    403: ("Forbidden", "You do not have permission to perform this action."),
    404: ("Not found", "The requested resource could not be found."),
    500: ("Internal server error", "An internal error occurred."),
    502: ("Bad gateway", "Bad gateway"),
    503: ("Service unavailable", "Service unavailable"),
    504: ("Gateway timeout", "Gateway timeout"),
}
_WAIT = re.compile(r"wait(?:=([1-9]|[1-5][0-9]|60))?")


def answer(workshop: Workshop, request: Request) -> SimulatorReply:
    version, _, path = request.path.partition("/")
    if version != "v1":
        return _problem(Fault(404))
    if not (request.key("Bearer") or request.key("Token")):
        return _problem(Fault(401))
    match request.method, path.strip("/").split("/"):
        case "POST", ["models", owner, name, "predictions"]:
            return _create(workshop, request, f"{owner}/{name}")
        case "POST", ["predictions"]:
            version_id = str((request.json() or {}).get("version") or "")
            return _create(workshop, request, version_id.partition(":")[0] if "/" in version_id else version_id)
        case "GET", ["predictions"]:
            return _list(workshop, request)
        case "GET", ["models", owner, name]:
            return json_reply(_model(owner, name))
        case "POST", ["files"]:
            return _upload(workshop, request)
        case "GET", ["webhooks", "default", "secret"]:
            return json_reply({"key": SECRET})
        case "GET" | "POST", ["predictions", job_id, *rest]:
            return _about(workshop, request, job_id, rest)
    return _problem(Fault(404))


def _create(workshop: Workshop, request: Request, endpoint: str) -> SimulatorReply:
    body = request.json() or {}
    arguments = body.get("input")
    if not isinstance(arguments, dict) or not endpoint:
        return _invalid("input", "input is required")
    asked = Order("replicate", endpoint, str(arguments.get("prompt") or ""), (0, 0), arguments)
    workshop.note(asked, "asked")
    scenario = Scenario.of(asked.prompt)
    if fault := fault_of(scenario, asked.key, workshop.once):
        workshop.note(asked, "refused")
        return html_reply(fault.status) if fault.gateway else _problem(fault)
    if isinstance(order := _order(workshop, asked, scenario), SimulatorReply):
        workshop.note(asked, "refused")
        return order
    job = workshop.start(order, job_id=base64.b32encode(uuid.uuid4().bytes).decode().lower().rstrip("=")[:26])
    if isinstance(url := body.get("webhook"), str) and "completed" in body.get("webhook_events_filter", ["completed"]):
        send(workshop, job, url, lambda: _prediction(job, request), as_replicate)
    finished = job.state == "done"
    if (match := _WAIT.fullmatch(request.headers.get("prefer", ""))) and "no-wait" not in scenario:
        finished = workshop.wait(job, float(match[1] or 60))
    return spoilt(scenario, json_reply(_prediction(job, request), 201 if finished else 202))


def _order(workshop: Workshop, asked: Order, scenario: Scenario) -> Order | SimulatorReply:
    arguments = asked.arguments
    if not asked.prompt or "missing" in scenario:
        return _invalid("input", "prompt is required")
    if "invalid" in scenario:
        return _invalid("input.aspect_ratio", "aspect_ratio must be one of the following: 1:1, 16:9")
    try:
        source, size = source_of(arguments, workshop.gallery)
    except Unreadable as error:
        return _invalid(f"input.{error.field}", "Does not match format 'uri'")
    seed, n = arguments.get("seed"), arguments.get("num_outputs", 1)
    if not isinstance(n, int) or not 1 <= n <= 4:
        return _invalid("input.num_outputs", "Must be less than or equal to 4")
    kind = str(arguments.get("output_format") or "webp").replace("jpeg", "jpg")
    if kind not in ("png", "jpg", "webp"):
        return _invalid("input.output_format", "output_format must be one of the following: jpg, png, webp")
    return replace(
        asked, size=canvas(arguments, size), n=n, seed=seed if isinstance(seed, int) else None, format=kind,
        source=source,
    )  # fmt: skip


def _list(workshop: Workshop, request: Request) -> SimulatorReply:
    since = datetime.fromisoformat(request.parameters().get("created_after", "1970-01-01T00:00:00+00:00"))
    jobs = [job for job in workshop.latest(100) if job.order.provider == "replicate" and job.created_at >= since]
    return json_reply({"results": [_prediction(job, request) for job in jobs], "next": None, "previous": None})


def _about(workshop: Workshop, request: Request, job_id: str, rest: list[str]) -> SimulatorReply:
    job = workshop.find(job_id)
    if job is None or "task-not-found" in job.scenario or rest not in ([], ["cancel"]):
        return _problem(Fault(404))
    if rest == ["cancel"]:
        workshop.cancel(job)
        return json_reply(_prediction(job, request))
    if workshop.once.still(f"poll-reset {job.id}", int(job.scenario.number("poll-reset"))):
        return SimulatorReply(reset=True)
    if workshop.once.still(f"poll-503 {job.id}", int(job.scenario.number("poll-503"))):
        return html_reply(503)
    return json_reply(_prediction(job, request))


def _prediction(job: SimulatedJob, request: Request) -> dict[str, Any]:
    base = f"{request.origin}/replicate/v1/predictions/{job.id}"
    status, error = _status(job)
    now = time.monotonic()
    over = status not in ("starting", "processing")
    output = _output(job, request) if status == "succeeded" else None
    return {
        "id": job.id,
        "model": job.order.endpoint,
        "version": "hidden",
        "input": dict(job.order.arguments),
        "logs": f"Using seed: {job.seed}\n" if over else "",
        "output": output,
        "data_removed": False,
        "error": error or None,
        "source": "api",
        "status": status,
        "created_at": job.moment(job.created),
        "started_at": job.moment(job.starts) if job.ever_started and status != "aborted" else None,
        "completed_at": job.moment(min(now, job.cancelled or job.ends)) if over else None,
        "metrics": {"predict_time": round(job.work_seconds, 3), "total_time": round(job.ends - job.created, 3)}
        if over and job.ever_started and status != "aborted"
        else {},
        "urls": {"get": base, "cancel": f"{base}/cancel", "web": f"{request.origin}/p/{job.id}"},
    }


def _status(job: SimulatedJob) -> tuple[str, str]:
    """(status, error)"""
    scenario = job.scenario
    match job.state:
        case "queued":
            return "starting", ""
        case "running":
            return "processing", ""
        case "cancelled":
            return "canceled", ""
    if "aborted" in scenario:
        return "aborted", ""
    if "canceled" in scenario:
        return "canceled", ""
    if "policy" in scenario:
        return "failed", "The input or output was flagged as sensitive. Please try again with different inputs. (E005)"
    if "nsfw" in scenario:
        return "failed", "NSFW content detected. Try running it again, or try a different prompt."
    if "input" in scenario:
        return "failed", "Could not download the image from the given url."
    if "failed" in scenario or "fail-after-queue" in scenario:
        return "failed", scenario.text("failed", "Prediction failed: the model crashed. (E1000)")
    return "succeeded", ""


def _output(job: SimulatedJob, request: Request) -> list[str] | str | None:
    scenario = job.scenario
    urls = []
    for future in job.pictures:
        picture = future.result()
        if "data-uri" in scenario:
            urls.append(f"data:{picture.content_type};base64,{base64.b64encode(picture.read()).decode()}")
        else:
            urls.append(address_of(job, picture, request.origin))
    if "output-null" in scenario:
        return None
    if "no-image" in scenario:
        return []
    return urls[0] if "output-string" in scenario else urls


def _model(owner: str, name: str) -> dict[str, Any]:
    """The model with the part of its schema that a catalogue reads: the names of its inputs."""
    fields = {
        "prompt": {"type": "string"},
        "aspect_ratio": {"type": "string", "default": "1:1"},
        "output_megapixels": {"type": "string", "default": "1"},
        "images": {"type": "array", "items": {"type": "string", "format": "uri"}},
        "seed": {"type": "integer", "nullable": True},
        "output_format": {"type": "string", "enum": ["webp", "jpg", "png"], "default": "webp"},
    }
    schemas = {
        "Input": {"type": "object", "required": ["prompt"], "properties": fields},
        "Output": {"type": "array", "items": {"type": "string", "format": "uri"}},
    }
    created = "2026-01-15T00:00:00.000000Z"
    version = {
        "id": hashlib.sha256(f"{owner}/{name}".encode()).hexdigest(), "created_at": created, "cog_version": "0.16.0",
        "openapi_schema": {"openapi": "3.0.2", "components": {"schemas": schemas}},
    }  # fmt: skip
    return {
        "url": f"https://replicate.com/{owner}/{name}", "owner": owner, "name": name, "visibility": "public",
        "description": f"Simulated: draws as {sample_model_of(f'{owner}/{name}')}.", "run_count": 0,
        "github_url": None, "paper_url": None, "license_url": None, "cover_image_url": None, "default_example": None,
        "latest_version": version,
    }  # fmt: skip


def _upload(workshop: Workshop, request: Request) -> SimulatorReply:
    _, files = request.form()
    if not files.get("content"):
        return _invalid("content", "content is required")
    data, kind = files["content"][0]
    name = f"{uuid.uuid4().hex}.upload"
    workshop.gallery.keep(name, data, kind or "application/octet-stream")
    checksum = hashlib.sha256(data).hexdigest()
    return json_reply(
        {
            "id": name, "name": "upload", "content_type": kind, "size": len(data), "etag": checksum,
            "checksums": {"sha256": checksum}, "metadata": {}, "created_at": "2026-01-15T00:00:00.000Z",
            "expires_at": None, "urls": {"get": f"{request.origin}/files/{name}"},
        },
        201,
    )  # fmt: skip


def _invalid(field: str, description: str) -> SimulatorReply:
    problem = {
        "title": "Input validation failed", "detail": f"- {field}: {description}\n", "status": 422,
        "invalid_fields": [{"type": "required", "field": field, "description": description}],
    }  # fmt: skip
    return json_reply(problem, 422, {"Content-Type": "application/problem+json"})


def _problem(fault: Fault) -> SimulatorReply:
    if fault.status == 429:
        # Replicate says how long in words; the header is what others report to have seen.
        detail = f"Request was throttled. Your rate limit resets in ~{fault.retry_after or 30}s."
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        return json_reply({"title": "Too many requests", "detail": detail, "status": 429}, 429, headers)
    title, detail = PROBLEMS.get(fault.status, ("Error", "Something went wrong."))
    return json_reply({"title": title, "detail": detail, "status": fault.status}, fault.status)
