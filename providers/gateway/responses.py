"""The response to a request, in OpenAI's format, with our own facts in `metadata` and in headers."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from providers.accounts import is_simulated, name_of
from providers.gateway import signed_files
from providers.gateway.errors import ApiError
from providers.gateway.image_formats import NAMES, convert
from providers.gateway.wire import ApiRequest
from providers.models import GatewayRequest
from providers.request import GeneratedImage
from providers.routing.results import Attempt, DeliveredImage, Generated

EVENTS = {"text-to-image": "image_generation", "edit": "image_edit"}


def describe(generated: Generated, request: ApiRequest, images: Sequence[GeneratedImage]) -> dict[str, Any]:
    """The response without its images: the value of `GatewayRequest.answer`."""
    first = images[0]
    answer: dict[str, Any] = {
        "created": int(time.time()),
        "size": _size((first.width, first.height)),
        "output_format": NAMES[first.content_type],
        "metadata": _metadata(generated, images) | ({"auto": dict(request.auto)} if request.auto else {}),
        "images": [_details(image) for image in generated.images],
    }
    facts, ignored = generated.images[0].image.facts, answer["metadata"]["ignored"]
    for name in ("quality", "background"):  # as the provider says, else as requested, unless it had no use for it
        if value := facts.get(name):
            answer[name] = value
        elif name not in ignored and request.extra.get(name) not in (None, "auto"):
            answer[name] = request.extra[name]
    if usage := _usage(generated.attempts):
        answer["usage"] = usage
    return answer


def _metadata(generated: Generated, images: Sequence[GeneratedImage]) -> dict[str, Any]:
    slug, provider = generated.image_model.slug, generated.provider
    first = generated.images[0]
    delivering = [attempt for attempt in generated.attempts if attempt.delivered]
    metadata: dict[str, Any] = {
        "model": slug,
        "model_name": generated.image_model.name,
        "executed_model": f"{provider}/{slug}",
        "provider": provider,
        "provider_name": name_of(provider),
        "simulated": is_simulated(provider),
        "cost": amount(generated.cost),
        "cost_currency": "USD",
        "cost_estimated": generated.cost_estimated,
        "requested_size": first.requested_size or "auto",
        "resolved_size": _size(first.resolved_size) if first.resolved_size else None,
        "delivered_size": _size((images[0].width, images[0].height)),
        "passed_through": _names(attempt.unknown for attempt in delivering),
        "ignored": _names(attempt.ignored for attempt in delivering),
        **attempts(generated.attempts),
    }
    if generated.warnings:
        metadata["warnings"] = list(generated.warnings)
    sizes = [_size((image.width, image.height)) for image in images]
    if len(set(sizes)) > 1:
        metadata["delivered_sizes"] = sizes
    if generated.missing:
        metadata |= {"missing": generated.missing, "missing_because": str(generated.failure or "")}
    return metadata


def _details(image: DeliveredImage) -> dict[str, Any]:
    """What stands beside one image: its seed, and the prompt as the provider has rewritten it."""
    details: dict[str, Any] = {} if image.seed is None else {"seed": image.seed}
    if revised_prompt := image.image.facts.get("revised_prompt"):
        details["revised_prompt"] = revised_prompt
    return details


def attempts(made: Sequence[Attempt]) -> dict[str, list[dict[str, Any]]]:
    """`attempts`: every request to a provider, in order, successful or not. `not_called`, where there is any: offerings
    that got none, because of our limits or because they cannot take the request."""
    sent = [
        {
            "provider": attempt.provider,
            "outcome": attempt.outcome,
            **({"error": attempt.error} if attempt.error else {}),
            "images": attempt.delivered,
            "duration_ms": milliseconds(attempt.duration),
            "ttfb_ms": None if attempt.ttfb is None else milliseconds(attempt.ttfb),
            "cost": amount(attempt.cost),
        }
        for attempt in made
        if attempt.is_sent
    ]
    not_called = [
        {"provider": attempt.provider, "outcome": attempt.outcome, "reason": attempt.error}
        for attempt in made
        if not attempt.is_sent
    ]
    return {"attempts": sent, **({"not_called": not_called} if not_called else {})}


def provider_time(made: Sequence[Attempt]) -> timedelta:
    """The time spent waiting for providers: the longest of parallel calls, summed over the offerings tried in turn."""
    longest: dict[int, timedelta] = {}
    for attempt in made:
        if attempt.is_sent:  # what only waited for its turn waited for us
            longest[attempt.number] = max(longest.get(attempt.number, timedelta()), attempt.duration)
    return sum(longest.values(), timedelta())


def _usage(made: Sequence[Attempt]) -> dict[str, Any] | None:
    """The tokens of all calls together, where the provider counts tokens."""
    counted = [attempt.call.usage for attempt in made if attempt.call is not None and attempt.call.usage]
    total: dict[str, Any] = {}
    for usage in counted:
        total = _added(total, usage)
    return total or None


def _added(total: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """The sums of two usages; where a name is a table in one of them alone, the first is right."""
    added = dict(total)
    for name, value in more.items():
        before = added.get(name, {} if isinstance(value, Mapping) else 0)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            added[name] = _added(before, value)
        elif not isinstance(before, Mapping) and not isinstance(value, Mapping):
            added[name] = before + value
    return added


# On the wire ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def body(row: GatewayRequest, images: Sequence[GeneratedImage], *, response_format: str, origin: str) -> bytes:
    """The JSON body of a finished request: OpenAI's fields, each image as base64 or as a signed URL below `origin`."""
    answer = dict(row.answer)
    details = answer.pop("images", [{}] * len(images))
    data = [
        _json(more, _image(row, image, number, response_format, origin))
        for number, (image, more) in enumerate(zip(images, details, strict=True))
    ]
    start = f'{{"created":{answer.pop("created")},"data":['
    answer["metadata"] = {"request_id": row.request_id, **answer["metadata"]}
    return "".join((start, ",".join(data), "],", json.dumps(answer, separators=(",", ":"))[1:])).encode("ascii")


