"""The OpenAPI file and the words of the reference page, from the same rows that requests are checked against. Pure."""

from __future__ import annotations

from typing import Any

from providers.gateway import wire

_DESCRIPTIONS = {
    "model": "The id of a model, or provider/model to ask that provider alone.",
    "prompt": "What the image should show, or what to change in it.",
    "n": "How many images. Made in one call where the provider can, else in several at the same time.",
    "size": "Pixels (1024x1024), a ratio (16:9) or auto. Overrules aspect_ratio and resolution; the nearest is made.",
    "aspect_ratio": "The shape alone, like 16:9. The nearest shape the model knows is made.",
    "resolution": "The scale alone, like 1K, 2K or 2 MP. The nearest the model knows is made.",
    "seed": "The same seed and prompt bring the same or a similar image. Further images of a request count up from it.",
    "output_format": "File format. Converted here when the provider cannot make it.",
    "output_compression": "Quality of JPEG, WebP and AVIF files.",
    "response_format": "An address that works for an hour, or base64 inside the answer. Without it: what the key says, "
    "else b64_json for gpt-image models and streams, else url.",
    "stream": "Server-sent events: one image_generation.completed (image_edit.completed) for each image.",
    "partial_images": "How many half-made images a stream of one image may show before it. Providers that show none, "
    "and those of several images, bring only the whole ones.",
}
_SCHEMAS = "#/components/schemas/"
_EXAMPLES: dict[str, Any] = {"prompt": "A red kite over dunes", "size": "1024x1024", "n": 1}
_DEFAULTS: dict[str, Any] = {"n": 1, "size": "auto", "stream": False}


def _property(name: str, row: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {"type": row["type"], "description": _DESCRIPTIONS[name]}
    for ours, theirs in (("enum", "enum"), ("minimum", "minimum"), ("maximum", "maximum"), ("max_length", "maxLength")):
        if ours in row:
            found[theirs] = row[ours]
    if name in ("prompt", "model"):
        found["minLength"] = 1
    if name in _DEFAULTS:
        found["default"] = _DEFAULTS[name]
    if name in _EXAMPLES:
        found["example"] = _EXAMPLES[name]
    return found


PROPERTIES: dict[str, dict[str, Any]] = {name: _property(name, row) for name, row in wire.PARAMETERS.items()}

ERRORS: list[tuple[int, str, str]] = [
    (400,
     "invalid_value · missing_required_parameter · invalid_json · invalid_form · invalid_image · image_too_large · "
     "input_unreachable · invalid_request · invalid_url · unknown_host · wrong_endpoint",
     "Something in the request has to change; param says what, where it is one parameter."),
    (400, "moderation_blocked", "Every provider that was asked refused the content."),
    (401, "invalid_api_key", "No key, an unknown one, or one that was revoked."),
    (402, "budget_exceeded", "The key has spent its budget of this month."),
    (404, "model_not_found · model_not_available · unknown_url · file_not_found",
     "Did you mean …? The message names the nearest ids."),
    (405, "method_not_allowed", "The address exists, but not for this method."),
    (410, "answer_expired", "A repetition of a request whose images are deleted."),
    (413, "request_too_large", "Send smaller images."),
    (415, "unsupported_media_type", "Send JSON or a form."),
    (422, "idempotency_key_reused", "The same Idempotency-Key with another request."),
    (429, "rate_limit_exceeded", "Come back after Retry-After seconds."),
    (429, "spend_cap_reached", "This site has spent what it may spend today. Come back tomorrow."),
    (500, "internal_error", "Something failed here. Tell us the x-request-id."),
    (502, "all_providers_failed", "metadata.attempts says who failed and how. Not to be retried at once."),
    (503, "overloaded", "Too many requests at the same time. May be retried."),
    (504, "provider_timeout", "No provider was done in time."),
]  # fmt: skip
HEADERS: list[tuple[str, str]] = [
    ("x-request-id", "Names the request in the log and when you ask for help."),
    ("x-arena-model", "The model that made the image."),
    ("x-arena-provider", "Who was paid for it."),
    ("x-arena-cost", "US dollars, by the price list or the provider's bill."),
    ("x-arena-overhead-ms", "What we added to the provider's time, in milliseconds."),
    ("x-arena-attempts", "How many requests to providers it took."),
    ("x-ratelimit-remaining-requests", "What is left of the key's minute."),
    ("Idempotent-Replayed", "true when this answers a repetition: nothing was made or billed again."),
]


def openapi(server: str, *, example: str) -> dict[str, Any]:
    properties = {**PROPERTIES, "model": {**PROPERTIES["model"], "example": example}}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Image gateway",
            "version": "1",
            "description": "OpenAI's Images API in front of every image model of this site. Parameters that are not "
            "listed here go to the provider as they are.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": server}],
        "security": [{"key": []}],
        "paths": {
            "/images/generations": {"post": _create("createImage", "Make images", properties, edit=False)},
            "/images/edits": {"post": _create("createImageEdit", "Edit images", properties, edit=True)},
            "/models": {"get": _get("listModels", "The models that can be asked now", f"{_SCHEMAS}ModelList")},
            "/models/{id}": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1},
                     "description": "Slashes of provider/model may be written as they are or as %2F.",
                     "example": example},
                ],
                "get": _get("retrieveModel", "One model", f"{_SCHEMAS}Model", _switch(
                    "schema", "Adds the parameters it takes, by mode, as JSON Schema."
                )),
            },
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key like ia_….…"}},
            "schemas": _schemas(),
            "responses": {"Refused": {
                "description": "Refused or failed; `error` says why and what to change.",
                "headers": {"x-request-id": {"schema": {"type": "string"}}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            }},
        },
    }  # fmt: skip


