"""The catalogue we ship, and what loading it again and again does to a database that people edit."""

from __future__ import annotations

import datetime
import io
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from PIL import Image

from providers import routing
from providers.catalog import load as catalog
from providers.models import ImageModel, Lab, Offering, Price
from providers.offering import native, normalisation, pricing
from providers.request import ImageRequest, SourceImage
from providers.samples.renderer import SAMPLE_MODELS
from tests import factories as make

SMALL = """
[labs]
north = "North"

[parameters.prompt]
type = "string"
group = "core"
required = true

[parameters.steps]
type = "integer"
group = "additional"
target = "num_steps"

[families.square]
takes = ["prompt"]
size = { family = "list", field = "size", sizes = ["1024x1024"] }

[families.square-edit]
like = "square"
takes_also = ["steps"]
set = { steps = { minimum = 1, maximum = 8 } }
images = { field = "image_urls" }
size = { auto = { size = "auto" } }

[[models]]
slug = "kite-1.0"
name = "Kite"
lab = "north"
released = 2026-01-15
modes = ["text-to-image", "edit"]

[[models.offerings]]
provider = "fal"
mode = "text-to-image"
endpoint = "north/kite"
family = "square"
price = "0.04"
source = "North's price list"
seen = 2026-11-22

[[models.offerings]]
provider = "fal"
mode = "edit"
endpoint = "north/kite/edit"
family = "square-edit"
active = false
"""


@pytest.fixture
def small(tmp_path: Path):
    """Loads SMALL with some text replaced."""

    def load(*changes: tuple[str, str]) -> catalog.LoadReport:
        text = SMALL
        for old, new in changes:
            assert old in text, f"{old!r} is not in the file"
            text = text.replace(old, new, 1)
        path = tmp_path / "catalog.toml"
        path.write_text(text, encoding="utf-8")
        return catalog.load(path)

    return load


# The catalogue we ship


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
            quality = made.arguments.get("quality")
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
            of_quality = row["price_details"][row["parameters"]["sends"]["quality"]]
            assert row["price"] == Decimal(of_quality["1024x1024"]), key
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


# Loading


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


@pytest.mark.django_db
def test_rows_have_what_the_file_says(small):
    small()
    kite = ImageModel.objects.get(slug="kite-1.0")
    assert (kite.lab.name, kite.released_on, kite.origin) == ("North", datetime.date(2026, 1, 15), "catalog")
    make, edit = kite.offerings.order_by("-mode")
    assert (make.price, make.price_unit, make.is_active) == (Decimal("0.04"), "image", True)
    assert make.parameters["ignores"] == ["steps"]
    assert edit.parameters["accepts"][1] == {
        "name": "steps", "type": "integer", "group": "additional", "behaviour": "renamed", "target": "num_steps",
        "minimum": 1, "maximum": 8,
    }  # fmt: skip
    assert edit.parameters["size"]["auto"] == {"size": "auto"}
    assert (edit.price, edit.is_active) == (None, False)


@pytest.mark.django_db
def test_a_change_in_the_file_reaches_rows_that_nobody_edited(small):
    small()
    report = small(('name = "Kite"', 'name = "Kite I"'), ('price = "0.04"', 'price = "0.03"'))
    assert report.updated == ["Kite I", "fal/kite-1.0 (text-to-image)"]
    assert report.edited == []
    assert ImageModel.objects.get().name == "Kite I"


@pytest.mark.django_db
def test_an_edit_in_the_admin_survives_and_the_rest_of_its_row_is_still_brought_up_to_date(small):
    small()
    offering = Offering.objects.get(mode="text-to-image")
    offering.price, offering.is_active = Decimal("0.05"), False
    offering.save()
    Lab.objects.update(name="North Lab")

    report = small(('price = "0.04"', 'price = "0.03"'), ('"north/kite"', '"north/kite-2"'))
    assert report.edited == [
        "North Lab: name",
        "fal/kite-1.0 (text-to-image): price",
        "fal/kite-1.0 (text-to-image): is_active",
    ]
    assert report.updated == ["fal/kite-1.0 (text-to-image)"]
    offering.refresh_from_db()
    assert (offering.price, offering.is_active, offering.endpoint) == (Decimal("0.05"), False, "north/kite-2")

    offering.price = Decimal("0.03")  # back to what the file says: from here on the file leads again
    offering.save()
    small(('price = "0.04"', 'price = "0.03"'))
    small(('price = "0.04"', 'price = "0.02"'))
    offering.refresh_from_db()
    assert offering.price == Decimal("0.02")


@pytest.mark.django_db
def test_a_row_that_a_curator_made_first_stays_as_made(small):
    ImageModel.objects.create(slug="kite-1.0", name="My kite")
    report = small()
    assert "My kite: name" in report.edited
    assert ImageModel.objects.get().name == "My kite"


@pytest.mark.django_db
def test_a_row_that_leaves_the_file_stays(small):
    small()
    report = small((SMALL[SMALL.index("[[models.offerings]]") :], ""))
    assert Offering.objects.count() == 2
    assert report.updated == []


@pytest.mark.django_db
def test_a_bad_file_loads_nothing(small):
    with pytest.raises(catalog.CatalogError):
        small(('mode = "edit"', 'mode = "sculpture"'))
    assert not Lab.objects.exists()


# Price history


