"""The form, checked by the code that checks requests to the gateway."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext, gettext_noop

from providers.accounts import name_of
from providers.gateway import keys, uploads, wire
from providers.gateway.errors import ApiError
from providers.gateway.wire import ApiRequest
from providers.models import ApiKey, ImageModel, Offering
from providers.web.query_parameters import Parameters

PARAMETERS = ("model", "prompt", "size", "seed")
MAX_MODELS = 4
MAX_PROMPT = 2000
MAX_UPLOAD = 25 * 2**20  # bytes of all images of a form
SIZES = [
    ("1:1", gettext_noop("Square 1:1")), ("4:3", gettext_noop("Landscape 4:3")),
    ("3:4", gettext_noop("Portrait 3:4")), ("3:2", gettext_noop("Photo 3:2")),
    ("16:9", gettext_noop("Wide 16:9")), ("9:16", gettext_noop("Tall 9:16")),
    ("512x512", "512 × 512"), ("1024x1024", "1024 × 1024"),
]  # fmt: skip
# What a button says, and the prompt that it fills in.
EXAMPLES = (
    (gettext_noop("A lighthouse"), "A red lighthouse on a cliff at dusk, waves breaking, warm light in the windows"),
    (gettext_noop("A poster with words"), "Poster with the words “OPEN LATE” in neon above a rainy street"),
    (gettext_noop("A paper boat"), "A paper boat on a pond between water lilies, seen from above"),
)


class FormError(Exception):
    """The form is not valid; the message says what to change in `field`. `status` is the HTTP status.

    `is_english`: the message is the API's own, which programs read, too.
    """

    def __init__(self, message: str, field: str = "", status: int = 400, *, is_english: bool = False) -> None:
        super().__init__(message)
        self.field, self.status, self.is_english = field, status, is_english


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
        (gettext_noop("Models"), [model for model in models if not model.is_sample]),
        (gettext_noop("Sample models (drawn on this site, no AI)"), [model for model in models if model.is_sample]),
    ]
    return [(label, group) for label, group in groups if group]


def initial(request: HttpRequest) -> tuple[dict[str, Any], FormError | None]:
    """The values that query parameters fill in: /playground/?model=…&model=…&prompt=…&size=…&seed=…

    A value that cannot be used is shown with the reason and what would help, and nothing is chosen in its place.
    """
    known = {model.slug for _, group in choices() for model in group}
    asked = Parameters(request.GET, PARAMETERS)
    models = asked.several("model", sorted(known))
    values = {
        "models": list(models[:MAX_MODELS]) if asked.given.get("model") else sorted(known)[:2],
        "prompt": asked.text("prompt", MAX_PROMPT),
        "size": asked.given.get("size", "1:1"),
        "seed": asked.given.get("seed", ""),
    }
    if "model" in asked.errors:
        slug = next(name for name in map(str.strip, request.GET.getlist("model")) if name and name not in known)
        return values, FormError(unavailable(slug), "model")
    if len(models) > MAX_MODELS:
        return values, FormError(
            gettext("%(n)s models are too many; at most %(most)s fit.") % {"n": len(models), "most": MAX_MODELS},
            "model",
        )
    try:
        fields = {"prompt": values["prompt"] or "-", "model": "-", "size": values["size"]}
        wire.parse(fields | ({"seed": values["seed"]} if values["seed"] else {}), "text-to-image", ())
    except ApiError as error:
        return {**values, "size": values["size"][:40]}, FormError(error.message, error.param or "", is_english=True)
    message = next(iter(asked.errors.values()), "")
    return values, FormError(message, "prompt", is_english=True) if message else None


def unavailable(slug: str) -> str:
    """Why a model cannot be tried here, and what would help."""
    model = ImageModel.objects.current().filter(slug=slug).first()
    if model is None:
        return gettext("There is no model “%(name)s”. Choose one from the lists.") % {"name": slug[:100]}
    sold = dict.fromkeys(model.offerings.active().order_by("provider").values_list("provider", flat=True))
    if not sold:
        text = gettext("%(model)s cannot be tried: no provider known here sells it. Choose another model.")
        return text % {"model": model.name}
    text = gettext(
        "%(model)s cannot be tried here: this site has no working key for %(providers)s. Its operator can add one; "
        "with a key of your own, its page has the code. Or choose another model."
    )
    return text % {"model": model.name, "providers": gettext(" or ").join(map(name_of, sold))}


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
        raise FormError(gettext("Write what the image should show."), "prompt")
    if len(prompt) > MAX_PROMPT:
        text = gettext("The prompt has %(n)s characters; %(most)s are the limit here.")
        raise FormError(text % {"n": len(prompt), "most": MAX_PROMPT}, "prompt")
    names = list(dict.fromkeys(values["models"]))
    if not names:
        raise FormError(gettext("Choose a model."), "model")
    known = {model.slug: model for _, group in choices() for model in group}
    if unknown := [name for name in names if name not in known]:
        raise FormError(unavailable(unknown[0]), "model")
    try:
        _, images, _ = uploads.read(request, largest=MAX_UPLOAD, is_api=False)
        mode: Any = "edit" if images else "text-to-image"
        # Without a seed, all models get the same random one: results differ by the model alone and can be repeated.
        fields = {"prompt": prompt, "size": values["size"], "seed": values["seed"] or secrets.randbelow(2**31)}
        requests = {known[name]: wire.parse({**fields, "model": name}, mode, images) for name in names}
    except ApiError as error:
        raise FormError(error.message, error.param or "", is_english=True) from error
    for model in requests:
        if not model.offerings.open().filter(mode=mode).exists():
            text = (
                gettext("%(model)s does not edit images.")
                if images
                else gettext("%(model)s only edits images: add one.")
            )
            raise FormError(text % {"model": model.name}, "model")
    secret = request.POST.get("key", "").strip()
    key = keys.of_secret(secret) if secret else None
    if secret and key is None:
        raise FormError(gettext("This API key is unknown or revoked."), "key", 401)
    return TrialForm(requests, key)
