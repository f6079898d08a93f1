"""Black Forest Labs' wire format: a task with an address to poll. It cannot be cancelled."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Any

from .canvas import canvas
from .faults import spoilt
from .files import address_of
from .http import Request, SimulatorReply, html_reply, json_reply
from .jobs import SimulatedJob, Workshop
from .orders import Order
from .scenarios import Fault, Scenario, fault_of
from .sources import Unreadable, source_of

DETAILS = {
    401: "Not authenticated",
    402: "Insufficient credits. Please add more credits to continue.",
    403: "Not authenticated - Invalid Authentication",
    404: "Not Found",
    429: "You have too many active tasks.",
    500: "Internal Server Error",
}


def answer(workshop: Workshop, request: Request) -> SimulatorReply:
    version, _, path = request.path.partition("/")
    if version != "v1":
        return _refusal(Fault(404))
    if not request.headers.get("x-key"):
        return _refusal(Fault(403))
    if request.method == "GET" and path == "get_result":
        return _about(workshop, request, request.parameters().get("id", ""))
    if request.method == "POST" and path:
        return _create(workshop, request, path)
    return _refusal(Fault(404))


def _create(workshop: Workshop, request: Request, endpoint: str) -> SimulatorReply:
    arguments = request.json() or {}
    asked = Order("bfl", endpoint, str(arguments.get("prompt") or ""), (0, 0), arguments)
    workshop.note(asked, "asked")
    scenario = Scenario.of(asked.prompt)
    if fault := fault_of(scenario, asked.key, workshop.once):
        workshop.note(asked, "refused")
        return html_reply(fault.status) if fault.gateway else _refusal(fault)
    if isinstance(order := _order(workshop, asked, scenario), SimulatorReply):
        workshop.note(asked, "refused")
        return order
    job = workshop.start(order)
    ticket = {
        "id": job.id, "polling_url": f"{request.origin}/bfl/v1/get_result?id={job.id}", "cost": _credits(job),
        "input_mp": 1.0 if job.order.edits else 0.0, "output_mp": round(job.megapixels, 4),
    }  # fmt: skip
    return spoilt(scenario, json_reply(ticket))


def _order(workshop: Workshop, asked: Order, scenario: Scenario) -> Order | SimulatorReply:
    """The order in full, or the 422 that says what is wrong with it."""
    arguments = asked.arguments
    if not asked.prompt or "missing" in scenario:
        return _invalid("prompt", "Field required", "missing")
    if "invalid" in scenario:
        return _invalid("width", "Input should be greater than or equal to 64", "greater_than_equal")
    source = arguments.get("input_image")
    if isinstance(source, str) and not source.startswith("http"):
        arguments = {**arguments, "input_image": f"data:;base64,{source}"}
    try:
        data, size = source_of(arguments, workshop.gallery)
        if "input" in scenario:
            raise Unreadable("input_image")
    except Unreadable as error:
        return _invalid(error.field, "Could not decode the image.", "value_error")
    kind = str(arguments.get("output_format") or "jpeg")
    if kind not in ("jpeg", "png", "webp"):
        return _invalid("output_format", "Input should be 'jpeg', 'png' or 'webp'", "enum")
    seed = arguments.get("seed")
    return replace(
        asked, size=canvas({name: side for name, side in arguments.items() if side}, size),
        seed=seed if isinstance(seed, int) else None, format=kind, source=data,
    )  # fmt: skip


def _about(workshop: Workshop, request: Request, job_id: str) -> SimulatorReply:
    job = workshop.find(job_id)
    if job is None or "task-not-found" in job.scenario:
        return json_reply({"id": job_id, "status": "Task not found", "result": None}, 404)
    if workshop.once.still(f"poll-reset {job.id}", int(job.scenario.number("poll-reset"))):
        return SimulatorReply(reset=True)
    if workshop.once.still(f"poll-503 {job.id}", int(job.scenario.number("poll-503"))):
        return html_reply(503)
    status, details = _status(job)
    task = {"id": job.id, "status": status, "result": None, "progress": None, "details": details, "cost": _credits(job)}
    if status == "Ready":
        task["result"] = _result(job, request)
    return json_reply(task)


def _status(job: SimulatedJob) -> tuple[str, dict[str, Any] | None]:
    """(status, details)"""
    scenario = job.scenario
    if job.state != "done":
        return "Pending", None
    if "policy" in scenario:
        return "Request Moderated", {"Moderation Reasons": ["Safety Filter"]}
    if "nsfw" in scenario:
        return "Content Moderated", {"Moderation Reasons": ["Safety Filter"]}
    if "failed" in scenario or "fail-after-queue" in scenario:
        return "Error", {"error": scenario.text("failed", "The task failed.")}
    return "Ready", None


def _result(job: SimulatedJob, request: Request) -> dict[str, Any]:
    picture = job.pictures[0].result()
    inline = "data-uri" in job.scenario
    sample = (
        f"data:{picture.content_type};base64,{base64.b64encode(picture.read()).decode()}"
        if inline
        else address_of(job, picture, request.origin)
    )
    start = job.created_at.timestamp() + job.starts - job.created
    times = {"start_time": start, "end_time": start + job.work_seconds, "duration": round(job.work_seconds, 3)}
    return {"prompt": job.order.prompt, "seed": job.seed, **times} | (
        {} if "no-image" in job.scenario else {"sample": sample}
    )


def _credits(job: SimulatedJob) -> float:
    """As klein 9B costs: 1.5 credits for the first megapixel, 0.2 for each further one and each of the source."""
    further = max(0.0, job.megapixels - 1) + (1 if job.order.edits else 0)
    return round(1.5 + 0.2 * further, 4)


def _invalid(field: str, message: str, kind: str) -> SimulatorReply:
    return json_reply({"detail": [{"loc": ["body", field], "msg": message, "type": kind}]}, 422)


def _refusal(fault: Fault) -> SimulatorReply:
    headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
    return json_reply({"detail": DETAILS.get(fault.status, "Something went wrong.")}, fault.status, headers)
