"""What may be tried: read from the form, and checked by the very code that checks requests to the gateway."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from providers.gateway import keys, uploads, wire
from providers.gateway.errors import Refusal
from providers.gateway.wire import Asked
from providers.models import ApiKey, ImageModel, Offering

MOST_MODELS = 4
LONGEST_PROMPT = 2000
SIZES = [
    ("1:1", "Square 1:1"), ("4:3", "Landscape 4:3"), ("3:4", "Portrait 3:4"), ("3:2", "Photo 3:2"),
    ("16:9", "Wide 16:9"), ("9:16", "Tall 9:16"), ("512x512", "512 × 512"), ("1024x1024", "1024 × 1024"),
]  # fmt: skip
EXAMPLES = (
    "A red lighthouse on a cliff at dusk, waves breaking, warm light in the windows",
    "Poster with the words “OPEN LATE” in neon above a rainy street",
    "A paper boat on a pond between water lilies, seen from above",
)


class NotTried(Exception):
    """The form cannot be taken as it is; the message says what to change. `field` is where."""

    def __init__(self, message: str, field: str = "", status: int = 400) -> None:
        super().__init__(message)
        self.field, self.status = field, status


@dataclass(frozen=True, slots=True)
class Wanted:
    """One checked request for each model, and who pays."""

    asked: Mapping[ImageModel, Asked] = field(default_factory=dict)
    key: ApiKey | None = None


def choices() -> list[tuple[str, list[ImageModel]]]:
    """The models that can be asked now, samples apart: nobody shall take them for models of companies."""
    found = ImageModel.objects.current().filter(offerings__in=Offering.objects.open()).distinct()
    models = list(found.select_related("lab").order_by("name"))
    groups = [
        ("Models", [each for each in models if not each.is_sample]),
        ("Sample models (drawn on this site, no AI)", [each for each in models if each.is_sample]),
    ]
    return [(label, group) for label, group in groups if group]


def initial(request: HttpRequest) -> dict[str, Any]:
    """What an address fills in: /playground/?model=…&model=…&prompt=…&size=…"""
    known = {model.slug for _, group in choices() for model in group}
    models = [name for name in request.GET.getlist("model") if name in known][:MOST_MODELS]
    return {
        "models": models or sorted(known)[:2],
        "prompt": request.GET.get("prompt", "")[:LONGEST_PROMPT],
        "size": request.GET.get("size", "1:1")[:40],
        "seed": request.GET.get("seed", "")[:20],
    }


def given(request: HttpRequest) -> dict[str, Any]:
    """The form as it was sent, to show again."""
    post = request.POST
    models = [name for name in post.getlist("model") if name][:MOST_MODELS]
    return {"models": models, **{name: post.get(name, "") for name in ("prompt", "size", "seed")}}


def read(request: HttpRequest) -> Wanted:
    """Raises NotTried."""
    values = given(request)
    prompt = str(values["prompt"]).strip()
    if not prompt:
        raise NotTried("Write what the image should show.", "prompt")
    if len(prompt) > LONGEST_PROMPT:
        raise NotTried(f"The prompt has {len(prompt)} characters; {LONGEST_PROMPT} are the limit here.", "prompt")
    names = list(dict.fromkeys(values["models"]))
    if not names:
        raise NotTried("Choose a model.", "model")
    known = {model.slug: model for _, group in choices() for model in group}
    if strangers := [name for name in names if name not in known]:
        raise NotTried(f"{strangers[0]} cannot be asked now. Choose another model.", "model")
    try:
        _, images, _ = uploads.read(request, largest=settings.GATEWAY_LARGEST_REQUEST)
        mode: Any = "edit" if images else "text-to-image"
        # One seed for all of them when none is named: what they make differs by the model alone, and can be had again.
        fields = {"prompt": prompt, "size": values["size"], "seed": values["seed"] or secrets.randbelow(2**31)}
        asked = {known[name]: wire.parse({**fields, "model": name}, mode, images) for name in names}
    except Refusal as refusal:
        raise NotTried(refusal.message, refusal.param or "") from refusal
    for model in asked:
        if not model.offerings.open().filter(mode=mode).exists():
            verb = "does not edit images" if images else "only edits images: add one"
            raise NotTried(f"{model.name} {verb}.", "model")
    secret = request.POST.get("key", "").strip()
    key = keys.of_secret(secret) if secret else None
    if secret and key is None:
        raise NotTried("This API key is not known, or it was revoked.", "key", 401)
    return Wanted(asked, key)
