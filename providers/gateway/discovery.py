"""What can be requested: models, the parameters of each, prices in advance, and the OpenAPI file with all of it.

Everything is compiled from what requests are checked against, so the two cannot disagree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, time
from decimal import Decimal
from fractions import Fraction
from typing import Any

from django.conf import settings
from django.db.models import Prefetch, prefetch_related_objects

from providers import routing
from providers.accounts import is_simulated, name_of
from providers.gateway import budgets, keys, wire
from providers.gateway import openapi as reference
from providers.gateway.errors import ApiError
from providers.gateway.responses import amount
from providers.gateway.wire import ApiRequest
from providers.models import ApiKey, ImageModel, Offering
from providers.offering import normalisation, pricing, sizing
from providers.offering.parameters import TYPES
from providers.offering.reference import Parameter, lines
from providers.request import ImageRequest
from providers.routing.selection import Target

MODES = ("text-to-image", "edit")
_TYPICAL = ImageRequest(prompt="-", size="1024x1024")  # what `price_from` is the price of


def models(key: ApiKey | None = None) -> list[dict[str, Any]]:
    """The models that can be called now – with this key."""
    image_models = ImageModel.objects.current().filter(offerings__in=Offering.objects.open()).distinct()
    return [
        _model(image_model, image_model.slug)
        for image_model in image_models.select_related("lab").prefetch_related(_open_offerings())
        if key is None or key.may_use(image_model)
    ]


def model(target: Target, name: str) -> dict[str, Any]:
    """The model; under a name that forces a provider, as that provider offers it."""
    prefetch_related_objects([target.image_model], _open_offerings())
    return _model(target.image_model, name, target.provider)


def _open_offerings() -> Prefetch[str]:
    """What can be called now, as routing sees it: one definition for lists, prices and modes."""
    return Prefetch("offerings", Offering.objects.open().order_by("provider", "-mode"), to_attr="open_offerings")


def _model(image_model: ImageModel, name: str, provider: str = "") -> dict[str, Any]:
    released = image_model.released_on
    offerings = [offering for offering in image_model.open_offerings if provider in ("", offering.provider)]  # type: ignore[attr-defined]
    modes = {offering.mode for offering in offerings}
    prices = {
        f"{offering.provider}/{offering.mode}": routing.estimate(offering, replace(_TYPICAL, mode=offering.mode))
        for offering in offerings
    }
    known = [price for price in prices.values() if price is not None]
    return {
        "id": name,
        "object": "model",
        "created": int(datetime.combine(released, time(), UTC).timestamp()) if released else 0,
        "owned_by": image_model.lab.slug if image_model.lab else "unknown",
        "name": image_model.name,
        "modes": [mode for mode in MODES if mode in modes],
        "providers": sorted({offering.provider for offering in offerings}),
        "price_from": amount(min(known)) if known else None,
        "prices": [
            {"provider": offering.provider, "mode": offering.mode, "price": amount(price)}
            for offering, price in zip(offerings, prices.values(), strict=True)
        ],
        "sample": image_model.is_sample,
    }


def key(api_key: ApiKey) -> dict[str, Any]:
    """The limits of a key, in US dollars, and what it has spent and reserved of them (days and months are UTC)."""
    spent = budgets.spent(api_key)

    def budget(limit: Decimal | None, amount_spent: Decimal) -> dict[str, Any]:
        left = None if limit is None else amount(max(Decimal(0), limit - amount_spent))
        return {"budget": amount(limit), "spent": amount(amount_spent), "remaining": left}

    return {
        "object": "key",
        "name": api_key.name,
        "prefix": api_key.prefix,
        "created": int(api_key.created_at.timestamp()),
        "expires": int(api_key.expires_at.timestamp()) if api_key.expires_at else None,
        "requests_per_minute": api_key.requests_per_minute or settings.GATEWAY_RATE,
        "currency": "USD",
        "day": budget(api_key.daily_budget, spent.day),
        "month": budget(api_key.monthly_budget, spent.month),
        "total": budget(api_key.total_budget, spent.total),
        "allowed_models": api_key.allowed_models or None,
        "default_model": api_key.default_model or None,
        "response_format": api_key.response_format or None,
        "webhook_secret": keys.webhook_secret(api_key),
    }


# Parameters of a model ───────────────────────────────────────────────────────────────────────────────────────────────


def parameters(target: Target) -> dict[str, Any]:
    """By mode: a JSON Schema of the request, with the behaviour of each parameter at each provider."""
    offerings = target.image_model.offerings.open().order_by("provider")
    if target.provider:
        offerings = offerings.filter(provider=target.provider)
    by_mode: dict[str, list[Offering]] = {}
    for offering in offerings:
        by_mode.setdefault(offering.mode, []).append(offering)
    return {mode: _of_mode(mode, mode_offerings) for mode, mode_offerings in sorted(by_mode.items(), reverse=True)}


def _of_mode(mode: str, offerings: Iterable[Offering]) -> dict[str, Any]:
    properties: dict[str, Any] = {"model": reference.PROPERTIES["model"]}
    sizes: dict[str, list[str]] = {}
    for offering in offerings:
        rows = {row["name"]: row for row in offering.parameters.get("accepts", ())}
        for line in lines(offering.parameters):
            entry = properties.setdefault(line.name, _property(line, rows.get(line.name, {})))
            behaviour = {"behaviour": line.behaviour, **({"sent_as": line.target} if line.target else {})}
            entry.setdefault("x-providers", {})[offering.provider] = behaviour
        spec = offering.parameters.get("size", {"family": "none"})
        for tier, table in sizing.supported(spec).items():
            known = sizes.setdefault(tier, [])
            known += [size for _, w, h in table if (size := f"{w}x{h}") not in known]
    for name in ("n", "response_format", "output_format", "output_compression", "stream"):
        properties[name] = {**reference.PROPERTIES[name], **_only_ours(properties.get(name, {}))}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "required": ["model", "prompt", *(["image"] if mode == "edit" else [])],
        "properties": properties,
        "additionalProperties": True,
        "x-sizes": sizes,
    }


def _property(line: Parameter, row: Mapping[str, Any]) -> dict[str, Any]:
    known = reference.PROPERTIES.get(line.name)
    schema: dict[str, Any] = dict(known) if known else {"type": line.type if line.type in TYPES else "string"}
    if line.description:
        schema["description"] = line.description
    for name, value in (("group", line.group), ("allowed", line.allowed)):
        if value:
            schema[f"x-{name}"] = value
    if line.default is not None:
        schema["default"] = line.default
    for ours, theirs in (("enum", "enum"), ("minimum", "minimum"), ("maximum", "maximum"), ("max_length", "maxLength")):
        if ours in row:
            schema[theirs] = row[ours]
    return schema


def _only_ours(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in entry.items() if name in ("x-providers", "x-group")}


# Prices in advance ───────────────────────────────────────────────────────────────────────────────────────────────────


def dry_run(api_request: ApiRequest, target: Target) -> dict[str, Any]:
    """What the request would cost at each provider, the likely one first. No provider is called."""
    request = api_request.request()
    offerings = routing.candidates(target.image_model, request, target.provider, api_request.preferences)
    if not offerings:
        message = f"No provider that can be called now offers {target.image_model.slug} for {request.mode}."
        raise ApiError(404, "model_not_available", message, param="model")
    requests = [api_request.preferences.request_for(offering.provider, request) for offering in offerings]
    prices = [routing.estimate(offering, own) for offering, own in zip(offerings, requests, strict=True)]
    first, price = offerings[0], prices[0]
    total = None if price is None else price * request.n
    return {
        "estimated": True,
        "model": target.image_model.slug,
        "provider": first.provider,
        "provider_name": name_of(first.provider),
        "simulated": is_simulated(first.provider),
        **({"auto": dict(api_request.auto)} if api_request.auto else {}),
        "n": request.n,
        "total_cost": amount(total),
        "total_cost_micros": None if total is None else int((total * 1_000_000).to_integral_value()),
        "currency": "USD",
        "components": [_component(first, requests[0], total)],
        "offerings": [
            {"provider": offering.provider, "cost": amount(None if price is None else price * request.n)}
            for offering, price in zip(offerings, prices, strict=True)
        ],
    }


def _component(offering: Offering, request: ImageRequest, total: Decimal | None) -> dict[str, Any]:
    width, height = normalisation.expected_size(request, offering.parameters)
    by_area = "megapixel" in offering.price_unit
    area = Fraction(width * height, pricing.MEGAPIXEL)
    return {
        "type": "output",
        "metric": "megapixels" if by_area else "images",
        "quantity": round(float(area) * request.n, 4) if by_area else request.n,
        "size": f"{width}x{height}",
        "unit_price": amount(offering.price),
        "unit": offering.price_unit,
        "total_cost": amount(total),
        "price_estimated": offering.price_estimated,
    }


def openapi(origin: str) -> dict[str, Any]:
    slugs = [model["id"] for model in models()]
    return reference.openapi(f"{origin}/openai/v1", example=slugs[0] if slugs else "flux.2-klein-9b")


assert set(wire.PARAMETERS) <= set(reference.PROPERTIES)  # every parameter we read is documented
