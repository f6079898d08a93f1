"""A decoded body → `ApiRequest`: typed and checked; unknown parameters are passed on to the provider.

Forms bring text for everything, JSON brings types; both end up the same here. A wrong value is an error that names
the parameter and what may be written instead. A parameter we do not know is the provider's to judge.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from providers.errors import InvalidRequest
from providers.gateway.errors import ApiError, invalid
from providers.offering import sizing
from providers.offering.normalisation import EMULATED
from providers.offering.parameters import allowed
from providers.request import ImageRequest, Mode, SourceImage
from providers.routing.preferences import NO_PREFERENCES, Preferences
from providers.routing.preferences import read as read_preferences
from providers.transfer.image_type import measured

MAX_IMAGES = 10
MAX_PROMPT = 32_000
MAX_DEPTH = 32  # of tables and lists in a body: what reads it later goes down in recursion
MAX_VALUES = 100_000  # in a JSON body: 60 MB of "[]," are 1.5 GB once they are read
MAX_PARAMETERS = 1_000  # as a form may have; each is looked at by everything on its way to the provider
MAX_TAG = 64  # characters of `user` that are stored
FORMATS: tuple[str, ...] = tuple(EMULATED["output_format"]["enum"])
# What we read ourselves; the rest is the provider's.
PARAMETERS: dict[str, dict[str, Any]] = {
    "prompt": {"type": "string", "max_length": MAX_PROMPT},
    "model": {"type": "string", "max_length": 200},
    "n": {"type": "integer", "minimum": 1, "maximum": MAX_IMAGES},
    "size": {"type": "string", "max_length": 40},
    "aspect_ratio": {"type": "string", "max_length": 40},
    "resolution": {"type": "string", "max_length": 40},
    "seed": {"type": "integer", "minimum": -1, "maximum": 2**63 - 1},
    "output_format": {"type": "string", "enum": list(FORMATS)},
    "output_compression": {"type": "integer", "minimum": 0, "maximum": 100},
    "response_format": {"type": "string", "enum": ["url", "b64_json"]},
    "stream": {"type": "boolean"},
    "partial_images": {"type": "integer", "minimum": 0, "maximum": 3},
    "max_price": {"type": "number", "minimum": 0, "maximum": 1000},
    "max_seconds": {"type": "number", "minimum": 0, "maximum": 86_400},
    "webhook_url": {"type": "string", "max_length": 300},
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
    max_price: float | None = None
    max_seconds: float | None = None
    webhook_url: str = ""  # of an asynchronous request: where its end is sent
    tag: str = ""
    auto: Mapping[str, Any] = field(default_factory=dict)  # why this model, where the client left the choice to us
    preferences: Preferences = NO_PREFERENCES
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
        parts += [self.output_format, self.output_compression, self.response_format, self.stream, str(self.preferences)]
        parts += [hashlib.sha256(image.data).hexdigest() for image in self.images]
        parts += ["", hashlib.sha256(self.mask.data).hexdigest() if self.mask else "", sorted(self.extra.items())]
        parts += [limit for limit in (self.max_price, self.max_seconds) if limit is not None]
        parts += [self.webhook_url] * bool(self.webhook_url)
        return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()


def read_json(body: bytes) -> dict[str, Any]:
    """The fields of a JSON body. Raises the API's error `invalid_json` (400) for anything but an object."""
    if sum(map(body.count, (b",", b"[", b"{"))) > MAX_VALUES:  # those in texts, too: nobody writes so many
        raise invalid(None, f"The body has more than {MAX_VALUES:,} values.", "invalid_json")
    try:
        fields = _loaded(body)
    except (ValueError, RecursionError) as error:
        raise invalid(None, f"The body is not JSON: {error}", "invalid_json") from error
    if not isinstance(fields, dict):
        raise invalid(None, 'The body must be a JSON object, like {"model": "…", "prompt": "…"}.', "invalid_json")
    if len(fields) > MAX_PARAMETERS:
        raise invalid(None, f"The body has more than {MAX_PARAMETERS:,} parameters.", "invalid_json")
    level: list[Any] = [fields]
    for _ in range(MAX_DEPTH):
        level = [inner for value in level for inner in _parts(value)]
    if level:
        raise invalid(None, f"The body is nested more than {MAX_DEPTH} levels deep.", "invalid_json")
    return fields


