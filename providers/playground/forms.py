"""The form, checked by the code that checks requests to the gateway."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest

from providers.gateway import keys, uploads, wire
from providers.gateway.errors import ApiError
from providers.gateway.wire import ApiRequest
from providers.models import ApiKey, ImageModel, Offering

MAX_MODELS = 4
MAX_PROMPT = 2000
MAX_UPLOAD = 25 * 2**20  # bytes of all images of a form
SIZES = [
    ("1:1", "Square 1:1"), ("4:3", "Landscape 4:3"), ("3:4", "Portrait 3:4"), ("3:2", "Photo 3:2"),
    ("16:9", "Wide 16:9"), ("9:16", "Tall 9:16"), ("512x512", "512 × 512"), ("1024x1024", "1024 × 1024"),
]  # fmt: skip
EXAMPLES = (
    "A red lighthouse on a cliff at dusk, waves breaking, warm light in the windows",
    "Poster with the words “OPEN LATE” in neon above a rainy street",
    "A paper boat on a pond between water lilies, seen from above",
)


class FormError(Exception):
    """The form is not valid; the message says what to change in `field`. `status` is the HTTP status."""

    def __init__(self, message: str, field: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.field, self.status = field, status


@dataclass(frozen=True, slots=True)
class TrialForm:
    """One checked request for each model, and the key that pays, if any."""

    requests: Mapping[ImageModel, ApiRequest] = field(default_factory=dict)
    key: ApiKey | None = None


def choices() -> list[tuple[str, list[ImageModel]]]:
    """(label, models that can be called now). Samples are a group of their own, not to be taken for real models."""
    current = ImageModel.objects.current().filter(offerings__in=Offering.objects.open()).distinct()
    models = list(current.select_related("lab").order_by("name"))
    groups = [
        ("Models", [model for model in models if not model.is_sample]),
        ("Sample models (drawn on this site, no AI)", [model for model in models if model.is_sample]),
    ]
    return [(label, group) for label, group in groups if group]


def initial(request: HttpRequest) -> dict[str, Any]:
    """The values that query parameters fill in: /playground/?model=…&model=…&prompt=…&size=…"""
    known = {model.slug for _, group in choices() for model in group}
    models = [name for name in request.GET.getlist("model") if name in known][:MAX_MODELS]
    return {
        "models": models or sorted(known)[:2],
        "prompt": request.GET.get("prompt", "")[:MAX_PROMPT],
        "size": request.GET.get("size", "1:1")[:40],
        "seed": request.GET.get("seed", "")[:20],
    }


def submitted(request: HttpRequest) -> dict[str, Any]:
    """The values as they were sent, to be shown again."""
    post = request.POST
    models = [name for name in post.getlist("model") if name][:MAX_MODELS]
    return {"models": models, **{name: post.get(name, "") for name in ("prompt", "size", "seed")}}


def read(request: HttpRequest) -> TrialForm:
    """Raises FormError."""
    values = submitted(request)
    prompt = str(values["prompt"]).strip()
    if not prompt:
        raise FormError("Write what the image should show.", "prompt")
    if len(prompt) > MAX_PROMPT:
        raise FormError(f"The prompt has {len(prompt)} characters; {MAX_PROMPT} are the limit here.", "prompt")
    names = list(dict.fromkeys(values["models"]))
    if not names:
        raise FormError("Choose a model.", "model")
    known = {model.slug: model for _, group in choices() for model in group}
    if unknown := [name for name in names if name not in known]:
        raise FormError(f"{unknown[0]} is not available now. Choose another model.", "model")
    try:
        _, images, _ = uploads.read(request, largest=MAX_UPLOAD, is_api=False)
        mode: Any = "edit" if images else "text-to-image"
        # Without a seed, all models get the same random one: results differ by the model alone and can be repeated.
        fields = {"prompt": prompt, "size": values["size"], "seed": values["seed"] or secrets.randbelow(2**31)}
        requests = {known[name]: wire.parse({**fields, "model": name}, mode, images) for name in names}
    except ApiError as error:
        raise FormError(error.message, error.param or "") from error
    for model in requests:
        if not model.offerings.open().filter(mode=mode).exists():
            verb = "does not edit images" if images else "only edits images: add one"
            raise FormError(f"{model.name} {verb}.", "model")
    secret = request.POST.get("key", "").strip()
    key = keys.of_secret(secret) if secret else None
    if secret and key is None:
        raise FormError("This API key is unknown or revoked.", "key", 401)
    return TrialForm(requests, key)
