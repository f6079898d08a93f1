"""What came of a request, in OpenAI's words, with our own facts in `metadata` and in headers."""

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
from providers.gateway.errors import Refusal
from providers.gateway.image_formats import NAMES, convert
from providers.gateway.wire import Asked
from providers.models import GatewayRequest
from providers.request import GeneratedImage
from providers.routing.results import Attempt, Generated

EVENTS = {"text-to-image": "image_generation", "edit": "image_edit"}


def describe(generated: Generated, asked: Asked, images: Sequence[GeneratedImage]) -> dict[str, Any]:
    """The reply without its images: what `GatewayRequest.answer` keeps."""
    first = images[0]
    found: dict[str, Any] = {
        "created": int(time.time()),
        "size": _size((first.width, first.height)),
        "output_format": NAMES[first.content_type],
        "metadata": _metadata(generated, asked, images),
        "images": [{"seed": each.seed} if each.seed is not None else {} for each in generated.images],
    }
    for name in ("quality", "background"):  # only as asked: what the provider made of "auto" it does not say
        if asked.extra.get(name) not in (None, "auto"):
            found[name] = asked.extra[name]
    if usage := _usage(generated.attempts):
        found["usage"] = usage
    return found


def _metadata(generated: Generated, asked: Asked, images: Sequence[GeneratedImage]) -> dict[str, Any]:
    slug, provider = generated.image_model.slug, generated.provider
    first = generated.images[0]
    brought = [each for each in generated.attempts if each.delivered]
    found: dict[str, Any] = {
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
        "passed_through": _names(each.unknown for each in brought),
        "ignored": _names(each.ignored for each in brought),
        "attempts": attempts(generated.attempts),
    }
    sizes = [_size((image.width, image.height)) for image in images]
    if len(set(sizes)) > 1:
        found["delivered_sizes"] = sizes
    if generated.missing:
        found |= {"missing": generated.missing, "missing_because": str(generated.failure or "")}
    return found


def attempts(tried: Sequence[Attempt]) -> list[dict[str, Any]]:
    """Every request to a provider, in order, well or badly ended."""
    return [
        {
            "provider": each.provider,
            "outcome": each.outcome,
            **({"error": each.error} if each.error else {}),
            "images": each.delivered,
            "duration_ms": milliseconds(each.duration),
            "ttfb_ms": None if each.ttfb is None else milliseconds(each.ttfb),
            "cost": amount(each.cost),
        }
        for each in tried
    ]


def provider_time(tried: Sequence[Attempt]) -> timedelta:
    """How long providers were waited for: calls in parallel once, one offering after the other added up."""
    longest: dict[int, timedelta] = {}
    for each in tried:
        longest[each.number] = max(longest.get(each.number, timedelta()), each.duration)
    return sum(longest.values(), timedelta())


def cost_of(tried: Sequence[Attempt]) -> Decimal:
    """By the price lists, failed tries that may have been charged included."""
    return sum((each.cost for each in tried if each.cost is not None), Decimal(0))


def _usage(tried: Sequence[Attempt]) -> dict[str, Any] | None:
    """The tokens of all calls together, where the provider counts tokens."""
    counted = [each.call.usage for each in tried if each.call is not None and each.call.usage]
    total: dict[str, Any] = {}
    for usage in counted:
        total = _added(total, usage)
    return total or None


def _added(total: Mapping[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    found = dict(total)
    for name, value in more.items():
        if isinstance(value, Mapping):
            found[name] = _added(found.get(name) or {}, value)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            found[name] = (found.get(name) or 0) + value
    return found


# On the wire ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def body(row: GatewayRequest, images: Sequence[GeneratedImage], *, response_format: str, origin: str) -> bytes:
    answer = dict(row.answer)
    details = answer.pop("images", [{}] * len(images))
    data = [
        _json(more, _image(row, image, number, response_format, origin))
        for number, (image, more) in enumerate(zip(images, details, strict=True))
    ]
    start = f'{{"created":{answer.pop("created")},"data":['.encode()
    answer["metadata"] = {"request_id": row.request_id, **answer["metadata"]}
    return start + b",".join(data) + b"]," + json.dumps(answer, separators=(",", ":")).encode()[1:]


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
        yield _event(kind, _json(event, _image(row, image, number, response_format, origin)))


def partial_event(asked: Asked, image: GeneratedImage, number: int) -> bytes:
    """A half-made image, in the format the whole one will have."""
    image = convert(image, asked.output_format, None)
    kind = f"{EVENTS[asked.mode]}.partial_image"
    event = {
        "type": kind, "partial_image_index": number, "created_at": int(time.time()),
        "size": _size((image.width, image.height)), "output_format": NAMES[image.content_type],
        **{name: asked.extra.get(name, "auto") for name in ("quality", "background")},
    }  # fmt: skip
    return _event(kind, _json(event, ("b64_json", _encoded(image))))


def failed_event(refusal: Refusal) -> bytes:
    """What makes the official clients raise: an event with an `error`."""
    return _event("error", json.dumps({"type": "error", **refusal.body()}).encode())


def _event(kind: str, data: bytes) -> bytes:
    return b"event: " + kind.encode() + b"\ndata: " + data + b"\n\n"


def _json(fields: Mapping[str, Any], last: tuple[str, str]) -> bytes:
    """An object with `last` as its last field. Its value needs no escaping, so megabytes of base64 are not searched."""
    name, value = last
    text = json.dumps(fields, separators=(",", ":"))[:-1]
    return b"".join((text.encode(), b"," if fields else b"", f'"{name}":"'.encode(), value.encode("ascii"), b'"}'))


def _image(
    row: GatewayRequest, image: GeneratedImage, number: int, response_format: str, origin: str
) -> tuple[str, str]:
    if response_format == "b64_json":
        return "b64_json", _encoded(image)
    assert row.files_expire_at is not None
    return "url", signed_files.address(origin, row.files[number]["name"], int(row.files_expire_at.timestamp()))


def _encoded(image: GeneratedImage) -> str:
    return image.encoded or base64.b64encode(image.data).decode("ascii")


def headers(row: GatewayRequest) -> dict[str, str]:
    """The facts that a log or a proxy wants without reading the body."""
    metadata = row.answer.get("metadata", {})
    found = {
        "x-arena-model": metadata.get("model"),
        "x-arena-provider": metadata.get("provider"),
        "x-arena-cost": None if row.cost is None else f"{row.cost:f}",
        "x-arena-attempts": row.attempts or None,
        "x-arena-overhead-ms": None if row.overhead is None else milliseconds(row.overhead),
        "openai-processing-ms": None if row.duration is None else round(milliseconds(row.duration)),
    }
    return {name: str(value) for name, value in found.items() if value is not None}


def milliseconds(time: timedelta) -> float:
    return round(time / timedelta(milliseconds=1), 1)


def amount(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"


def _names(lists: Any) -> list[str]:
    return list(dict.fromkeys(name for names in lists for name in names))
