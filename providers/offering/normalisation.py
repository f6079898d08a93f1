"""From a request in our words to a call in the provider's: passthrough, renamed, converted or emulated – as data.

The same parameter has another name, range or meaning per model, per provider and per mode, so none of it is code:
`Offering.parameters` says it all (its shape is drawn in `parameters.py`), and this module only reads it. A parameter
that it does not name is not ours to judge: it goes to the provider as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from providers.errors import BadOutput, InvalidRequest
from providers.offering import native, sizing
from providers.offering.masks import in_style
from providers.offering.parameters import allowed, check
from providers.request import ImageRequest, ProviderCall, SourceImage
from providers.transfer.image_reader import is_clean, source_of
from providers.transfer.image_type import measured
from providers.web.sentence import sentence

__all__ = ["EMULATED", "MOST_IMAGES", "build", "check", "expected_size", "native_n", "split"]

MOST_IMAGES = 10  # of one request, as OpenAI's API allows

# What we do ourselves with the image once we hold it, for every offering that cannot.
EMULATED: dict[str, dict[str, Any]] = {
    "response_format": {
        "type": "string",
        "enum": ["url", "b64_json"],
        "default": "url",
        "description": sentence("How the image comes back: as an address or as text inside the answer."),
    },
    "output_format": {
        "type": "string",
        "enum": ["png", "jpeg", "gif", "webp", "avif"],
        "description": sentence("File format of the image. Converted here when the provider cannot make it."),
    },
    "output_compression": {
        "type": "integer",
        "minimum": 0,
        "maximum": 100,
        "description": sentence("Quality of lossy formats (JPEG, WebP, AVIF)."),
    },
}

# Values of DALL·E that programs send to every model, and what comes nearest elsewhere. Where an offering takes neither,
# the parameter is without use; it would be an error at the provider.
LEGACY: dict[str, dict[str, str | None]] = {
    "quality": {"standard": "medium", "hd": "high"},
    "style": {"vivid": None, "natural": None},
}


# Building ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def native_n(parameters: Mapping[str, Any]) -> int:
    """How many images one call can bring; more are several calls."""
    return int(parameters.get("n", {}).get("max", 1))


def split(request: ImageRequest, parameters: Mapping[str, Any], *, first: int = 0) -> list[ImageRequest]:
    """The calls that bring all images of the request, none above what the offering makes at once.

    A seed counts up by the images before, `first` of which came from elsewhere: the same seed would bring the same
    picture again. The first call's is the one asked for.
    """
    if not 1 <= request.n <= MOST_IMAGES:
        raise InvalidRequest(f"n: {request.n} images; ask for 1 to {MOST_IMAGES}")
    most = max(1, native_n(parameters))
    return [
        replace(
            request,
            n=min(most, request.n - before),
            # Events do not say which of several images they show, so they are of one.
            partial_images=request.partial_images if request.n == 1 else 0,
            seed=None if request.seed is None else _further_seed(request.seed, first + before, parameters),
        )
        for before in range(0, request.n, most)
    ]


def _further_seed(seed: int, number: int, parameters: Mapping[str, Any]) -> int:
    """Within the offering's range; a seed outside of it stays what it is, for `build` to refuse."""
    row: Mapping[str, Any] = next((row for row in parameters.get("accepts", ()) if row["name"] == "seed"), {})
    least, most = row.get("minimum", 0), row.get("maximum")
    if most is None:
        return seed + number
    return least + (seed - least + number) % (most - least + 1) if least <= seed <= most else seed


def expected_size(request: ImageRequest, parameters: Mapping[str, Any]) -> sizing.Size:
    """The size to estimate a price with, also where the provider chooses the pixels or the request names them in the
    provider's own words."""
    size = _resolve(request, parameters).expected or sizing.size_for(1, 1)
    return native.expected_size(request.extra, size, parameters.get("size", {"family": "none"}))


def check_request(request: ImageRequest, parameters: Mapping[str, Any]) -> None:
    """Raises InvalidRequest where `build` would. An empty prompt passes, and an edit that has no images yet."""
    known = {row["name"]: row for row in parameters.get("accepts", ())}
    given = {"seed": request.seed, **request.extra}
    ignores = {"seed", *parameters.get("ignores", ())} - known.keys()
    given = {name: value for name, value in given.items() if value is not None and name not in ignores}
    for name, value in given.items():
        if row := known.get(name) or EMULATED.get(name):
            allowed(name, value, row)
    native.check_counts(given, known)
    if request.images or request.mode != "edit":
        _check_images(request, parameters.get("images"))