def _switch(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string", "enum": ["true", "false"], "default": "false"}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


def _create(operation: str, summary: str, properties: dict[str, Any], *, edit: bool) -> dict[str, Any]:
    required = ["model", "prompt"]
    plain = {"type": "object", "required": required, "properties": properties, "additionalProperties": True}
    content: dict[str, Any] = {"application/json": {"schema": plain}}
    if edit:
        part = {"type": "string", "format": "binary"}
        address = {
            "type": "object",
            "required": ["image_url"],
            "properties": {"image_url": {"type": "string", "description": "A data URI or an https address."}},
        }
        images = {"images": {"type": "array", "minItems": 1, "maxItems": 16, "items": address}, "mask": address}
        files = {
            "image": {"type": "array", "items": part, "description": "One part, or several named image[]."},
            "mask": {
                **part,
                "description": "PNG whose transparent pixels are to be changed; models that take none refuse it.",
            },
        }
        content = {
            "multipart/form-data": {
                "schema": {**plain, "required": [*required, "image"], "properties": {**properties, **files}}
            },
            "application/json": {
                "schema": {**plain, "required": [*required, "images"], "properties": {**properties, **images}}
            },
        }
    header = {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "schema": {"type": "string", "maxLength": 255},
        "description": "The same key with the same request brings the first answer again, not a second bill.",
    }
    names = ("400", "401", "402", "404", "410", "413", "415", "422", "429", "499", "500", "502", "503", "504")
    return {
        "operationId": operation,
        "summary": summary,
        "parameters": [_switch("dryRun", "Say what it would cost, and ask nobody."), header],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": {
                "description": "The images; with dryRun=true their price.",
                "headers": {name: {"schema": {"type": "string"}, "description": text} for name, text in HEADERS},
                "content": {
                    "application/json": {
                        "schema": {
                            "anyOf": [{"$ref": "#/components/schemas/Images"}, {"$ref": "#/components/schemas/Price"}]
                        }
                    },
                    "text/event-stream": {"schema": {"type": "string"}},
                },
            },
            **{name: {"$ref": "#/components/responses/Refused"} for name in names},
        },
    }


def _get(operation: str, summary: str, schema: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    names = ("400", "401", "404", "405")
    return {
        "operationId": operation,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {
            "200": {"description": summary, "content": {"application/json": {"schema": {"$ref": schema}}}},
            **{name: {"$ref": "#/components/responses/Refused"} for name in names},
        },
    }


def _schemas() -> dict[str, Any]:
    text, number, count = {"type": "string"}, {"type": "number"}, {"type": "integer"}
    perhaps_number = {"type": ["number", "null"]}
    texts = {"type": "array", "items": text}

    def table(required: list[str], **properties: Any) -> dict[str, Any]:
        return {"type": "object", "required": required, "properties": properties}

    attempt = table(
        ["provider", "outcome", "images", "duration_ms", "cost"],
        provider=text, outcome=text, error=text, images=count, duration_ms=number, ttfb_ms=perhaps_number,
        cost=perhaps_number,
    )  # fmt: skip
    metadata = table(
        ["request_id", "model", "executed_model", "provider", "cost", "attempts", "requested_size", "delivered_size"],
        request_id=text, model=text, model_name=text, executed_model=text, provider=text, provider_name=text,
        simulated={"type": "boolean"}, cost=perhaps_number, cost_currency=text, cost_estimated={"type": "boolean"},
        requested_size=text, resolved_size={"type": ["string", "null"]}, delivered_size=text, delivered_sizes=texts,
        passed_through=texts, ignored=texts, attempts={"type": "array", "items": attempt}, missing=count,
        missing_because=text,
    )  # fmt: skip
    image = table([], url=text, b64_json=text, seed=count)
    model = table(
        ["id", "object", "created", "owned_by"],
        id=text, object={"const": "model"}, created=count, owned_by=text, name=text, modes=texts, providers=texts,
        price_from={**perhaps_number, "description": "US dollars for one image of 1024x1024"},
        sample={"type": "boolean"}, schema={"type": "object"},
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
        "Model": model,
        "ModelList": table(
            ["object", "data"], object={"const": "list"}, data={"type": "array", "items": {"$ref": f"{_SCHEMAS}Model"}}
        ),
        "Error": table(["error"], error=error, metadata={"type": "object"}),
    }  # fmt: skip
