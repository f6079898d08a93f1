"""Gemini's wire format: `generateContent` with images inline in and out, and many ways of a 200 without an image."""

from __future__ import annotations

import base64
import uuid
from dataclasses import replace
from typing import Any

from .canvas import canvas
from .faults import spoilt
from .files import damaged
from .http import Request, SimulatorReply, html_reply, json_reply
from .jobs import SimulatedJob, Workshop, sample_slugs
from .orders import Order
from .scenarios import Fault, Scenario, fault_of
from .sources import Unreadable, source_of

STATUSES = {
    400: ("INVALID_ARGUMENT", "Request contains an invalid argument."),
    401: ("UNAUTHENTICATED", "Request is missing required authentication credential."),
    402: ("FAILED_PRECONDITION", "Please enable billing on your project."),
    403: ("PERMISSION_DENIED", "Your API key does not have permission to use this model."),
    404: ("NOT_FOUND", "The model is not found for API version v1beta."),
    429: ("RESOURCE_EXHAUSTED", "You exceeded your current quota."),
    500: ("INTERNAL", "An internal error has occurred."),
    502: ("INTERNAL", "Bad gateway."),
    503: ("UNAVAILABLE", "The model is overloaded. Please try again later."),
    504: ("DEADLINE_EXCEEDED", "The request could not be processed in time."),
}
_GENERATE = ":generateContent"


def answer(workshop: Workshop, request: Request) -> SimulatorReply:
    version, _, path = request.path.partition("/")
    if not request.headers.get("x-goog-api-key"):
        return _key_refused()
    if version == "v1beta" and request.method == "POST" and path.startswith("models/") and path.endswith(_GENERATE):
        return _create(workshop, request, path.removeprefix("models/").removesuffix(_GENERATE))
    if version == "v1beta" and request.method == "GET" and path == "models":
        return json_reply({"models": [{"name": f"models/{slug}", "displayName": slug} for slug in sample_slugs()]})
    return _error(Fault(404))


def _create(workshop: Workshop, request: Request, endpoint: str) -> SimulatorReply:
    body = request.json()
    if body is None:
        return _error(Fault(400))
    config = body.get("generationConfig") or {}
    image_config = config.get("imageConfig") or {}
    parts = [part for content in body.get("contents") or [] for part in content.get("parts") or []]
    prompt = " ".join(part["text"] for part in parts if part.get("text"))
    arguments = {
        "aspect_ratio": image_config.get("aspectRatio"), "resolution": image_config.get("imageSize"),
        "seed": config.get("seed"),
        "images": [
            f"data:{inline.get('mimeType')};base64,{inline.get('data')}" for part in parts
            if isinstance(inline := part.get("inlineData"), dict)
        ],
    }  # fmt: skip
    asked = Order("gemini", endpoint, prompt, (0, 0), arguments)
    workshop.note(asked, "asked")
    scenario = Scenario.of(asked.prompt)
    if fault := fault_of(scenario, asked.key, workshop.once):
        workshop.note(asked, "refused")
        return _key_refused() if fault.status == 401 else _error(fault)
    if "policy" in scenario:
        workshop.note(asked, "refused")
        return json_reply({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}, **_common(len(prompt.split()), 0)})
    if isinstance(order := _order(workshop, asked, scenario, config), SimulatorReply):
        workshop.note(asked, "refused")
        return order
    job = workshop.start(order)
    if not workshop.wait(job):
        return html_reply(503)
    if "fail-after-queue" in scenario or "failed" in scenario:
        return _error(Fault(500), scenario.text("failed"))
    return spoilt(scenario, json_reply(_result(job)))


def _order(workshop: Workshop, asked: Order, scenario: Scenario, config: dict[str, Any]) -> Order | SimulatorReply:
    if not asked.prompt or "missing" in scenario:
        return _error(Fault(400), "GenerateContentRequest.contents: contents is not specified")
    if "invalid" in scenario or "IMAGE" not in config.get("responseModalities", []):
        return _error(Fault(400), "Invalid value at 'generation_config.image_config.aspect_ratio'")
    try:
        source, size = source_of(asked.arguments, workshop.gallery)
        if "input" in scenario:
            raise Unreadable("inlineData")
    except Unreadable:
        return _error(Fault(400), "Unable to process input image. Please retry or report it.")
    seed = asked.arguments.get("seed")
    return replace(
        asked, size=canvas(asked.arguments, size), seed=seed if isinstance(seed, int) else None, source=source
    )


def _result(job: SimulatedJob) -> dict[str, Any]:
    scenario, picture = job.scenario, job.pictures[0].result()
    data = damaged(scenario.result, picture.read())
    image = {"inlineData": {"mimeType": picture.content_type, "data": base64.b64encode(data).decode()}}
    parts: list[dict[str, Any]] = [image]
    reason = "STOP"
    if "nsfw" in scenario:
        parts, reason = [], "IMAGE_SAFETY"
    elif "no-image" in scenario:
        parts, reason = [], "NO_IMAGE"
    elif "text-only" in scenario:
        parts = [{"text": "I would rather describe it: a kite."}]
    elif "thoughts" in scenario:
        sketch = {"inlineData": {"mimeType": "image/png", "data": "c2tldGNo"}, "thought": True}
        parts = [{"text": "A kite, then.", "thought": True}, sketch, image]
    content = {"content": {"role": "model", "parts": parts}} if parts else {}
    candidate = {**content, "finishReason": reason, "index": 0}
    return {"candidates": [candidate], **_common(len(job.order.prompt.split()), 1120 if parts else 0)}


def _common(prompt_tokens: int, image_tokens: int) -> dict[str, Any]:
    usage: dict[str, Any] = {"promptTokenCount": prompt_tokens, "totalTokenCount": prompt_tokens + image_tokens}
    if image_tokens:
        usage["candidatesTokenCount"] = image_tokens
        usage["candidatesTokensDetails"] = [{"modality": "IMAGE", "tokenCount": image_tokens}]
    return {"usageMetadata": usage, "modelVersion": "simulated", "responseId": uuid.uuid4().hex}


def _key_refused() -> SimulatorReply:
    """A wrong key is a 400 here."""
    info = {
        "@type": "type.googleapis.com/google.rpc.ErrorInfo",
        "reason": "API_KEY_INVALID",
        "domain": "googleapis.com",
    }
    return _error(Fault(400), "API key not valid. Please pass a valid API key.", [info])


def _error(fault: Fault, message: str = "", details: list[dict[str, Any]] | None = None) -> SimulatorReply:
    if fault.gateway:
        return html_reply(fault.status)
    word, usual = STATUSES.get(fault.status, ("UNKNOWN", "Something went wrong."))
    status = 400 if fault.status == 402 else fault.status  # an account without billing is a failed precondition
    if fault.retry_after:
        info = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": f"{fault.retry_after}s"}
        details = [*(details or []), info]
    error: dict[str, Any] = {"code": status, "message": message or usual, "status": word}
    return json_reply({"error": error | ({"details": details} if details else {})}, status)
