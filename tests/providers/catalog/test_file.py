"""Mistakes in a catalogue file: all of them, by line, row and field."""

from __future__ import annotations

import pytest

from providers.catalog import load as catalog

from .small import SMALL


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
