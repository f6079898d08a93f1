"""Reading catalog.toml: every mistake found at once, each with its line, row and field.

[labs]                  slug = name
[parameters.KEY]        one parameter as Offering.parameters has it; `name` is KEY unless given, behaviour follows
[families.NAME]         takes = [KEY, ...], set = { name = {...} } (more about one of them), size, n, images, sends,
                        partial_images;
                        like = NAME starts from an earlier family, takes_also adds to its list, and size without a
                        family of its own adds to its size
[[models]]              slug, name, lab, description, released, licence, open_weights, modes, retired, origin, note
[[models.offerings]]    provider, mode, endpoint, family, price (as text), unit, details, estimated, source, seen,
                        active, note, tokens (USD per million), ask_provider, ends; and size, n, images, sends,
                        partial_images in place of the family's
"""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models

from providers.models import ImageModel, Lab, Offering
from providers.offering import normalisation, pricing
from providers.offering.parameters import behaviour_of

SHIPPED = Path(__file__).with_name("catalog.toml")

Table = dict[str, Any]
Place = tuple[str | int, ...]  # ("models", 3, 0) is the first offering of the fourth model

_FAMILY: dict[str, type] = {
    "like": str, "takes": list, "takes_also": list, "set": dict, "size": dict, "n": dict, "images": dict, "sends": dict,
    "partial_images": int,
}  # fmt: skip
_MODEL: dict[str, type] = {
    "slug": str, "name": str, "lab": str, "description": str, "released": datetime.date, "licence": str,
    "open_weights": bool, "modes": list, "retired": datetime.date, "origin": str, "note": str, "offerings": list,
}  # fmt: skip
_OFFERING: dict[str, type] = {
    "provider": str, "mode": str, "endpoint": str, "family": str, "price": str, "unit": str, "details": dict,
    "estimated": bool, "source": str, "seen": datetime.date, "active": bool, "note": str, "size": dict, "n": dict,
    "images": dict, "sends": dict, "partial_images": int, "tokens": dict, "ask_provider": bool, "ends": datetime.date,
}  # fmt: skip
_KINDS: dict[type, str] = {
    str: "a text", int: "a whole number", bool: "true or false", list: "a list", dict: "a table",
    datetime.date: "a date like 2026-01-31",
}  # fmt: skip
# Columns whose name in the file is shorter.
_IN_FILE = {
    "price_unit": "unit", "price_details": "details", "price_estimated": "estimated", "price_source": "source",
    "price_seen_on": "seen", "price_on_request": "ask_provider", "ends_on": "ends",
    "is_active": "active", "released_on": "released", "retired_at": "retired",
}  # fmt: skip