def _parts(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _loaded(text: str | bytes) -> Any:
    """JSON without numbers that JSON cannot write: NaN, infinity, and what becomes infinite here."""
    return json.loads(text, parse_constant=_no_constant, parse_float=_finite)


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is not a number of JSON")


def _finite(text: str) -> float:
    if math.isinf(number := float(text)):
        raise ValueError(f"{text[:40]} is too large")
    return number


def parse(
    fields: Mapping[str, Any],
    mode: Mode,
    images: tuple[SourceImage, ...] = (),
    mask: SourceImage | None = None,
    default_model: str = "",
) -> ApiRequest:
    """The request, checked. `fields` without its media, which `uploads` has read; empty ones count as absent.

    Raises ApiError: 400.
    """
    fields = {name: value for name, value in fields.items() if value not in (None, "") and name not in _MEDIA}
    for name, value in fields.items():
        if not _is_text(name) or not _is_storable(value):
            raise invalid(name if _is_text(name) else None, f"{name!a}: it contains characters that are not text")
    _read_sides(fields)
    known: dict[str, Any] = {}
    for name, row in PARAMETERS.items():
        if name in fields:
            known[name] = _value(name, _normalised(name, fields.pop(name)), row)
    known["model"] = known.get("model", "").strip() or default_model
    if not known["model"]:
        what = "Write the id of a model, see GET /openai/v1/models, or give the key a default model."
        raise invalid("model", f"Missing required parameter: 'model'. {what}", "missing_required_parameter")
    if not known.get("prompt", "").strip():
        what = "Write what the image should show."
        raise invalid("prompt", f"Missing required parameter: 'prompt'. {what}", "missing_required_parameter")
    if mode == "edit" and not images:
        how = 'Send the image to edit as a form part, or as {"images": [{"image_url": "data:…"}]}.'
        text = f"Missing required parameter: 'image'. {how}"
        raise invalid("image", text, "missing_required_parameter")
    if known.get("seed", 0) < 0:
        del known["seed"]  # -1 means "random" in many programs
    if not known.get("stream"):
        known.pop("partial_images", None)  # nowhere to show them
    for name in ("size", "aspect_ratio", "resolution"):
        known[name] = known.get(name) or None
    preferences = _preferences(fields.pop("provider", None))
    if (max_price := known.get("max_price")) is not None:
        limits = [limit for limit in (preferences.max_price, Decimal(str(max_price))) if limit is not None]
        preferences = replace(preferences, max_price=min(limits))
    user = fields.get("user")
    request = ApiRequest(
        **known,
        mode=mode,
        images=images,
        mask=mask,
        tag=user.strip()[:MAX_TAG] if isinstance(user, str) else "",
        preferences=preferences,
        extra=fields,
    )
    _check_size(request)
    _check_mask(request)
    return request


def _preferences(value: Any) -> Preferences:
    """The `provider` object; in a form it is JSON."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = _loaded(value)
        except (ValueError, RecursionError) as error:
            raise invalid("provider", f"provider: it is not JSON: {error}") from error
    try:
        return read_preferences(value)
    except InvalidRequest as error:
        raise invalid("provider", str(error)) from error


def _read_sides(fields: dict[str, Any]) -> None:
    """width and height, as tools of Stable Diffusion send them, are a size: one that is priced."""
    width, height = fields.get("width"), fields.get("height")
    if "size" not in fields and all(re.fullmatch(r"\d{1,5}", str(side)) for side in (width, height)):
        del fields["width"], fields["height"]
        fields["size"] = f"{width}x{height}"


def _normalised(name: str, value: Any) -> Any:
    """Spellings that programs use for the same value."""
    if not isinstance(value, str):
        return value
    if name in ("size", "aspect_ratio", "resolution"):
        value = " ".join(value.split()) if name == "resolution" else re.sub(r"\s+", "", value).replace("*", "x")
        return re.sub(r"\d+\.\d+", lambda match: f"{float(match[0]):.5g}", value)  # a column of the log holds it
    if name == "output_format":
        return {"jpg": "jpeg", "image/jpeg": "jpeg", "image/png": "png", "image/webp": "webp"}.get(
            value.strip().lower(), value
        )
    return value


def _value(name: str, value: Any, row: Mapping[str, Any]) -> Any:
    if row["type"] == "string" and not isinstance(value, str):
        raise invalid(name, f"{name}: {_shown(value)} is not allowed; write a text")
    try:
        return allowed(name, value, row)
    except InvalidRequest as error:
        raise invalid(name, str(error)) from error


def _is_storable(value: Any) -> bool:
    """False for what no text column or JSON of the database can hold, at any depth."""
    if isinstance(value, str):
        return _is_text(value)
    if isinstance(value, Mapping):
        return all(_is_storable(part) for item in value.items() for part in item)
    if isinstance(value, list):
        return all(map(_is_storable, value))
    return True


def _is_text(value: str) -> bool:
    """False for NUL, which Postgres refuses, and lone surrogates, which JSON can spell and no encoding can carry."""
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in value


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:79]}…"


def _check_size(request: ApiRequest) -> None:
    try:
        sizing.read(request.request())
    except ValueError as error:
        raise invalid(str(error).partition(":")[0], str(error)) from error


def _check_mask(request: ApiRequest) -> None:
    """OpenAI's rule, checked before anything is paid for: a mask is as large as the first image."""
    if request.mask is None or not request.images:
        return
    image, mask = measured(request.images[0].data), measured(request.mask.data)
    if (image.width, image.height) != (mask.width, mask.height):
        sizes = f"{mask.width}x{mask.height} instead of {image.width}x{image.height}"
        raise invalid("mask", f"mask: it must be as large as the image; it is {sizes}", "invalid_image")


def response_format(request: ApiRequest, default: str) -> str:
    """The request's own, else b64_json for a stream, else `default`, else as OpenAI does: base64 for its own models,
    a URL for the rest."""
    if request.response_format:
        return request.response_format
    if request.stream or default:
        return "b64_json" if request.stream else default
    return "b64_json" if _ALWAYS_B64.match(request.model) else "url"


def is_true(value: str) -> bool:
    """A boolean query parameter: ?dryRun=true."""
    if value.lower() in ("true", "1", ""):
        return True
    if value.lower() in ("false", "0"):
        return False
    raise ApiError(400, "invalid_value", f"{value!r} is neither true nor false.")
