"""The OpenAPI file and the texts of the reference page, from the rows that requests are checked against. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.utils.translation import gettext_noop

from providers.gateway import wire
from providers.gateway.openapi_schemas import REFERENCE, schemas

_DESCRIPTIONS = {
    "model": gettext_noop(
        "The id of a model, or provider/model to use that provider alone. auto, or auto: and a category's slug: "
        "the best rated model of that board within max_price and max_seconds, and of those that the votes do not "
        "distinguish from it the cheapest; metadata.auto has the reason."
    ),
    "prompt": gettext_noop("What the image should show, or what to change in it."),
    "n": gettext_noop("How many images. One call where the provider makes several at once, else parallel calls."),
    "size": gettext_noop(
        "Pixels (1024x1024), a ratio (16:9) or auto; the nearest supported size is used. Overrides aspect_ratio and "
        "resolution."
    ),
    "aspect_ratio": gettext_noop("The shape alone, like 16:9. The nearest shape of the model is used."),
    "resolution": gettext_noop("The scale alone, like 1K, 2K or 2 MP. The nearest resolution of the model is used."),
    "seed": gettext_noop(
        "The same seed and prompt bring the same or a similar image. Further images of a request use the next numbers."
    ),
    "output_format": gettext_noop("File format. Converted here when the provider cannot make it."),
    "output_compression": gettext_noop("Quality of JPEG, WebP and AVIF files."),
    "response_format": gettext_noop(
        "A URL that expires at the time it names, or base64 inside the response. By default what the key says, else"
        " b64_json for gpt-image models and streams, else url."
    ),
    "stream": gettext_noop("Server-sent events: one image_generation.completed (image_edit.completed) for each image."),
    "partial_images": gettext_noop(
        "How many partial images a stream of one image may send before it. Providers without partial images, and "
        "requests for several images, send the final images only."
    ),
    "max_price": gettext_noop(
        "US dollars that an image may cost at most, by the estimate; an unknown price is above every limit."
    ),
    "webhook_url": gettext_noop(
        "With Prefer: respond-async: an https URL that gets a POST with the job when it has ended, signed as Standard"
        " Webhooks says with the webhook_secret of GET /key, and again for a day until a 2xx status answers it."
    ),
    "max_seconds": gettext_noop("With auto: the 95th percentile of the measured times of the last 30 days, at most."),
}
_EXAMPLES: dict[str, Any] = {"prompt": "A red kite over dunes", "size": "1024x1024", "n": 1}
_DEFAULTS: dict[str, Any] = {"n": 1, "size": "auto", "stream": False}


def _property(name: str, row: dict[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": row["type"], "description": _DESCRIPTIONS[name]}
    for ours, theirs in (("enum", "enum"), ("minimum", "minimum"), ("maximum", "maximum"), ("max_length", "maxLength")):
        if ours in row:
            schema[theirs] = row[ours]
    if name in ("prompt", "model"):
        schema["minLength"] = 1
    if name in _DEFAULTS:
        schema["default"] = _DEFAULTS[name]
    if name in _EXAMPLES:
        schema["example"] = _EXAMPLES[name]
    return schema


PROPERTIES: dict[str, dict[str, Any]] = {name: _property(name, row) for name, row in wire.PARAMETERS.items()}

PROPERTIES["provider"] = {
    "type": ["object", "string"],
    "description": gettext_noop(
        "Which providers may make it: only, order, ignore (lists of providers), allow_fallbacks, max_price (USD per "
        "image), sort (price or speed), options (parameters that only one provider gets, in its own words). A text is "
        "the only provider."
    ),
    "properties": {
        **{name: {"type": "array", "items": {"type": "string"}} for name in ("only", "order", "ignore")},
        "allow_fallbacks": {"type": "boolean"},
        "max_price": {"type": "number", "minimum": 0},
        "sort": {"type": "string", "enum": ["price", "speed"]},
        "options": {"type": "object", "additionalProperties": {"type": "object"}},
    },
}

# What goes to the provider, or is of another kind than a value; a file that says what it may be is the model's schema.
_NOT_CHECKED: list[tuple[str, str, str]] = [
    ("image", "file",
     gettext_noop("Edits: the image to change, several of them as image[]; in JSON as images with image_url: https "
                  "URLs, data: URIs, or URLs of images made here.")),
    ("mask", "file",
     gettext_noop("Edits: transparent where the first image may change, and as large as that. Models that take no mask "
                  "are not called.")),
    ("quality, background, moderation, style", "string",
     gettext_noop("Go to the provider under the names of OpenAI's API. What the model has no use for is in "
                  "metadata.ignored; standard and hd are translated for gpt-image models.")),
    ("user", "string",
     gettext_noop("Who asked for it, among the users of one key: the key's log has the sums by it.")),
]  # fmt: skip


def reference() -> list[tuple[str, str, str, Sequence[str]]]:
    """(name, type, description, choices) of every parameter, for people."""
    rows: list[tuple[str, str, str, Sequence[str]]] = []
    for name, schema in PROPERTIES.items():
        kinds = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        lowest, highest = schema.get("minimum"), schema.get("maximum")
        bounds = f" {lowest}–{highest}" if highest is not None and highest < 1000 else ""
        rows.append((name, " or ".join(kinds) + bounds, schema["description"], schema.get("enum", ())))
    return rows + [(*row, ()) for row in _NOT_CHECKED]


ERRORS: list[tuple[int, str, str]] = [
    (400,
     "invalid_value · missing_required_parameter · invalid_json · invalid_form · invalid_image · image_too_large · "
     "input_unreachable · invalid_request · invalid_url · unknown_host · wrong_endpoint",
     gettext_noop("Something in the request has to change; param says what, where it is one parameter.")),
    (400, "moderation_blocked", gettext_noop("Every provider that was tried refused the content.")),
    (401, "invalid_api_key", gettext_noop("No key, an unknown one, or one that was revoked.")),
    (402, "budget_exceeded",
     gettext_noop("The key has spent its budget of the day, of the month or in all; GET /key shows it.")),
    (403, "model_not_allowed",
     gettext_noop("The key may not use this model. GET /models lists those that it may use.")),
    (404, "model_not_found · model_not_available · unknown_url · file_not_found · job_not_found",
     gettext_noop("Did you mean …? The message names the nearest ids.")),
    (405, "method_not_allowed", gettext_noop("The URL exists, but not for this method.")),
    (410, "answer_expired", gettext_noop("A retry of a request whose images have been deleted.")),
    (413, "request_too_large", gettext_noop("Send smaller images.")),
    (415, "unsupported_media_type", gettext_noop("Send JSON or a form.")),
    (422, "idempotency_key_reused", gettext_noop("The same Idempotency-Key with another request.")),
    (429, "rate_limit_exceeded", gettext_noop("Retry after Retry-After seconds.")),
    (429, "spend_cap_reached", gettext_noop("This site has spent what it may spend today. Retry tomorrow.")),
    (500, "internal_error", gettext_noop("A fault of this site; it has been logged. Report its x-request-id.")),
    (502, "all_providers_failed", gettext_noop("metadata.attempts lists every attempt. Do not retry at once.")),
    (503, "overloaded", gettext_noop("Too many requests at the same time. Retry.")),
    (503, "process_lost",
     gettext_noop("The process that worked on the first try of this request died. Retry: it is a new request.")),
    (503, "storage_unavailable",
     gettext_noop("Images cannot be stored just now; with response_format b64_json they can be had.")),
    (503, "database_unavailable",
     gettext_noop("The database of this site is away for a moment. Retry, if x-should-retry says so.")),
    (504, "provider_timeout", gettext_noop("No provider answered in time.")),
]  # fmt: skip
HEADERS: list[tuple[str, str]] = [
    ("x-request-id", gettext_noop("The id of the request in the key's log; quote it when you report a problem.")),
    ("x-arena-model", gettext_noop("The model that made the image.")),
    ("x-arena-provider", gettext_noop("The provider that made it.")),
    ("x-arena-cost", gettext_noop("US dollars, by the price list or the provider's bill; absent when unknown.")),
    ("x-arena-overhead-ms", gettext_noop("Milliseconds added to the provider's time.")),
    ("x-arena-attempts", gettext_noop("How many requests to providers it took.")),
    ("openai-processing-ms", gettext_noop("Milliseconds from the request to its images.")),
    ("Retry-After", gettext_noop("Seconds to wait after 429 and 503, and before a job is asked for again.")),
    ("retry-after-ms", gettext_noop("The same in milliseconds.")),
    ("x-should-retry", gettext_noop("false when a retry cannot improve the error; the official clients obey it.")),
    (
        "x-ratelimit-limit-requests",
        gettext_noop("How many requests the key may send per minute; absent without a usable key."),
    ),
    (
        "x-ratelimit-remaining-requests",
        gettext_noop("How many requests the key may send now; absent from some 503, where nobody counts."),
    ),
    ("x-ratelimit-reset-requests", gettext_noop("When it may send all of them again, in seconds: 1.500s.")),
    ("Location", gettext_noop("With Prefer: respond-async: the URL of the job.")),
    (
        "Preference-Applied",
        gettext_noop("Which preference of the header Prefer was followed: respond-async or keep-alive."),
    ),
    (
        "Idempotent-Replayed",
        gettext_noop(
            "true when this is the response to an earlier request, for a retry: nothing was made or billed again."
        ),
    ),
]


def openapi(server: str, *, example: str) -> dict[str, Any]:
    """The OpenAPI 3.1 document of the gateway at `server` (a base URL); `example` is a model's name."""
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
            "/images/generations": {"post": _create("createImage", "Generate images", properties, edit=False)},
            "/images/edits": {"post": _create("createImageEdit", "Edit images", properties, edit=True)},
            "/images/variations": {"post": _create(
                "createImageVariation", "Vary an image", properties, edit=True, required=("model",)
            )},
            "/responses": {"post": _create_response()},
            "/images/jobs/{id}": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}},
                ],
                "get": _get("retrieveImageJob", "An asynchronous request", f"{REFERENCE}Job"),
                "delete": _get("cancelImageJob", "Cancel an asynchronous request", f"{REFERENCE}Job"),
            },
            "/models": {"get": _get("listModels", "The models that can be called now", f"{REFERENCE}ModelList")},
            "/models/{id}": {
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string", "minLength": 1},
                     "description": "Slashes of provider/model may be written as they are or as %2F.",
                     "example": example},
                ],
                "get": _get("retrieveModel", "One model", f"{REFERENCE}Model", _switch(
                    "schema", "Adds the parameters it takes, by mode, as JSON Schema."
                )),
            },
            "/key": {"get": _get("retrieveKey", "The key's limits and what it has spent", f"{REFERENCE}Key")},
        },
        "components": {
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer", "description": "A key like ia_….…"}},
            "schemas": schemas(),
            "responses": {"Error": {
                "description": "`error` says what went wrong and what to change.",
                "headers": {"x-request-id": {"schema": {"type": "string"}}},
                "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
            }},
        },
    }  # fmt: skip