class CatalogError(ValueError):
    """The file cannot be loaded; `problems` says everything that is wrong with it."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(slots=True)
class Catalog:
    """The file, read and checked: column values, ready to be written."""

    labs: dict[str, Table] = field(default_factory=dict)
    image_models: dict[str, Table] = field(default_factory=dict)  # `lab` is a slug
    offerings: dict[tuple[str, str, str], Table] = field(default_factory=dict)  # by model, provider, mode


def read(path: Path = SHIPPED) -> Catalog:
    """The catalogue of a TOML file. Raises CatalogError with every problem and its line."""
    text = path.read_text(encoding="utf-8")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CatalogError([f"{path.name}: {error}"]) from error
    reader = _Reader(path.name, _lines(text), tables)
    catalog = reader.read()
    if reader.problems:
        raise CatalogError(reader.problems)
    return catalog


class _Reader:
    def __init__(self, name: str, lines: Mapping[Place, int], tables: Table) -> None:
        self.name, self.lines, self.tables = name, lines, tables
        self.problems: list[str] = []
        self.families: dict[str, Table | None] = {}  # expanded; None for those with a problem of their own

    def problem(self, place: Place, row: str, field: str, text: str) -> None:
        line = self.lines.get((*place, field)) or self.lines.get(place) or 1
        self.problems.append(f"{self.name}:{line}: {row}{field and f': {field}'}: {text}")

    def read(self) -> Catalog:
        catalog = Catalog()
        for key in self.tables.keys() - {"labs", "parameters", "families", "models"}:
            self.problem((key,), key, "", "is not known; write labs, parameters, families or models")
        for slug, name in self.tables.get("labs", {}).items():
            catalog.labs[slug] = {"name": name}
            self.check_columns(("labs",), f"lab {slug!r}", Lab(slug=slug, name=name))
        for name, family in self.tables.get("families", {}).items():
            self.families[name] = self.family(name, family)
        for index, table in enumerate(self.tables.get("models", [])):
            self.image_model(catalog, ("models", index), table)
        return catalog

    def shape(self, place: Place, row: str, table: Table, kinds: Mapping[str, type], *required: str) -> bool:
        """Unknown keys, wrong types and missing keys; False when what follows could not be trusted."""
        before = len(self.problems)
        for key, value in table.items():
            if key not in kinds:
                self.problem(place, row, key, f"is not known; write one of {', '.join(kinds)}")
            elif not isinstance(value, kinds[key]) or isinstance(value, datetime.datetime):
                self.problem(place, row, key, f"{value!r} is not {_KINDS[kinds[key]]}")
        for key in required:
            if key not in table:
                self.problem(place, row, key, "is missing")
        return len(self.problems) == before

    # Families

    def family(self, name: str, table: Table) -> Table | None:
        place, row = ("families", name), f"family {name!r}"
        if not self.shape(place, row, table, _FAMILY):
            return None
        base: Table = {}
        if "like" in table:
            if table["like"] not in self.families:
                self.problem(place, row, "like", f"{table['like']!r} is not an earlier family")
            parent = self.families.get(table["like"])
            if parent is None:  # its own problem is reported where it is
                return None
            base = parent
        rows: list[Table] = [] if "takes" in table else list(base.get("accepts", []))
        for key in ("takes", "takes_also"):
            for taken in table.get(key, []):
                if taken in self.tables.get("parameters", {}):
                    rows.append(self.parameter(taken))
                else:
                    self.problem(place, row, key, f"there is no [parameters.{taken}]")
        for taken, more in table.get("set", {}).items():
            if taken not in {accepted["name"] for accepted in rows}:
                self.problem(place, row, "set", f"{taken!r} is not among what it takes")
            rows = [accepted | more if accepted["name"] == taken else accepted for accepted in rows]
        parameters = self.replaced(base, table) | {"accepts": rows}
        problems = normalisation.check(parameters)
        for text in problems:
            self.problem(place, row, "", text)
        return None if problems else parameters

    def parameter(self, key: str) -> Table:
        table: Table = {"name": key, **self.tables["parameters"][key]}
        return {"behaviour": behaviour_of(table), **table}

    @staticmethod
    def replaced(base: Table, table: Table) -> Table:
        """`base` with what `table` replaces; a size without a family of its own is added to."""
        keys = ("size", "n", "images", "sends", "partial_images")
        merged: Table = base | {key: table[key] for key in keys if key in table}
        if "size" in table and "family" not in table["size"]:
            merged["size"] = {**base.get("size", {}), **table["size"]}
        return merged

    # Models and offerings

    def image_model(self, catalog: Catalog, place: Place, table: Table) -> None:
        slug = str(table.get("slug", "without slug"))
        row = f"model {slug!r}"
        if not self.shape(place, row, table, _MODEL, "slug", "name", "lab", "modes"):
            return
        if slug in catalog.image_models:
            self.problem(place, row, "slug", "is there twice")
            return
        if table["lab"] not in catalog.labs:
            self.problem(place, row, "lab", f"{table['lab']!r} is not among [labs]")
        retired: datetime.date | None = table.get("retired")
        values: Table = {
            "name": table["name"],
            "description": table.get("description", ""),
            "released_on": table.get("released"),
            "licence": table.get("licence", ""),
            "open_weights": table.get("open_weights", False),
            "modes": table["modes"],
            "origin": table.get("origin", ImageModel.Origin.CATALOG.value),
            "note": table.get("note", ""),
            "retired_at": retired and datetime.datetime.combine(retired, datetime.time(), datetime.UTC),
        }
        self.check_columns(place, row, ImageModel(slug=slug, **values))
        catalog.image_models[slug] = {**values, "lab": table["lab"]}
        offerings = [
            self.offering(catalog, (*place, index), slug, table["modes"], child)
            for index, child in enumerate(table.get("offerings", []))
        ]
        siblings = [parameters for parameters in offerings if parameters is not None]
        named = {child["name"] for parameters in siblings for child in parameters.get("accepts", [])}
        for parameters in siblings:
            own = {child["name"] for child in parameters.get("accepts", [])}
            if ignores := sorted(named - own - normalisation.EMULATED.keys() - {"prompt", "seed"}):
                parameters["ignores"] = ignores

    def offering(self, catalog: Catalog, place: Place, slug: str, modes: list[str], table: Table) -> Table | None:
        """Read one offering; returns its parameters, which get what its siblings accept added."""
        key = (slug, str(table.get("provider")), str(table.get("mode")))
        row = f"model {slug!r}, offering {key[1]} ({key[2]})"
        if not self.shape(place, row, table, _OFFERING, "provider", "mode", "endpoint"):
            return None
        if key in catalog.offerings:
            self.problem(place, row, "mode", "this provider and mode are there twice")
        if table["mode"] not in modes:
            self.problem(place, row, "mode", f"{table['mode']!r} is not among the modes of the model")
        if table["provider"] not in settings.PROVIDERS:
            self.problem(place, row, "provider", f"is not known; write one of {', '.join(settings.PROVIDERS)}")
        parameters: Table | None = {}
        if "family" in table:
            if table["family"] not in self.families:
                self.problem(place, row, "family", f"there is no [families.{table['family']}]")
            parameters = self.families.get(table["family"])
        if parameters is not None:
            parameters = self.replaced(parameters, table)
            for text in normalisation.check(parameters):
                self.problem(place, row, text.partition(".")[0], text)
        values: Table = {
            "endpoint": table["endpoint"],
            "parameters": parameters or {},
            "price": self.amount(place, row, table),
            "price_unit": table.get("unit", Offering.Unit.IMAGE.value),
            "price_details": table.get("details", {}) | ({"tokens": table["tokens"]} if "tokens" in table else {}),
            "price_estimated": table.get("estimated", False),
            "price_source": table.get("source", ""),
            "price_seen_on": table.get("seen"),
            "price_on_request": table.get("ask_provider", False),
            "is_active": table.get("active", True),
            "ends_on": table.get("ends"),
            "note": table.get("note", ""),
        }
        if values["price_unit"] in pricing.UNITS:
            for text in pricing.check(values["price"], values["price_unit"], values["price_details"]):
                self.problem(place, row, "price", text)
        if values["price"] is not None and values["price_on_request"]:
            self.problem(place, row, "ask_provider", "is true, but there is a price")
        self.check_columns(place, row, Offering(provider=key[1], mode=key[2], **values))
        catalog.offerings[key] = values
        return parameters

    def amount(self, place: Place, row: str, table: Table) -> Decimal | None:
        """Prices are text in the file: TOML's numbers are binary and would carry their rounding into every bill."""
        try:
            return Decimal(table["price"]) if "price" in table else None
        except InvalidOperation:
            self.problem(place, row, "price", f'{table["price"]!r} is not an amount; write US dollars, like "0.015"')
            return None

    def check_columns(self, place: Place, row: str, instance: models.Model) -> None:
        """Ask the columns themselves: lengths, choices, slugs."""
        try:
            instance.clean_fields(exclude=["image_model", "lab"])
        except ValidationError as error:
            for column, messages in error.message_dict.items():
                for message in messages:
                    self.problem(place, row, _IN_FILE.get(column, column), message)


# Lines ───────────────────────────────────────────────────────────────────────────────────────────────────────────────

_HEADER = re.compile(r"\s*\[\[?([^\[\]]+)\]\]?\s*(#.*)?")
_KEY = re.compile(r"\s*(?:\"([^\"]+)\"|([A-Za-z0-9_-]+))\s*=")
_PART = re.compile(r"\"([^\"]+)\"|([^.\s]+)")


def _lines(text: str) -> dict[Place, int]:
    """Where each table and each key of it begins. tomllib does not say, and a file this long is not read by eye."""
    numbers: dict[Place, int] = {}
    place: Place = ()
    model = offering = -1
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.fullmatch(line):
            path: Place = tuple(quoted or bare for quoted, bare in _PART.findall(header[1]))
            if path == ("models",):
                model, offering = model + 1, -1
            elif path == ("models", "offerings"):
                offering += 1
            if path[:2] == ("models", "offerings"):
                place = ("models", model, offering, *path[2:])
            else:
                place = ("models", model, *path[1:]) if path[0] == "models" else path
            numbers.setdefault(place, number)
        elif key := _KEY.match(line):
            numbers.setdefault((*place, key[1] or key[2]), number)
    return numbers
