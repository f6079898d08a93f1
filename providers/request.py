"""The words between callers, routing and adapters: frozen values without behaviour of their own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal

Mode = Literal["text-to-image", "edit"]
Caller = Literal["arena", "gateway", "playground"]


@dataclass(frozen=True, slots=True)
class SourceImage:
    """An image that goes into an edit: its bytes as they are to be sent, and their type as sniffed from the bytes."""

    data: bytes
    content_type: str


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """What a caller asks of an image model, in our words and not in any provider's.

    `size` is "auto", "WxH" or "W:H" and beats `aspect_ratio` ("W:H") and `resolution` ("1K", "2 MP").
    `extra` holds parameters we do not know; they pass through to the provider as they are.
    """

    prompt: str
    mode: Mode = "text-to-image"
    size: str | None = None
    aspect_ratio: str | None = None
    resolution: str | None = None
    seed: int | None = None
    n: int = 1
    images: tuple[SourceImage, ...] = ()
    mask: SourceImage | None = None  # transparent where the first image is to be changed
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """One request in the provider's own words: what `normalisation.build` makes and an adapter sends."""

    endpoint: str
    arguments: Mapping[str, Any]
    images: tuple[SourceImage, ...] = ()
    image_field: str = ""  # the argument that takes the source images …
    image_is_list: bool = True  # … as a list, or as one value
    mask: SourceImage | None = None
    mask_field: str = ""
    resolved_size: tuple[int, int] | None = None  # the pixels we asked for; None when the provider chooses
    ignored: tuple[str, ...] = ()  # parameters of the request that this offering has no use for
    unknown: tuple[str, ...] = ()  # parameters we know nothing about: they are passed through as they are


@dataclass(frozen=True, slots=True)
class GeneratedImage:
    """The bytes of one image as the provider delivered them, with the size measured from the bytes.

    `encoded` is the same in base64, where they came so: whoever wants them so again need not encode them.
    """

    data: bytes
    content_type: str
    width: int
    height: int
    encoded: str = field(default="", repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What an adapter brings home. All times are differences on our own clock, except `provider_time`.

    `ttfb` is the time to the first byte of the response that carries the result; it means something only for
    synchronous calls and is None for queue and poll modes. `cost` is what the provider itself says it billed (USD),
    None when it says nothing. `usage` are the tokens that a model priced by tokens counted, in the provider's words.
    """

    images: tuple[GeneratedImage, ...]
    duration: timedelta
    ttfb: timedelta | None = None
    provider_time: timedelta | None = None
    cost: Decimal | None = None
    billed_units: Decimal | None = None
    provider_request_id: str = ""
    seed: int | None = None
    usage: Mapping[str, Any] | None = None
