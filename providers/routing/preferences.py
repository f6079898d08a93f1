"""What a caller may say about the providers of one request: the `provider` object of OpenRouter's API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal, InvalidOperation
from typing import Any

from providers.errors import InvalidRequest
from providers.request import ImageRequest

SORTS = {"price": "price", "speed": "speed", "latency": "speed", "throughput": "speed"}
_NAMES = ("only", "order", "ignore", "allow_fallbacks", "max_price", "sort", "options")
# What stands beside `provider`, for every provider alike.
_OF_REQUEST = {field.name for field in fields(ImageRequest)} | {"image", "model", "response_format", "stream", "user"}
MAX_PROVIDERS = 50


@dataclass(frozen=True, slots=True)
class Preferences:
    """Providers are keys of `settings.PROVIDERS`. Without any preference routing decides alone."""

    only: tuple[str, ...] = ()  # no other is called
    order: tuple[str, ...] = ()  # called first, in this order
    ignore: tuple[str, ...] = ()  # never called
    allow_fallbacks: bool = True  # else only the first is called
    max_price: Decimal | None = None  # USD an image, by the estimate; an unknown price is above every limit
    sort: str = ""  # "price" or "speed" (median time), before health
    options: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # parameters in a provider's own words

    def allows(self, provider: str) -> bool:
        return (not self.only or provider in self.only) and provider not in self.ignore

    def allows_price(self, price: Decimal | None) -> bool:
        return self.max_price is None or (price is not None and price <= self.max_price)

    def request_for(self, provider: str, request: ImageRequest) -> ImageRequest:
        """The request as this provider gets it."""
        own = self.options.get(provider)
        return replace(request, extra={**request.extra, **own}) if own else request

    def place(self, provider: str) -> int:
        """In `order`; the same for all that it does not name, after those."""
        return self.order.index(provider) if provider in self.order else len(self.order)


NO_PREFERENCES = Preferences()


def read(value: Any) -> Preferences:
    """The object of a request; a text is one provider, the only one. Raises InvalidRequest, which names the field."""
    if value is None or value == "":
        return NO_PREFERENCES
    if isinstance(value, str):
        return Preferences(only=(value,))
    if not isinstance(value, Mapping):
        raise InvalidRequest(f"provider: write an object with {', '.join(_NAMES)}, or the name of one provider")
    if unknown := sorted(map(str, value.keys() - set(_NAMES))):
        raise InvalidRequest(f"provider.{unknown[0]}: it is not known; write {', '.join(_NAMES)}")
    fallbacks, sort = value.get("allow_fallbacks"), value.get("sort")
    if fallbacks not in (None, True, False):
        raise InvalidRequest("provider.allow_fallbacks: write true or false")
    if sort is not None and (not isinstance(sort, str) or sort not in SORTS):
        raise InvalidRequest(f"provider.sort: {str(sort)[:40]!r} is not one of {', '.join(SORTS)}")
    return Preferences(
        only=_providers("only", value.get("only")),
        order=_providers("order", value.get("order")),
        ignore=_providers("ignore", value.get("ignore")),
        allow_fallbacks=fallbacks is not False,
        max_price=_price(value.get("max_price")),
        sort=SORTS[sort] if sort else "",
        options=_options(value.get("options")),
    )


def _providers(field: str, value: Any) -> tuple[str, ...]:
    names = [value] if isinstance(value, str) else [] if value is None else value
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        raise InvalidRequest(f"provider.{field}: write a list of providers")
    if len(names) > MAX_PROVIDERS:
        raise InvalidRequest(f"provider.{field}: at most {MAX_PROVIDERS} providers")
    return tuple(dict.fromkeys(names))


def _options(value: Any) -> Mapping[str, Mapping[str, Any]]:
    options = {} if value is None else value
    if not isinstance(options, Mapping) or not all(isinstance(own, Mapping) for own in options.values()):
        raise InvalidRequest('provider.options: write {"a provider": {"its parameter": value}}')
    if len(options) > MAX_PROVIDERS:
        raise InvalidRequest(f"provider.options: at most {MAX_PROVIDERS} providers")
    for provider, own in options.items():
        if common := sorted(_OF_REQUEST.intersection(own)):
            raise InvalidRequest(f"provider.options.{provider[:40]}.{common[0]}: write it beside provider")
    return options


def _price(value: Any) -> Decimal | None:
    """A number, or {"image": number} as OpenRouter writes it."""
    if isinstance(value, Mapping):
        value = value.get("image")
    if value is None:
        return None
    try:
        price = Decimal(str(value)) if not isinstance(value, bool) else Decimal("NaN")
    except InvalidOperation:
        price = Decimal("NaN")
    if not price.is_finite() or price < 0:
        raise InvalidRequest("provider.max_price: write US dollars per image, like 0.04")
    return price
