"""The catalogue we ship: every offering can be asked and priced, or says why not."""

from __future__ import annotations

import io
from dataclasses import replace
from decimal import Decimal

import pytest
from PIL import Image

from providers import routing
from providers.catalog import load as catalog
from providers.models import Offering, Price
from providers.offering import native, normalisation, pricing
from providers.request import ImageRequest, SourceImage
from providers.samples.renderer import SAMPLE_MODELS
from providers.spending import costs
from tests import factories as make


@pytest.fixture(scope="module")
def shipped() -> catalog.Catalog:
    return catalog.read()


def test_the_shipped_catalogue_has_no_problems(shipped):
    real = [row for row in shipped.image_models.values() if row["origin"] == "catalog"]
    assert len(real) == 85
    assert {row["lab"] for row in real} <= shipped.labs.keys()


def clear_picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGBA", (2, 2)).save(out, "PNG")
    return out.getvalue()


def test_every_offering_can_be_asked_and_priced(shipped):
    image = SourceImage(clear_picture(), "image/png")
    for (slug, provider, mode), row in shipped.offerings.items():
        request = ImageRequest("A kite", mode=mode, size="4:3", seed=1, images=(image,) if mode == "edit" else ())
        if row["parameters"].get("images", {}).get("mask_required"):
            request = replace(request, mask=image)
        made = normalisation.build(request, endpoint=row["endpoint"], parameters=row["parameters"])
        assert made.arguments["prompt"] == "A kite", (slug, provider, mode)
        size = normalisation.expected_size(request, row["parameters"])
        if row["price"] is not None:
            quality = next(filter(None, map(made.arguments.get, costs.PRICED_PARAMETERS)), None)
            cost = pricing.price_of(
                row["price"], row["price_unit"], *size, details=row["price_details"], quality=quality
            )
            assert Decimal("0.0005") < cost < 1, (slug, provider, mode)


def test_every_known_price_has_its_source_and_the_day_it_was_seen(shipped):
    for key, row in shipped.offerings.items():
        has_source = bool(row["price_source"])
        assert has_source if row["price"] is not None else not has_source or row["price_on_request"], key
        assert row["price"] is None or row["price_seen_on"] or row["price_source"] == "Not verified", key


def test_the_headline_price_is_that_of_the_settings_an_offering_sends(shipped):
    for key, row in shipped.offerings.items():
        if row["price_unit"] == "image-by-quality":
            sent = next(filter(None, map(row["parameters"]["sends"].get, costs.PRICED_PARAMETERS)))
            of_quality = row["price_details"][sent]
            amount = of_quality["1024x1024"] if isinstance(of_quality, dict) else of_quality
            assert row["price"] == Decimal(amount), key
        if row["price_unit"] == "image-by-tier":
            assert row["price"] == Decimal(row["price_details"]["1K"]), key


def test_nothing_inactive_goes_unexplained(shipped):
    for (slug, provider, mode), row in shipped.offerings.items():
        explained = row["note"] or shipped.image_models[slug]["note"] or shipped.image_models[slug]["retired_at"]
        assert row["is_active"] or explained, (slug, provider, mode)


def test_a_model_that_cannot_be_asked_says_why(shipped):
    for slug, model in shipped.image_models.items():
        offerings = [row for key, row in shipped.offerings.items() if key[0] == slug]
        explained = model["note"] or model["retired_at"] or (offerings and all(row["note"] for row in offerings))
        assert explained or any(row["is_active"] for row in offerings), slug


def test_an_active_offering_has_a_price_or_says_that_the_provider_has_to_be_asked(shipped):
    for key, row in shipped.offerings.items():
        assert not row["is_active"] or row["price"] is not None or row["price_on_request"], key


def test_no_parameter_of_an_offering_brings_images_that_nobody_counts(shipped):
    for key, row in shipped.offerings.items():
        for accepted in row["parameters"].get("accepts", ()):
            most = accepted.get("maximum", 2)
            values = accepted.get("enum", []) if accepted["type"] == "string" else [most]
            assert not any(native.multiplies(accepted["name"], value) for value in values), (key, accepted["name"])


def test_retired_models_have_no_active_offerings(shipped):
    retired = {slug for slug, row in shipped.image_models.items() if row["retired_at"]}
    assert {"gpt-image-1", "dall-e-3", "imagen-4.0-generate-001"} <= retired
    assert not [key for key, row in shipped.offerings.items() if key[0] in retired and row["is_active"]]


def test_every_sample_model_is_sold_by_the_simulator_only_and_its_price_is_labelled(shipped, settings):
    samples = {slug: row for slug, row in shipped.image_models.items() if row["origin"] == "sample"}
    assert {slug: (row["name"], row["description"]) for slug, row in samples.items()} == {
        model.slug: (model.name, model.description) for model in SAMPLE_MODELS
    }
    wires = {slug: set() for slug in samples}
    for (slug, provider, mode), row in shipped.offerings.items():
        assert (slug in samples) == provider.startswith("simulated-")
        if slug in samples:
            wires[slug].add(provider)
            assert mode in samples[slug]["modes"]
            assert row["price_source"] == "Simulated price of a sample model"
            assert row["price_estimated"]
    speaks = {key for key, config in settings.PROVIDERS.items() if config.get("simulated")}
    assert set.union(*wires.values()) == speaks
    assert len({settings.PROVIDERS[key]["adapter"] for key in speaks}) == 5  # every wire format there is
    assert sum(len(providers) == 2 for providers in wires.values()) >= 2  # so that there is something to fall back on


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("mode", ["text-to-image", "edit"])
def test_sample_models_are_made_in_the_wire_formats_of_one_image_a_call_as_the_catalogue_has_it(request, mode):
    catalog.load()
    request.getfixturevalue("simulated")  # which hides all other providers
    image = SourceImage(make.picture("a source", 300, 200), "image/png")
    expected = ImageRequest(
        "A kite", mode=mode, aspect_ratio="4:3", resolution="1K", images=(image,) * (mode == "edit")
    )
    for provider in ("simulated-bfl", "simulated-gemini"):
        offering = Offering.objects.get(provider=provider, mode=mode)
        generated = routing.generate(offering.image_model, expected, "arena", time_limit=30, provider=provider)
        width, height = generated.images[0].size
        assert width / height == pytest.approx(4 / 3, rel=0.03)
        assert generated.call.cost > 0


@pytest.mark.django_db
def test_the_shipped_catalogue_loads_and_a_second_load_changes_nothing(shipped):
    report = catalog.load()
    assert len(report.created) == len(shipped.labs) + len(shipped.image_models) + len(shipped.offerings)
    before = list(Offering.objects.order_by("pk").values())
    again = catalog.load()
    assert (again.created, again.updated, again.edited) == ([], [], [])
    assert len(again.unchanged) == len(report.created)
    assert list(Offering.objects.order_by("pk").values()) == before
    assert Price.objects.count() == Offering.objects.exclude(price=None).count()
