"""A decoded body → `ApiRequest`: typed and checked; unknown parameters are passed on to the provider.

Forms bring text for everything, JSON brings types; both end up the same here. A wrong value is an error that names
the parameter and what may be written instead. A parameter we do not know is the provider's to judge.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from providers.errors import InvalidRequest
from providers.gateway.errors import ApiError, invalid
from providers.offering import sizing
from providers.offering.normalisation import EMULATED
from providers.offering.parameters import allowed
from providers.request import ImageRequest, Mode, SourceImage

MAX_IMAGES = 10
MAX_PROMPT = 32_000
FORMATS: tuple[str, ...] = tuple(EMULATED["output_format"]["enum"])
# What we read ourselves; the rest is the provider's.
PARAMETERS: dict[str, dict[str, Any]] = {
    "prompt": {"type": "string", "max_length": MAX_PROMPT},
    "model": {"type": "string", "max_length": 200},
    "n": {"type": "integer", "minimum": 1, "maximum": MAX_IMAGES},
    "size": {"type": "string", "max_length": 40},
    "aspect_ratio": {"type": "string", "max_length": 40},
    "resolution": {"type": "string", "max_length": 40},
    "seed": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1},
    "output_format": {"type": "string", "enum": list(FORMATS)},
    "output_compression": {"type": "integer", "minimum": 0, "maximum": 100},
    "response_format": {"type": "string", "enum": ["url", "b64_json"]},
    "stream": {"type": "boolean"},
    "partial_images": {"type": "integer", "minimum": 0, "maximum": 3},
}
_MEDIA = frozenset({"image", "images", "mask"})
# OpenAI's models always return base64, and some clients count on it.
_ALWAYS_B64 = re.compile(r"(?:[^/]+/)?(?:gpt-image-|chatgpt-image-)")


@dataclass(frozen=True, slots=True)
class ApiRequest:
    """One request for images. `response_format` is "" until the request, its key or its model has decided it."""

    model: str
    prompt: str
    mode: Mode
    n: int = 1
    size: str | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    seed: int | None = None
    output_format: str | None = None
    output_compression: int | None = None
    response_format: str = ""
    stream: bool = False
    partial_images: int = 0
    images: tuple[SourceImage, ...] = ()
    mask: SourceImage | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)

    def request(self) -> ImageRequest:
        """The request to routing. Format and compression go along, for providers that can apply them."""
        output = {"output_format": self.output_format, "output_compression": self.output_compression}
        return ImageRequest(
            prompt=self.prompt,
            mode=self.mode,
            size=self.size,
            aspect_ratio=self.aspect_ratio,
            resolution=self.resolution,
            seed=self.seed,
            n=self.n,
            images=self.images,
            mask=self.mask,
            partial_images=self.partial_images,
            extra={**self.extra, **{name: value for name, value in output.items() if value is not None}},
        )

    def fingerprint(self) -> str:
        """The same for the same request, however it was encoded: a form's boundary differs in every try."""
        parts = [self.mode, self.model, self.prompt, self.n, self.size, self.aspect_ratio, self.resolution, self.seed]
        parts += [self.output_format, self.output_compression, self.response_format, self.stream]
        parts += [hashlib.sha256(image.data).hexdigest() for image in self.images]
        parts += ["", hashlib.sha256(self.mask.data).hexdigest() if self.mask else "", sorted(self.extra.items())]
        return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def read_json(body: bytes) -> dict[str, Any]:
    try:
        fields = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise invalid(None, f"The body is not JSON: {error}", "invalid_json") from error
    if not isinstance(fields, dict):
        raise invalid(None, 'The body must be a JSON object, like {"model": "…", "prompt": "…"}.', "invalid_json")
    return fields


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")


def parse(
    fields: Mapping[str, Any], mode: Mode, images: tuple[SourceImage, ...] = (), mask: SourceImage | None = None
) -> ApiRequest:
    """The request, checked. `fields` without its media, which `uploads` has read. Raises ApiError."""
    given = {name: value for name, value in fields.items() if value is not None and name not in _MEDIA}
    known: dict[str, Any] = {}
    for name, row in PARAMETERS.items():
        if name in given:
            known[name] = _value(name, given.pop(name), row)
    for name in ("model", "prompt"):
        if not str(known.get(name, "")).strip():
            what = "the id of a model, see GET /openai/v1/models" if name == "model" else "what the image should show"
            raise invalid(name, f"Missing required parameter: '{name}'. Write {what}.", "missing_required_parameter")
    if mode == "edit" and not images:
        how = 'Send the image to edit as a form part, or as {"images": [{"image_url": "data:…"}]}.'
        text = f"Missing required parameter: 'image'. {how}"
        raise invalid("image", text, "missing_required_parameter")
    if not known.get("stream"):
        known.pop("partial_images", None)  # nowhere to show them
    for name in ("size", "aspect_ratio", "resolution"):
        known[name] = known.get(name) or None
    request = ApiRequest(
        **known,
        mode=mode,
        images=images,
        mask=mask,
        extra=given,
    )
    _check_size(request)
    return request


def _value(name: str, value: Any, row: Mapping[str, Any]) -> Any:
    if row["type"] == "string" and not isinstance(value, str):
        raise invalid(name, f"{name}: {_shown(value)} is not allowed; write a text")
    if row["type"] == "string" and ("\x00" in value or not _is_text(value)):
        raise invalid(name, f"{name}: it contains characters that are not text")
    try:
        return allowed(name, value, row)
    except InvalidRequest as error:
        raise invalid(name, str(error)) from error


def _is_text(value: str) -> bool:
    """False for lone surrogates, which JSON can spell and no encoding can carry."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _check_size(request: ApiRequest) -> None:
    try:
        sizing.read(request.request())
    except ValueError as error:
        raise invalid(str(error).partition(":")[0], str(error)) from error


def response_format(request: ApiRequest, default: str) -> str:
    """The request's own, else `default`, else as OpenAI does: base64 for its own models, a URL for the rest."""
    if request.response_format or default:
        return request.response_format or default
    return "b64_json" if _ALWAYS_B64.match(request.model) else "url"


def is_true(value: str) -> bool:
    """A boolean query parameter: ?dryRun=true."""
    if value.lower() in ("true", "1", ""):
        return True
    if value.lower() in ("false", "0"):
        return False
    raise ApiError(400, "invalid_value", f"{value!r} is neither true nor false.")