@pytest.mark.django_db
def test_price_history_grows_when_a_price_moves_by_load_or_by_hand_and_only_then(small):
    small()
    small()
    small(('price = "0.04"', 'price = "0.03"'))
    offering = Offering.objects.get(mode="text-to-image")
    offering.note = "Seen again."
    offering.save()
    offering.price = Decimal("0.030000")
    offering.save(update_fields=["price"])
    offering.price, offering.price_estimated = Decimal("0.02"), True
    offering.save()
    history = [(row.price, row.estimated, row.source) for row in offering.prices.order_by("pk")]
    source = "North's price list"
    assert history == [
        (Decimal("0.04"), False, source),
        (Decimal("0.03"), False, source),
        (Decimal("0.02"), True, source),
    ]
    assert str(offering.prices.first()).startswith("$0.02 per image since ")


@pytest.mark.django_db
def test_a_price_that_is_withdrawn_is_part_of_its_history(small):
    small()
    small(('price = "0.04"\n', ""))
    assert [row.price for row in Price.objects.order_by("pk")] == [Decimal("0.04"), None]


@pytest.mark.django_db
@pytest.mark.parametrize("values", [{"price": Decimal("-1"), "price_unit": "image"}, {"price_unit": "furlong"}])
def test_postgres_refuses_a_past_price_that_cannot_be_true(small, values):
    small()
    with pytest.raises(IntegrityError), transaction.atomic():
        Price.objects.create(offering=Offering.objects.first(), **values)


# Mistakes


def line_of(text: str, nth: int = 1) -> int:
    return [number for number, line in enumerate(SMALL.splitlines(), 1) if line.startswith(text)][nth - 1]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ('price = "0.04"', "price = 0.04", line_of("price"), "offering fal (text-to-image): price: 0.04 is not a text"),
        ('price = "0.04"', 'price = "dear"', line_of("price"), "price: 'dear' is not an amount; write US dollars"),
        ('price = "0.04"', 'unit = "furlong"', line_of("price"), "unit: Value 'furlong' is not a valid choice"),
        ('price = "0.04"', 'colour = "red"', line_of("price"), "colour: is not known; write one of provider, mode,"),
        ('lab = "north"', 'lab = "south"', line_of("lab"), "model 'kite-1.0': lab: 'south' is not among [labs]"),
        ('name = "Kite"\n', "", line_of("[[models]]"), "model 'kite-1.0': name: is missing"),
        ("released = 2026-01-15", 'released = "soon"', line_of("released"), "released: 'soon' is not a date like"),
        ('slug = "kite-1.0"', 'slug = "Kite"', line_of("slug"), "model 'Kite': slug: Use lower-case letters"),
        (
            'modes = ["text-to-image", "edit"]',
            'modes = ["edit"]',
            line_of("mode ="),
            "mode: 'text-to-image' is not among",
        ),
        ('provider = "fal"', 'provider = "lab"', line_of("provider"), "provider: is not known; write one of fal,"),
        ('family = "square"', 'family = "round"', line_of("family", 1), "family: there is no [families.round]"),
        ('mode = "edit"', 'mode = "text-to-image"', line_of("mode =", 2), "this provider and mode are there twice"),
        (
            'takes = ["prompt"]',
            'takes = ["song"]',
            line_of("takes"),
            "family 'square': takes: there is no [parameters.song]",
        ),
        ('like = "square"', 'like = "circle"', line_of("like"), "like: 'circle' is not an earlier family"),
        ("set = { steps", "set = { stops", line_of("set"), "set: 'stops' is not among what it takes"),
        (
            'group = "core"',
            'group = "hard"',
            line_of("[families.square]"),
            "accepts.prompt.group: 'hard' is not one of",
        ),
        ('["1024x1024"]', '["large"]', line_of("[families.square]"), "size.sizes: 'large' is not a size"),
        ("[labs]", "[places]\n[labs]", line_of("[labs]"), "places: is not known; write labs, parameters"),
        ('source = "', f'source = "{"x" * 300}', line_of("source"), "source: Ensure this value has at most 200"),
        ('name = "Kite"', 'name = "Kite', line_of("name"), ""),
    ],
)
def test_a_mistake_is_named_by_line_row_and_field(tmp_path, old, new, line, says):
    path = tmp_path / "catalog.toml"
    assert old in SMALL
    path.write_text(SMALL.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(catalog.CatalogError) as error:
        catalog.read(path)
    if not says:  # tomllib's own words
        assert f"line {line}" in str(error.value)
        return
    assert any(row.startswith(f"catalog.toml:{line}: ") and says in row for row in error.value.problems), str(
        error.value
    )


def test_all_mistakes_are_reported_together(tmp_path):
    path = tmp_path / "catalog.toml"
    bad = SMALL.replace('price = "0.04"', 'price = "dear"').replace('lab = "north"', 'lab = "south"')
    path.write_text(bad + SMALL[SMALL.index("[[models]]") :], encoding="utf-8")
    with pytest.raises(catalog.CatalogError) as error:
        catalog.read(path)
    assert len(error.value.problems) == 3  # and the slug that is there twice
    assert "slug: is there twice" in str(error.value)


# The command


@pytest.mark.django_db
def test_the_command_says_what_it_did(capsys):
    call_command("load_catalog")
    call_command("load_catalog")
    first, second = capsys.readouterr().out.splitlines()
    assert first.endswith("0 updated, 0 unchanged, 0 fields left as edited here.")
    assert second.startswith("Catalogue: 0 created, 0 updated, ")


@pytest.mark.django_db
def test_the_command_lists_the_problems_and_loads_nothing(tmp_path):
    path = tmp_path / "catalog.toml"
    path.write_text(SMALL.replace('lab = "north"', 'lab = "south"'), encoding="utf-8")
    with pytest.raises(CommandError, match=r"Nothing was loaded: 1 problem\.\ncatalog.toml:\d+: model 'kite-1.0': lab"):
        call_command("load_catalog", str(path))
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_catalog", str(tmp_path / "missing.toml"))
