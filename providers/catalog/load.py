"""Loading the catalogue we ship: catalog.toml into the database, any number of times.

An edit in the admin survives a load. Each row remembers what the last load wrote (`from_catalog`), so a field that
differs from that was changed by a curator and stays. A row that leaves the file stays in the database: what was
called or voted on cannot vanish. To withdraw an offering, ship it with `active = false`.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

from django.db import connection, transaction

from providers.catalog.file import SHIPPED, Catalog, CatalogError, read
from providers.models import ImageModel, Lab, Offering

__all__ = ["SHIPPED", "Catalog", "CatalogError", "LoadReport", "load", "read"]

Row = TypeVar("Row", Lab, ImageModel, Offering)

_LOCK = 0x0CA7A106  # two processes that start together load one after the other


@dataclass(slots=True)
class LoadReport:
    """What a load did: rows by name, and in `edited` the fields that a curator had changed."""

    created: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    edited: list[str] = field(default_factory=list)

    def __str__(self) -> str:
        rows = f"{len(self.created)} created, {len(self.updated)} updated, {len(self.unchanged)} unchanged"
        return f"{rows}, {len(self.edited)} fields left as edited here"


def load(path: Path | None = None) -> LoadReport:
    """Write the catalogue into the database, all of it or nothing. CatalogError lists all that is wrong in the file."""
    catalog = read(path or SHIPPED)
    report = LoadReport()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_LOCK])
        known_labs = {row.slug: row for row in Lab.everything.all()}
        labs = {
            slug: _write(known_labs.get(slug) or Lab(slug=slug), values, report)
            for slug, values in catalog.labs.items()
        }
        known_models = {row.slug: row for row in ImageModel.everything.select_related("lab")}
        image_models = {
            slug: _write(
                known_models.get(slug) or ImageModel(slug=slug), {**values, "lab": labs[values["lab"]]}, report
            )
            for slug, values in catalog.image_models.items()
        }
        known_offerings = {
            (row.image_model.slug, row.provider, row.mode): row
            for row in Offering.objects.select_related("image_model")
        }
        for key, values in catalog.offerings.items():
            slug, provider, mode = key
            new = Offering(image_model=image_models[slug], provider=provider, mode=mode)
            _write(known_offerings.get(key) or new, values, report)
    return report


def _write(row: Row, values: Mapping[str, Any], report: LoadReport) -> Row:
    """Store a new row, or bring the fields up to date that nobody has changed since the last load."""
    theirs = {column: _plain(value) for column, value in values.items()}
    if row.pk is None:
        for column, value in {**values, "from_catalog": theirs}.items():
            setattr(row, column, value)
        row.save()
        report.created.append(str(row))
        return row
    base: dict[str, Any] = dict(row.from_catalog)
    changed: list[str] = []
    for column, value in values.items():
        mine = _plain(getattr(row, column))
        if mine == theirs[column]:
            base[column] = mine
        elif column in base and mine == base[column]:
            setattr(row, column, value)
            base[column] = theirs[column]
            changed.append(column)
        else:
            report.edited.append(f"{row}: {column}")
    if changed or base != row.from_catalog:
        row.from_catalog = base
        row.save(update_fields=[*changed, "from_catalog"])
    (report.updated if changed else report.unchanged).append(str(row))
    return row


def _plain(value: Any) -> Any:
    """A column's value as JSON keeps it, so that what was written and what is there can be compared."""
    match value:
        case Lab():
            return value.slug
        case Decimal():
            return f"{value.normalize():f}"
        case datetime.date():
            return value.isoformat()
        case _:
            return value