def build(request: ImageRequest, *, endpoint: str, parameters: Mapping[str, Any]) -> ProviderCall:
    """The call that asks this offering for what the request asks. InvalidRequest names what cannot be had here."""
    if not request.prompt.strip():
        raise InvalidRequest("prompt: it is empty; write what the image should show")
    known = {row["name"]: row for row in parameters.get("accepts", ())}
    given = {"prompt": request.prompt, "seed": request.seed, **request.extra}
    ignores = {"seed", *parameters.get("ignores", ())} - known.keys()

    arguments: dict[str, Any] = {}
    unknown: dict[str, Any] = {}
    without_use: list[str] = []
    for name, value in given.items():
        if value is None or name in ignores:
            continue
        if (value := _current(name, value, known.get(name))) is None:
            without_use.append(name)
            continue
        if name in known:
            _place(arguments, known[name], value)
        elif name in EMULATED:
            allowed(name, value, EMULATED[name])
        else:
            unknown[name] = value
    native.check_counts(unknown)
    resolved = _resolve(request, parameters)
    _check_images(request, parameters.get("images"))
    # The provider's own names win over our translation of the common ones: a caller who uses them means them.
    arguments = {**parameters.get("sends", {}), **resolved.arguments, **_count(request.n, parameters), **arguments}
    overridden = not unknown.keys().isdisjoint(resolved.arguments)
    images = parameters.get("images", {})
    return ProviderCall(
        endpoint=endpoint,
        arguments={**arguments, **unknown},
        images=tuple(map(_clean, request.images)),
        image_field=images.get("field", ""),
        image_is_list=images.get("list", True),
        mask=None if request.mask is None else in_style(request.mask, images.get("mask_style", "alpha")),
        mask_field=images.get("mask", ""),
        partial_images=min(request.partial_images, parameters.get("partial_images", 0)),
        on_partial=request.on_partial,
        resolved_size=None if overridden else resolved.size,
        ignored=(
            *(name for name, value in given.items() if name in ignores and value is not None),
            *without_use,
            *_unused_size(request, parameters),
        ),
        unknown=tuple(unknown),
    )


def _current(name: str, value: Any, row: Mapping[str, Any] | None) -> Any:
    """The value, or for one of DALL·E's what the offering takes in its place; None where it takes neither."""
    if not isinstance(value, str) or value not in LEGACY.get(name, ()) or _is_taken(row, value):
        return value
    replacement = LEGACY[name][value]
    return replacement if replacement is not None and _is_taken(row, replacement) else None


def _is_taken(row: Mapping[str, Any] | None, value: str) -> bool:
    return row is not None and value in row.get("enum", [value])


def _resolve(request: ImageRequest, parameters: Mapping[str, Any]) -> sizing.Resolved:
    try:
        return sizing.resolve(request, parameters.get("size", {"family": "none"}), _size_of_first(request.images))
    except ValueError as error:
        raise InvalidRequest(str(error)) from error


def _size_of_first(images: tuple[SourceImage, ...]) -> sizing.Size | None:
    """An unreadable source is the provider's to refuse; here it only has no shape."""
    if not images:
        return None
    try:
        image = measured(images[0].data)
    except BadOutput:
        return None
    return image.width, image.height


def _clean(image: SourceImage) -> SourceImage:
    """Upright, sRGB and without metadata: no location of a photo leaves the house. Uploads come so already."""
    if is_clean(image.data):
        return image
    try:
        return source_of(image.data)
    except BadOutput as error:
        raise InvalidRequest(f"image: {str(error).partition(': ')[2] or error}", detail=error.detail) from error


def _count(n: int, parameters: Mapping[str, Any]) -> dict[str, Any]:
    most = native_n(parameters)
    if not 1 <= n <= most:
        raise InvalidRequest(f"n: {n} images in one call; this offering makes {'1' if most == 1 else f'1 to {most}'}")
    return {parameters["n"]["field"]: n} if n > 1 else {}


def _check_images(request: ImageRequest, spec: Mapping[str, Any] | None) -> None:
    count = len(request.images)
    if spec is None and request.mode != "edit":
        if count:
            raise InvalidRequest("image: this offering takes no images; ask for an edit, or leave the images out")
        return
    if request.mask is not None and not (spec or {}).get("mask"):
        raise InvalidRequest("mask: this offering takes none; say in the prompt what to change, and leave the mask out")
    if request.mask is None and (spec or {}).get("mask_required"):
        raise InvalidRequest(
            "mask: this offering needs one, a PNG that is transparent where the image is to be changed"
        )
    least, most = (spec or {}).get("min", 1), (spec or {}).get("max")
    if count < least:
        raise InvalidRequest(f"image: {count} given; an edit needs {least} or more")
    if most is not None and count > most:
        raise InvalidRequest(f"image: {count} given; this offering takes at most {most}")


def _unused_size(request: ImageRequest, parameters: Mapping[str, Any]) -> list[str]:
    """Size parameters without effect here. What `size` overrules is not listed: that is the caller's own doing."""
    spec = parameters.get("size", {"family": "none"})
    asked = {"size": request.size, "aspect_ratio": request.aspect_ratio, "resolution": request.resolution}
    given = [name for name, value in asked.items() if value not in (None, "", "auto")]
    if spec["family"] == "none":
        return given
    if spec["family"] == "ratio" and not spec.get("tiers") and "resolution" in given:
        return ["resolution"]
    return []


def sent_value(name: str, request: ImageRequest, parameters: Mapping[str, Any]) -> Any:
    """The value under which a parameter of the request is sent: converted, or what the offering sends by itself."""
    row: Mapping[str, Any] = next((row for row in parameters.get("accepts", ()) if row["name"] == name), {})
    value = _current(name, request.extra.get(name), row or None)
    if value is None:
        return parameters.get("sends", {}).get(name)
    return row.get("values", {}).get(str(value), row.get("otherwise", value))


def _place(arguments: dict[str, Any], row: Mapping[str, Any], value: Any) -> None:
    """Put one known parameter where the provider wants it."""
    value = allowed(row["name"], value, row)
    if row["behaviour"] == "emulated":
        return
    if row["behaviour"] == "converted":
        value = row.get("values", {}).get(str(value), row.get("otherwise", value))
    arguments[row.get("target", row["name"])] = value
