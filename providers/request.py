"""The values that pass between callers, routing and adapters: frozen, without behaviour of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
class GeneratedImage:
    """The bytes of one image as the provider delivered them, with the size measured from the bytes.

    `encoded` is the same in base64, where they came so, to save encoding them again. `facts` is what the provider says
    about the image, by the names of OpenAI's answer: revised_prompt, quality, background, size, output_format.
    """

    data: bytes
    content_type: str
    width: int
    height: int
    encoded: str = field(default="", repr=False, compare=False)
    facts: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)


OnPartial = Callable[[GeneratedImage], None]

# What finds a job again at the provider that has accepted it: an id, URLs, never a key. Each adapter has its own names.
Ticket = Mapping[str, str]
OnSubmitted = Callable[[Ticket], None]


@dataclass(frozen=True, slots=True)
class ImageRequest:
    """What a caller requests from an image model, under our names and not any provider's.

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
    partial_images: int = 0  # half-made images to be shown while it is made, where the provider has any
    on_partial: OnPartial | None = field(default=None, repr=False, compare=False)  # called with each of them
    extra: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProviderCall:
    """One request under the provider's own names: what `normalisation.build` makes and an adapter sends."""

    endpoint: str
    arguments: Mapping[str, Any]
    images: tuple[SourceImage, ...] = ()
    image_field: str = ""  # the argument that takes the source images …
    image_is_list: bool = True  # … as a list, or as one value
    mask: SourceImage | None = None
    mask_field: str = ""
    partial_images: int = 0
    on_partial: OnPartial | None = field(default=None, repr=False, compare=False)
    on_submitted: OnSubmitted | None = field(default=None, repr=False, compare=False)  # called once a job is accepted
    spare_seed: str = ""  # the argument for a seed that nobody has chosen: a job can be recognised by ours
    ticket: Ticket | None = None  # of a job that was accepted earlier: it is awaited, and nothing is submitted
    resolved_size: tuple[int, int] | None = None  # the pixels we request; None when the provider chooses
    ignored: tuple[str, ...] = ()  # parameters of the request that this offering has no use for
    unknown: tuple[str, ...] = ()  # parameters we know nothing about: they are passed through as they are


@dataclass(frozen=True, slots=True)
class Answer:
    """What an adapter returns. All times are differences on our own clock, except `provider_time`.

    `ttfb` is the time to the first byte of the response that carries the result; it means something only for
    synchronous calls and is None for queue and poll modes. `cost` is what the provider itself says it billed (USD),
    None when it says nothing. `billed_units` is what it says it billed in units of its price list. `usage` holds the
    tokens it counted, under its own names and with nothing but numbers in it.
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
