"""What sources outside say of prices, ends and inputs, beside what our catalogue says: proposals, never changes.

    prices of fal       GET https://api.fal.ai/v1/models/pricing (needs the account's key)
    LiteLLM's map       prices per image and per token, deprecation dates; providers without an API of prices are there
    schemas of fal      the OpenAPI file of each endpoint: names, enums and limits of its input

The readers are pure: JSON in, `Suggestion`s out. `propose` writes those that differ from the offering and were not made
before; a curator accepts or rejects them in the admin, and `accept` is the only thing that changes an offering.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any

from django.db import models, transaction
from django.utils import timezone

from providers.models import Offering, Proposal

FAL_PRICING = "https://api.fal.ai/v1/models/pricing"
FAL_SCHEMA = "https://fal.ai/api/openapi/queue/openapi.json?endpoint_id="
LITELLM = "https://raw.githubusercontent.com/BerriAI/litellm/main/model_prices_and_context_window.json"

LARGE = Decimal("0.20")  # a price that moves by more than this share needs a second look
_MILLION = Decimal(1_000_000)
_FAL_UNITS = {"image": "image", "images": "image", "megapixel": "megapixel", "megapixels": "megapixel"}
_LITELLM_PREFIXES = {"fal": "fal_ai/", "gemini": "gemini/", "openai": "", "bfl": "black_forest_labs/"}
_LITELLM_TOKENS = {
    "input_cost_per_token": "text_input",
    "input_cost_per_image_token": "image_input",
    "output_cost_per_image_token": "image_output",
}


@dataclass(frozen=True, slots=True)
class Suggestion:
    """What a source says of one offering: `changes` by column, or a remark alone."""

    offering: Offering
    text: str
    source: str
    changes: Mapping[str, Any] = field(default_factory=dict)
    is_large: bool = False


# Readers ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def from_fal_prices(answer: Any, offerings: Iterable[Offering]) -> Iterator[Suggestion]:
    """From fal's answer: {"prices": [{"endpoint_id", "unit_price", "unit", "currency"}]}."""
    rows = answer.get("prices") if isinstance(answer, Mapping) else None
    rows = [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
    prices = {str(row.get("endpoint_id")): row for row in rows}
    for offering in offerings:
        row = prices.get(offering.endpoint)
        amount = _amount(row.get("unit_price")) if row else None
        if row is None or amount is None or row.get("currency") != "USD":
            continue
        unit = _FAL_UNITS.get(str(row.get("unit")).lower())
        if unit is None:
            text = f"fal bills in {row.get('unit')!r}, at ${amount:f}: no unit of our price list"
            yield Suggestion(offering, text, FAL_PRICING)
        elif unit == "megapixel" and offering.price_unit.startswith("megapixel"):
            yield from _price(offering, amount, offering.price_unit, FAL_PRICING)
        elif (
            unit == offering.price_unit
            or offering.price is None
            or offering.price_unit not in ("image-by-tier", "image-by-quality")
        ):
            yield from _price(offering, amount, unit, FAL_PRICING)


def from_litellm(prices: Any, offerings: Iterable[Offering]) -> Iterator[Suggestion]:
    """From LiteLLM's map of models to prices and deprecation dates."""
    if not isinstance(prices, Mapping):
        return
    for offering in offerings:
        prefix = _LITELLM_PREFIXES.get(offering.provider)
        row = None if prefix is None else prices.get(f"{prefix}{offering.endpoint}")
        if not isinstance(row, Mapping):
            continue
        amount = _amount(row.get("output_cost_per_image"))
        if amount is not None and (offering.price is None or offering.price_unit == Offering.Unit.IMAGE):
            yield from _price(offering, amount, Offering.Unit.IMAGE.value, LITELLM)
        tokens = {
            kind: f"{(per_token * _MILLION).normalize():f}"
            for name, kind in _LITELLM_TOKENS.items()
            if (per_token := _amount(row.get(name))) is not None
        }
        if "image_output" in tokens and tokens != offering.price_details.get("tokens"):
            listed = ", ".join(f"{kind.replace('_', ' ')} ${price}" for kind, price in sorted(tokens.items()))
            details = {**offering.price_details, "tokens": tokens}
            yield Suggestion(offering, f"per million tokens: {listed}", LITELLM, {"price_details": details})
        ends_on = _date(row.get("deprecation_date"))
        if ends_on is not None and ends_on != offering.ends_on:
            yield Suggestion(offering, f"ends on {ends_on}", LITELLM, {"ends_on": ends_on.isoformat()})


def from_fal_schema(schema: Any, offering: Offering) -> Iterator[Suggestion]:
    """From the OpenAPI file of an endpoint: a remark about names, choices and limits that differ from ours."""
    inputs = _input_of(schema)
    ours = {row.get("target", row["name"]): row for row in offering.parameters.get("accepts", ())}
    named = {*ours, *offering.parameters.get("sends", {}), *_size_fields(offering.parameters)}
    remarks = [f"no longer takes {name}" for name in sorted(ours.keys() - inputs.keys()) if inputs]
    remarks += [f"also takes {name}" for name in sorted(inputs.keys() - named)]
    for name in sorted(ours.keys() & inputs.keys()):
        row, theirs = ours[name], inputs[name]
        sent = set(map(str, row["values"].values())) if "values" in row else set(map(str, row.get("enum", ())))
        choices = set(map(str, theirs.get("enum", ())))
        if sent and choices and not sent <= choices:
            remarks.append(f"{name} no longer has {', '.join(sorted(sent - choices))}")
        for limit in ("minimum", "maximum"):
            if limit in row and limit in theirs and row[limit] != theirs[limit]:
                remarks.append(f"{limit} of {name} is {theirs[limit]}, ours {row[limit]}")
    if remarks:
        yield Suggestion(offering, f"input: {'; '.join(remarks)}", f"{FAL_SCHEMA}{offering.endpoint}")


def _input_of(schema: Any) -> dict[str, Any]:
    """The properties of the schema whose name ends in "Input"."""
    components = schema.get("components") if isinstance(schema, Mapping) else None
    schemas = components.get("schemas") if isinstance(components, Mapping) else None
    for name, body in schemas.items() if isinstance(schemas, Mapping) else ():
        if name.endswith("Input") and isinstance(body, Mapping) and isinstance(body.get("properties"), Mapping):
            return {key: value for key, value in body["properties"].items() if isinstance(value, Mapping)}
    return {}


def _size_fields(parameters: Mapping[str, Any]) -> Iterator[str]:
    size, images = parameters.get("size", {}), parameters.get("images", {})
    yield from (size.get("field", ""), size.get("tier_field", ""), "width", "height")
    yield from (images.get("field", ""), images.get("mask", ""), parameters.get("n", {}).get("field", ""))


def _price(offering: Offering, amount: Decimal, unit: str, source: str) -> Iterator[Suggestion]:
    if offering.price is not None and (Decimal(offering.price), offering.price_unit) == (amount, unit):
        return
    before = "unknown" if offering.price is None else f"${offering.price.normalize():f} {offering.price_unit}"
    moved = None if not offering.price or offering.price_unit != unit else abs(amount / offering.price - 1)
    yield Suggestion(
        offering,
        f"price: {before} → ${amount.normalize():f} {unit}",
        source,
        {
            "price": f"{amount:f}", "price_unit": unit, "price_source": source, "price_estimated": False,
            "price_on_request": False, "price_seen_on": timezone.now().date().isoformat(),
        },
        is_large=moved is None or moved > LARGE,
    )  # fmt: skip


def _amount(value: Any) -> Decimal | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        amount = Decimal(str(value))
    except InvalidOperation:
        return None
    return amount if amount.is_finite() and 0 <= amount < 10_000 else None


def _date(value: Any) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(value)
    except (TypeError, ValueError):
        return None


# Proposals ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def propose(suggestions: Iterable[Suggestion]) -> list[Proposal]:
    """Store what was not proposed before, whatever became of it; returns the new proposals."""
    proposals = []
    for suggestion in suggestions:
        proposal, created = Proposal.objects.get_or_create(
            offering=suggestion.offering,
            text=suggestion.text,
            defaults={
                "changes": dict(suggestion.changes), "source": suggestion.source, "is_large": suggestion.is_large,
            },
        )  # fmt: skip
        proposals += [proposal] if created else []
    return proposals


def accept(proposal: Proposal) -> None:
    """Apply an open proposal to its offering. ValidationError when the result could not be computed with."""
    with transaction.atomic():
        proposal = Proposal.objects.select_for_update().get(pk=proposal.pk)
        if proposal.status != Proposal.Status.OPEN:
            return
        offering = Offering.objects.select_for_update().get(pk=proposal.offering_id)
        for column, value in proposal.changes.items():
            target = Offering._meta.get_field(column)
            assert isinstance(target, models.Field)
            setattr(offering, column, target.to_python(value))
        if proposal.changes:
            offering.clean()
            offering.save(update_fields=list(proposal.changes))
        _decide(proposal, Proposal.Status.ACCEPTED)


def reject(proposal: Proposal) -> None:
    """Close an open proposal without a change; the same is not proposed again."""
    with transaction.atomic():
        proposal = Proposal.objects.select_for_update().get(pk=proposal.pk)
        if proposal.status == Proposal.Status.OPEN:
            _decide(proposal, Proposal.Status.REJECTED)


def _decide(proposal: Proposal, status: Proposal.Status) -> None:
    proposal.status, proposal.decided_at = status, timezone.now()
    proposal.save(update_fields=["status", "decided_at"])