def with_urls(row: GatewayRequest, origin: str) -> dict[str, Any]:
    """The response of a request whose images lie at signed URLs."""
    answer = dict(row.answer)
    details = answer.pop("images", [{}] * len(row.files))
    expires = int(row.files_expire_at.timestamp()) if row.files_expire_at else 0
    data = [
        {**more, "url": signed_files.url(origin, file["name"], expires)}
        for file, more in zip(row.files, details, strict=True)
    ]
    return {**answer, "data": data, "metadata": {"request_id": row.request_id, **answer["metadata"]}}


def events(
    row: GatewayRequest, images: Sequence[GeneratedImage], *, response_format: str, origin: str
) -> Iterator[bytes]:
    """One `completed` for each image."""
    kind = f"{EVENTS[row.mode]}.completed"
    answer = {name: value for name, value in row.answer.items() if name not in ("created", "images", "metadata")}
    for number, image in enumerate(images):
        event = {
            "type": kind,
            "created_at": row.answer["created"],
            **answer,
            "metadata": {"request_id": row.request_id, **row.answer["metadata"]},
        }
        yield _event(kind, _json(event, _image(row, image, number, response_format, origin)).encode("ascii"))


def partial_event(request: ApiRequest, image: GeneratedImage, number: int) -> bytes:
    """A partial image, in the format the whole one will have."""
    image = convert(image, request.output_format, None)
    kind = f"{EVENTS[request.mode]}.partial_image"
    event = {
        "type": kind, "partial_image_index": number, "created_at": int(time.time()),
        "size": _size((image.width, image.height)), "output_format": NAMES[image.content_type],
        **{name: request.extra.get(name, "auto") for name in ("quality", "background")},
    }  # fmt: skip
    return _event(kind, _json(event, ("b64_json", encoded(image))).encode("ascii"))


def error_event(error: ApiError) -> bytes:
    """What makes the official clients raise: an event with an `error`."""
    return _event("error", json.dumps({"type": "error", **error.body()}).encode())


def _event(kind: str, data: bytes) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"


def _json(fields: Mapping[str, Any], last: tuple[str, str]) -> str:
    """An object with `last` as its last field. Its value needs no escaping, so megabytes of base64 are not searched."""
    name, value = last
    text = json.dumps(fields, separators=(",", ":"))[:-1]
    return "".join((text, "," if fields else "", f'"{name}":"', value, '"}'))


def _image(
    row: GatewayRequest, image: GeneratedImage, number: int, response_format: str, origin: str
) -> tuple[str, str]:
    if response_format == "b64_json":
        return "b64_json", encoded(image)
    assert row.files_expire_at is not None
    return "url", signed_files.url(origin, row.files[number]["name"], int(row.files_expire_at.timestamp()))


def encoded(image: GeneratedImage) -> str:
    """Base64, as it came from the provider where it came so."""
    return image.encoded or base64.b64encode(image.data).decode("ascii")


def headers(row: GatewayRequest) -> dict[str, str]:
    """What logs and proxies need without reading the body."""
    metadata = row.answer.get("metadata", {})
    values = {
        "x-arena-model": metadata.get("model"),
        "x-arena-provider": metadata.get("provider"),
        "x-arena-cost": None if row.cost is None else f"{row.cost:f}",
        "x-arena-attempts": row.attempts or None,
        "x-arena-overhead-ms": None if row.overhead is None else milliseconds(row.overhead),
        "openai-processing-ms": None if row.duration is None else round(milliseconds(row.duration)),
    }
    return {name: str(value) for name, value in values.items() if value is not None}


def milliseconds(time: timedelta) -> float:
    return round(time / timedelta(milliseconds=1), 1)


def amount(value: Decimal | None) -> float | None:
    """US dollars; None is unknown, not free."""
    return None if value is None else float(value)


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _names(lists: Any) -> list[str]:
    return list(dict.fromkeys(name for names in lists for name in names))
