"""Names of models in requests: ids, provider/id, aliases of the operator; which of them a key may use."""

from __future__ import annotations

import difflib

from django.db.models import F, Q

from providers import routing
from providers.errors import NotFound
from providers.gateway import lookup_cache
from providers.gateway.errors import ApiError
from providers.models import ApiKey, ImageModel, ModelAlias, Offering
from providers.routing.selection import Target


def resolve(key: ApiKey, name: str) -> Target:
    """The model, and the provider if the name forces one. Cached for some seconds.

    Raises ApiError: 404 for an unknown name, 403 for a model that the key may not use.
    """
    target = lookup_cache.targets.get_or_compute((key.pk, name), lambda: _look_up(key, name))
    if not key.may_use(target.image_model):
        allowed = ", ".join(sorted(key.allowed_models))
        message = f"This key may not use {target.image_model.slug}. It may use {allowed}."
        raise ApiError(403, "model_not_allowed", message, param="model")
    return target


def forget(key: ApiKey, name: str) -> None:
    """Remove the name from the cache."""
    lookup_cache.targets.delete((key.pk, name))


def available(key: ApiKey | None = None) -> list[str]:
    """The ids of all models that can be called now – with this key – in alphabetical order."""
    current = ImageModel.objects.current().filter(offerings__in=Offering.objects.open()).distinct()
    return sorted(image_model.slug for image_model in current if key is None or key.may_use(image_model))


def _look_up(key: ApiKey, name: str) -> Target:
    """An alias of the key, else one for all keys, else the name itself."""
    aliases = ModelAlias.objects.filter(Q(api_key=key) | Q(api_key=None), alias=name, image_model__retired_at=None)
    alias = aliases.order_by(F("api_key").asc(nulls_last=True)).select_related("image_model__lab").first()
    if alias is not None:
        return Target(alias.image_model, alias.provider)
    try:
        return routing.find(name)
    except NotFound:
        pass
    provider, _, slug = name.rpartition("/")
    names = available(key)
    if provider and slug in names:
        offerings = Offering.objects.open().filter(image_model__slug=slug)
        providers = sorted(set(offerings.values_list("provider", flat=True)))
        message = f"{provider!r} does not offer {slug}. It is offered by {', '.join(providers)}."
    else:
        near = difflib.get_close_matches(slug, names, n=3)
        hint = f"Did you mean {', '.join(near)}?" if near else "GET /openai/v1/models lists the models."
        message = f"There is no model {slug!r}. {hint}"
    raise ApiError(404, "model_not_found", message, param="model")
