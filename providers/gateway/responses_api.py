"""OpenAI's Responses API as far as its image tool goes: agents' frameworks ask for images with it.

There is no language model here. The prompt is the text of the last user message, its images and those that earlier
calls in `input` returned are edited, and the parameters are those of the tool `image_generation`. The image model is
the tool's `model`, else the request's; an alias can stand for a built-in name.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from providers.gateway import uploads, wire
from providers.gateway.errors import ApiError, invalid
from providers.gateway.responses import encoded
from providers.gateway.wire import ApiRequest
from providers.models import ApiKey, GatewayRequest
from providers.request import GeneratedImage

TOOL = "image_generation"
# Parameters of the tool that are not those of an image.
_NOT_OF_AN_IMAGE = frozenset({"type", "action", "model", "input_image_mask", "moderation"})


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the client asked for: the request for images, and what of the body the response repeats."""

    request: ApiRequest
    model: str
    tools: list[Any]
    tool_choice: Any
    stream: bool


def read(http: HttpRequest, key: ApiKey) -> ToolCall:
    """The body as a request for one image. Raises ApiError: 400, 413, 415."""
    body, _, _ = uploads.read(http, largest=settings.GATEWAY_LARGEST_REQUEST)
    tools = body.get("tools") or []
    tool = next((tool for tool in _list(tools) if isinstance(tool, Mapping) and tool.get("type") == TOOL), None)
    if tool is None:
        message = f'tools: this API makes images and nothing else; send tools=[{{"type": "{TOOL}"}}]'
        raise invalid("tools", message)
    text, images = _of_input(body.get("input"))
    fields = {name: value for name, value in tool.items() if name not in _NOT_OF_AN_IMAGE and value != "auto"}
    for name in ("model", "user", "provider", "max_price", "max_seconds"):
        if body.get(name) is not None:
            fields[name] = body[name]
    if isinstance(tool.get("model"), str) and tool["model"]:
        fields["model"] = tool["model"]
    fields |= {"prompt": text, "response_format": "b64_json", "stream": False}
    sources, mask = uploads.of_json({"images": images, "mask": _mask(tool)})
    request = wire.parse(fields, "edit" if sources else "text-to-image", sources, mask, key.default_model)
    if request.webhook_url:
        raise invalid("webhook_url", "webhook_url: it belongs to POST /images/generations with Prefer: respond-async")
    return ToolCall(
        request,
        str(body.get("model") or request.model),
        tools,
        body.get("tool_choice", "auto"),
        bool(body.get("stream")),
    )


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _mask(tool: Mapping[str, Any]) -> Any:
    mask = tool.get("input_image_mask")
    return mask if not isinstance(mask, Mapping) or mask.get("image_url") else None


def _of_input(value: Any) -> tuple[str, list[Any]]:
    """(text of the last user message, images to edit)."""
    if isinstance(value, str):
        return value, []
    text, images = "", []
    for item in _list(value):
        if not isinstance(item, Mapping):
            continue
        if item.get("type") == f"{TOOL}_call" and isinstance(item.get("result"), str):
            images.append(item["result"])
        if item.get("role") != "user":
            continue
        content = item.get("content")
        parts = [{"type": "input_text", "text": content}] if isinstance(content, str) else _list(content)
        texts = [part["text"] for part in parts if isinstance(part, Mapping) and isinstance(part.get("text"), str)]
        text = "\n".join(texts) or text
        for part in parts:
            if isinstance(part, Mapping) and part.get("type") == "input_image":
                images.append({name: part[name] for name in ("image_url", "file_id") if part.get(name)})
    return text, images


# The response ────────────────────────────────────────────────────────────────────────────────────────────────────────


def body(row: GatewayRequest, call: ToolCall, images: Sequence[GeneratedImage]) -> bytes:
    """The response as JSON."""
    return json.dumps(_response(row, call, _output(row, images), "completed"), separators=(",", ":")).encode()


def events(row: GatewayRequest, call: ToolCall, images: Sequence[GeneratedImage]) -> Iterator[bytes]:
    """The same as the events that clients wait for."""
    output = _output(row, images)
    steps: list[dict[str, Any]] = [{"type": "response.created", "response": _response(row, call, [], "in_progress")}]
    for index, item in enumerate(output):
        place = {"output_index": index, "item_id": item["id"]}
        started = {"id": item["id"], "type": item["type"], "status": "in_progress", "result": None}
        steps += [
            {"type": "response.output_item.added", "output_index": index, "item": started},
            *({"type": f"response.{TOOL}_call.{step}", **place} for step in ("in_progress", "generating", "completed")),
            {"type": "response.output_item.done", "output_index": index, "item": item},
        ]
    steps.append({"type": "response.completed", "response": _response(row, call, output, "completed")})
    for number, step in enumerate(steps):
        data = json.dumps({**step, "sequence_number": number}, separators=(",", ":"))
        yield f"event: {step['type']}\ndata: {data}\n\n".encode()


def error_event(error: ApiError) -> bytes:
    event = {"type": "error", "code": error.code, "message": error.message, "param": error.param, "sequence_number": 0}
    return f"event: error\ndata: {json.dumps(event)}\n\n".encode()


def _output(row: GatewayRequest, images: Sequence[GeneratedImage]) -> list[dict[str, Any]]:
    details = row.answer.get("images", [])
    shown = {
        name: row.answer[name] for name in ("size", "quality", "background", "output_format") if name in row.answer
    }
    return [
        {
            "id": f"ig_{row.pk.hex}_{number}",
            "type": f"{TOOL}_call",
            "status": "completed",
            "result": encoded(image),
            **shown,
            **{name: more[name] for name in ("revised_prompt",) if name in more},
        }
        for number, (image, more) in enumerate(zip(images, details or [{}] * len(images), strict=True))
    ]


def _response(row: GatewayRequest, call: ToolCall, output: list[dict[str, Any]], status: str) -> dict[str, Any]:
    return {
        "id": f"resp_{row.pk.hex}",
        "object": "response",
        "created_at": int(row.asked_at.timestamp()),
        "status": status,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "metadata": {},
        "model": call.model,
        "output": output,
        "parallel_tool_calls": False,
        "temperature": None,
        "tool_choice": call.tool_choice,
        "tools": call.tools,
        "top_p": None,
        "usage": {
            "input_tokens": 0, "input_tokens_details": {"cached_tokens": 0}, "output_tokens": 0,
            "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 0,
        },
        "arena": {"request_id": row.request_id, **row.answer.get("metadata", {})},
    }  # fmt: skip
