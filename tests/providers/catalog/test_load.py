"""Loading the catalogue again and again into a database that people edit."""

from __future__ import annotations

import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction

from providers.catalog import load as catalog
from providers.models import ImageModel, Lab, Offering, Price

from .small import SMALL


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


# Loading


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