def _switch(name: str, description: str) -> dict[str, Any]:
    schema = {"type": "string", "enum": ["true", "false"], "default": "false"}
    return {"name": name, "in": "query", "required": False, "description": description, "schema": schema}


_DRY_RUN = _switch("dryRun", "Return what it would cost, without calling a provider.")
_ERRORS_OF_CREATION = (400, 401, 402, 403, 404, 410, 413, 415, 422, 429, 499, 500, 502, 503, 504)


def _create(
    operation: str,
    summary: str,
    properties: dict[str, Any],
    *,
    edit: bool,
    required: Sequence[str] = ("model", "prompt"),
) -> dict[str, Any]:
    plain = {"type": "object", "required": list(required), "properties": properties, "additionalProperties": True}
    content: dict[str, Any] = {"application/json": {"schema": plain}}
    if edit:
        part = {"type": "string", "format": "binary"}
        by_url = {
            "type": "object",
            "required": ["image_url"],
            "properties": {"image_url": {"type": "string", "description": "A data URI or an https URL."}},
        }
        images = {"images": {"type": "array", "minItems": 1, "maxItems": 16, "items": by_url}, "mask": by_url}
        files = {
            "image": {"type": "array", "items": part, "description": "One part, or several named image[]."},
            "mask": {
                **part,
                "description": "PNG whose transparent pixels are to be changed; an error for models without masks.",
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
        "description": "The same key with the same request gets the first response again, not a second bill.",
    }
    prefer = {
        "name": "Prefer", "in": "header", "required": False, "schema": {"type": "string"},
        "description": "respond-async: respond with 202 and a job at once; its images come by URL. keep-alive: while a "
        "plain request takes long, white space comes before the JSON; an error then has status 200 and its own in "
        "error.status.",
    }  # fmt: skip
    return {
        "operationId": operation,
        "summary": summary,
        "parameters": [_DRY_RUN, header, prefer],
        "requestBody": {"required": True, "content": content},
        "responses": {
            "200": _made("Images"),
            "202": {
                "description": "With Prefer: respond-async: the job, whose URL is in Location.",
                "headers": {"Location": {"schema": {"type": "string"}}},
                "content": {"application/json": {"schema": {"$ref": f"{REFERENCE}Job"}}},
            },
            **_errors(_ERRORS_OF_CREATION),
        },
    }


def _create_response() -> dict[str, Any]:
    return {
        "operationId": "createResponse",
        "summary": "The image tool of OpenAI's Responses API",
        "parameters": [_DRY_RUN],
        "requestBody": {
            "required": True, "content": {"application/json": {"schema": {"$ref": f"{REFERENCE}ToolRequest"}}}
        },
        "responses": {"200": _made("Response"), **_errors(_ERRORS_OF_CREATION)},
    }  # fmt: skip


def _made(schema: str) -> dict[str, Any]:
    either = {"anyOf": [{"$ref": f"{REFERENCE}{schema}"}, {"$ref": f"{REFERENCE}Price"}]}
    return {
        "description": "The images; with dryRun=true their price.",
        "headers": {name: {"schema": {"type": "string"}, "description": text} for name, text in HEADERS},
        "content": {"application/json": {"schema": either}, "text/event-stream": {"schema": {"type": "string"}}},
    }


def _errors(statuses: Sequence[int]) -> dict[str, Any]:
    return {str(status): {"$ref": "#/components/responses/Error"} for status in statuses}


def _get(operation: str, summary: str, schema: str, *parameters: dict[str, Any]) -> dict[str, Any]:
    return {
        "operationId": operation,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {
            "200": {"description": summary, "content": {"application/json": {"schema": {"$ref": schema}}}},
            **_errors((400, 401, 403, 404, 405)),
        },
    }
