"""OpenAI's wire format: the Images API with JSON, forms and event streams, and the list of models."""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import replace
from io import BytesIO
from typing import Any
from urllib.parse import unquote

from PIL import Image

from .canvas import canvas
from .faults import spoilt
from .files import address_of
from .gallery import Picture
from .http import Request, SimulatorReply, events_reply, html_reply, json_reply
from .jobs import SimulatedJob, Workshop, sample_slugs
from .orders import Order
from .scenarios import Fault, Scenario, fault_of
from .sources import Unreadable, size_of, source_of

ERRORS = {
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key provided."),
    402: ("insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    403: ("invalid_request_error", None, "Your organization must be verified to use this model."),
    404: ("invalid_request_error", "model_not_found", "The model does not exist or you do not have access to it."),
    429: ("requests", "rate_limit_exceeded", "Rate limit reached for images."),
}
MODERATED = "Your request was rejected by the safety system."


def answer(workshop: Workshop, request: Request) -> SimulatorReply:
    version, _, path = request.path.partition("/")
    if not request.key("Bearer"):
        return _error(401)
    if version == "v1" and request.method == "GET" and (path == "models" or path.startswith("models/")):
        return _models(unquote(path.removeprefix("models").lstrip("/")))
    if version == "v1" and request.method == "POST" and path in ("images/generations", "images/edits"):
        return _create(workshop, request, edits=path.endswith("edits"))
    return _error(404)


def _models(requested: str) -> SimulatorReply:
    common = {"object": "model", "created": 1768435200, "owned_by": "simulator"}
    models = [{"id": slug, **common} for slug in sample_slugs()]
    if not requested:
        return _reply({"object": "list", "data": models})
    return next((_reply(model) for model in models if model["id"] == requested), _error(404, param="model"))


def _create(workshop: Workshop, request: Request, *, edits: bool) -> SimulatorReply:
    arguments, sources, mask = _arguments(request)
    if arguments is None:
        return _error(400, "We could not parse the JSON body of your request.")
    asked = Order("openai", str(arguments.get("model") or ""), str(arguments.get("prompt") or ""), (0, 0), arguments)
    workshop.note(asked, "asked")
    scenario = Scenario.of(asked.prompt)
    if fault := fault_of(scenario, asked.key, workshop.once):
        workshop.note(asked, "refused")
        return _refused(fault)
    if isinstance(order := _order(workshop, asked, scenario, sources, mask, edits=edits), SimulatorReply):
        workshop.note(asked, "refused")
        return order
    job = workshop.start(order)
    if str(arguments.get("stream")).lower() == "true":
        shown = str(arguments.get("partial_images") or 0)
        if shown not in ("0", "1", "2", "3"):
            return _error(400, "Invalid 'partial_images': between 0 and 3.", "invalid_value", "partial_images")
        return events_reply(_events(workshop, job, "image_edit" if edits else "image_generation", int(shown)))
    if not workshop.wait(job):
        return html_reply(503)
    if "fail-after-queue" in scenario or "failed" in scenario:
        return _error(500, scenario.text("failed", "The server had an error processing your request."))
    return spoilt(
        scenario, _reply(_body(job, request), 200, {"openai-processing-ms": str(int(job.work_seconds * 1e3))})
    )


def _arguments(request: Request) -> tuple[dict[str, Any] | None, list[bytes], bytes]:
    """(arguments, source images, mask) from JSON or from a form."""
    if not request.headers.get("content-type", "").startswith("multipart/form-data"):
        return request.json(), [], b""
    texts, files = request.form()
    sources, masks = ([data for data, _ in files.get(name, [])] for name in ("image", "mask"))
    return {name: values[0] for name, values in texts.items()}, sources, masks[0] if masks else b""


def _order(
    workshop: Workshop, asked: Order, scenario: Scenario, sources: list[bytes], mask: bytes, *, edits: bool
) -> Order | SimulatorReply:
    arguments = asked.arguments
    if not asked.prompt or not asked.endpoint or "missing" in scenario:
        param = "prompt" if asked.endpoint else "model"
        return _error(400, f"Missing required parameter: '{param}'.", "missing_required_parameter", param)
    if "policy" in scenario or "nsfw" in scenario:
        return _error(400, MODERATED, "moderation_blocked", "", "image_generation_user_error")
    if "invalid" in scenario:
        return _error(400, "Invalid value for 'size'.", "invalid_value", "size")
    try:
        source, size = (sources[0], size_of(sources[0])) if sources else source_of(arguments, workshop.gallery)
        if "input" in scenario:
            raise Unreadable("image")
        if mask and size_of(mask) != size:
            return _error(400, "Invalid mask: it must be as large as the image.", "invalid_value", "mask")
    except Unreadable as error:
        return _error(400, "The image could not be read.", "image_parse_error", error.field)
    if edits and not source:
        return _error(400, "Missing required parameter: 'image'.", "missing_required_parameter", "image")
    seed = str(arguments.get("seed") or "")  # not OpenAI's, but welcome: samples of one prompt should differ
    n, kind = str(arguments.get("n") or 1), str(arguments.get("output_format") or "png")
    if not n.isdigit() or not 1 <= int(n) <= 10:
        return _error(400, "Invalid 'n': expected a value between 1 and 10.", "invalid_value", "n")
    if kind not in ("png", "jpeg", "webp"):
        return _error(400, "Invalid 'output_format'.", "invalid_value", "output_format")
    return replace(
        asked,
        size=canvas(arguments, size),
        n=int(n),
        seed=int(seed) if seed.isdigit() else None,
        format=kind,
        source=source,
    )


def _body(job: SimulatedJob, request: Request) -> dict[str, Any]:
    arguments = job.order.arguments
    as_url = arguments.get("response_format") == "url" or "url" in job.scenario or bool(job.scenario.result)
    data = []
    for future in job.pictures:
        picture = future.result()
        data.append({"url": address_of(job, picture, request.origin)} if as_url else {"b64_json": _base64(picture)})
    return {
        "created": int(job.created_at.timestamp()),
        "data": [] if "no-image" in job.scenario else data,
        "background": "opaque",
        "output_format": job.order.format,
        "quality": str(arguments.get("quality") or "high"),
        "size": f"{job.size[0]}x{job.size[1]}",
        "usage": _usage(job),
    }


def _usage(job: SimulatedJob) -> dict[str, Any]:
    text, image = len(job.order.prompt.split()), 1056 if job.order.edits else 0
    drawn = int(1056 * job.megapixels)
    return {
        "input_tokens": text + image, "output_tokens": drawn, "total_tokens": text + image + drawn,
        "input_tokens_details": {"text_tokens": text, "image_tokens": image},
        "output_tokens_details": {"text_tokens": 0, "image_tokens": drawn},
    }  # fmt: skip


def _events(workshop: Workshop, job: SimulatedJob, kind: str, shown: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Half-made images of each, if they are wanted, then one `completed` per image."""
    if shown and not ("fail-after-queue" in job.scenario or "failed" in job.scenario):
        yield from _partial(workshop, job, kind, shown)
    workshop.wait(job)
    if "fail-after-queue" in job.scenario or "failed" in job.scenario:
        error = {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}
        yield "error", {"type": "error", "error": error}
        return
    for future in job.pictures:
        event = f"{kind}.completed"
        yield event, {"type": event, "b64_json": _base64(future.result()), **_about(job), "usage": _usage(job)}


def _partial(workshop: Workshop, job: SimulatedJob, kind: str, shown: int) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The studio draws in one go, so what is half-made is the picture with more and more of its detail, over the time
    that the job takes."""
    event = f"{kind}.partial_image"
    for future in job.pictures:
        picture = future.result().read()
        for index in range(shown):
            workshop.stopping.wait(max(0.0, (job.ends - time.monotonic()) / (shown + 1 - index)))
            rough = base64.b64encode(_rough(picture, 4 * 2 ** (shown - index), job.order.format)).decode()
            yield event, {"type": event, "partial_image_index": index, "b64_json": rough, **_about(job)}


def _rough(picture: bytes, coarseness: int, kind: str) -> bytes:
    out = BytesIO()
    with Image.open(BytesIO(picture)) as opened:
        small = (max(1, opened.width // coarseness), max(1, opened.height // coarseness))
        opened.resize(small).resize(opened.size).save(out, kind.upper())
    return out.getvalue()


def _about(job: SimulatedJob) -> dict[str, Any]:
    return {
        "created_at": int(time.time()), "size": f"{job.size[0]}x{job.size[1]}", "quality": "high",
        "background": "opaque", "output_format": job.order.format,
    }  # fmt: skip


def _base64(picture: Picture) -> str:
    return base64.b64encode(picture.read()).decode()


def _refused(fault: Fault) -> SimulatorReply:
    if fault.gateway:
        return html_reply(fault.status)
    headers = {"Retry-After": fault.retry_after} if fault.retry_after and fault.status == 429 else {}
    if fault.status >= 500:
        return _error(fault.status, "The server had an error processing your request.", None, None, "server_error")
    if fault.status == 402:  # OpenAI has no 402: an empty account is a 429 with this code
        kind, code, message = ERRORS[402]
        return _error(429, message, code, None, kind)
    return _error(fault.status, headers=headers)


def _error(
    status: int,
    message: str = "",
    code: str | None = None,
    param: str | None = None,
    kind: str = "",
    headers: Mapping[str, str] | None = None,
) -> SimulatorReply:
    usual_kind, usual_code, usual_message = ERRORS.get(status, ("invalid_request_error", None, "Invalid request."))
    error = {
        "message": message or usual_message, "type": kind or usual_kind, "param": param,
        "code": code if message else usual_code,
    }  # fmt: skip
    return _reply({"error": error}, status, headers)


def _reply(value: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> SimulatorReply:
    return json_reply(value, status, {"x-request-id": f"req_{uuid.uuid4().hex}", **(headers or {})})
