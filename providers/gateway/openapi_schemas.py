"""The objects of the OpenAPI file: what responses have, and the requests of the image tool. Pure."""

from __future__ import annotations

from typing import Any

REFERENCE = "#/components/schemas/"


def table(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties}


def schemas() -> dict[str, Any]:
    """By name."""
    text, number, count = {"type": "string"}, {"type": "number"}, {"type": "integer"}
    perhaps_number = {"type": ["number", "null"]}
    texts = {"type": "array", "items": text}

    attempt = table(
        ["provider", "outcome", "images", "duration_ms", "cost"],
        provider=text, outcome=text, error=text, images=count, duration_ms=number, ttfb_ms=perhaps_number,
        cost=perhaps_number,
    )  # fmt: skip
    not_called = table(["provider", "outcome", "reason"], provider=text, outcome=text, reason=text)
    metadata = table(
        ["request_id", "model", "executed_model", "provider", "cost", "attempts", "requested_size", "delivered_size"],
        request_id=text, model=text, model_name=text, executed_model=text, provider=text, provider_name=text,
        simulated={"type": "boolean"}, cost=perhaps_number, cost_currency=text, cost_estimated={"type": "boolean"},
        requested_size=text, resolved_size={"type": ["string", "null"]}, delivered_size=text, delivered_sizes=texts,
        passed_through=texts, ignored=texts, warnings=texts, attempts={"type": "array", "items": attempt},
        not_called={"type": "array", "items": not_called},
        missing=count,
        missing_because=text,
    )  # fmt: skip
    image = table([], url=text, b64_json=text, seed=count, revised_prompt=text)
    price = table(["provider", "mode", "price"], provider=text, mode=text, price=perhaps_number)
    budget = table(["budget", "spent", "remaining"], budget=perhaps_number, spent=number, remaining=perhaps_number)
    perhaps_text, perhaps_count = {"type": ["string", "null"]}, {"type": ["integer", "null"]}
    key = table(
        ["object", "name", "prefix", "day", "month", "total"],
        object={"const": "key"}, name=text, prefix=text, created=count, expires=perhaps_count,
        requests_per_minute=count, currency=text, day=budget, month=budget, total=budget,
        allowed_models={"type": ["array", "null"], "items": text}, default_model=perhaps_text,
        response_format=perhaps_text, webhook_secret=text,
    )  # fmt: skip
    model = table(
        ["id", "object", "created", "owned_by"],
        id=text, object={"const": "model"}, created=count, owned_by=text, name=text, modes=texts, providers=texts,
        price_from={**perhaps_number, "description": "US dollars for one image of 1024x1024"},
        prices={"type": "array", "items": price}, sample={"type": "boolean"}, schema={"type": "object"},
    )  # fmt: skip
    error = table(
        ["message", "type", "param", "code"], message=text, type=text, param={"type": ["string", "null"]}, code=text
    )
    return {
        "Images": table(
            ["created", "data", "metadata"],
            created=count, data={"type": "array", "minItems": 1, "items": image}, size=text, output_format=text,
            quality=text, background=text, usage={"type": "object"}, metadata=metadata,
        ),
        "Price": table(
            ["estimated", "model", "provider", "total_cost", "currency"],
            estimated={"const": True}, model=text, provider=text, provider_name=text, n=count,
            total_cost=perhaps_number, total_cost_micros={"type": ["integer", "null"]}, currency=text,
            components={"type": "array", "items": {"type": "object"}},
            offerings={"type": "array", "items": {"type": "object"}},
        ),
        "Job": table(
            ["id", "object", "status", "created", "model", "request_id"],
            id=text, object={"const": "image.job"}, created=count, model=text, request_id=text,
            status={"type": "string", "enum": ["queued", "running", "completed", "failed", "cancelled"]},
            response={"$ref": f"{REFERENCE}Images"}, error={"type": "object"},
            webhook=table(
                ["status", "attempts"], status=text, attempts=count, last_status={"type": ["integer", "null"]}
            ),
        ),
        "Key": key,
        "Model": model,
        "ModelList": table(
            ["object", "data"], object={"const": "list"}, data={"type": "array", "items": {"$ref": f"{REFERENCE}Model"}}
        ),
        "ToolRequest": _tool_request(),
        "Response": table(
            ["id", "object", "created_at", "status", "model", "output", "tools"],
            id=text, object={"const": "response"}, created_at=count, status={"const": "completed"}, model=text,
            tools={"type": "array"},
            output={"type": "array", "minItems": 1, "items": table(
                ["id", "type", "status", "result"],
                id=text, type={"const": "image_generation_call"}, status={"const": "completed"},
                result={**text, "description": "The image as base64."}, size=text, quality=text, background=text,
                output_format=text, revised_prompt=text,
            )},
            arena={"type": "object", "description": "As metadata of the Images API has it."},
        ),
        "Error": table(["error"], error=error, metadata={"type": "object"}),
    }  # fmt: skip


def _tool_request() -> dict[str, Any]:
    text = {"type": "string", "minLength": 1}
    tool = table(["type"], type={"const": "image_generation"}, model=text, size=text, quality=text, background=text)
    part = table(["type"], type={"enum": ["input_text", "input_image"]}, text=text, image_url=text)
    message = table(
        ["role", "content"], role={"const": "user"}, content={"oneOf": [text, {"type": "array", "items": part}]}
    )
    return table(
        ["input", "tools"],
        input={
            "oneOf": [text, {"type": "array", "minItems": 1, "items": message}],
            "description": "The prompt is the text of the last message of the user; images in the input are edited.",
        },
        model={**text, "description": "Of images, or of the tool, which comes first; an alias may stand for others."},
        tools={"type": "array", "minItems": 1, "items": tool},
        stream={"type": "boolean", "default": False},
    )
