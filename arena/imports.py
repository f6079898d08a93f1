"""Votes cast elsewhere: read whole, checked whole, taken whole or not at all. The same file twice changes nothing."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass

from django.db import connection, transaction
from django.utils.text import slugify

from providers.models import ImageModel

from . import votefiles
from .models import Category, VoteFile
from .votefiles import BadVotes, Report, Row

__all__ = ["BadVotes", "Import", "import_votes"]


@dataclass(frozen=True, slots=True)
class Import:
    """What an import did, or would do: `new` is False when the category already holds this very file."""

    rows: int
    models: tuple[str, ...]
    new: bool


def import_votes(
    data: bytes,
    category: Category,
    source: str,
    *,
    kind: str = "csv",
    dry_run: bool = False,
    report: Report = votefiles.silent,
) -> Import:
    """Take a file of votes (`kind`: csv, jsonl, parquet) into the category and its tallies, in one transaction.

    Columns: left, right, outcome (left, right, tie, both_bad), and optionally voter, prompt and time (ISO 8601). Models
    are known by their slug or name; an unknown name becomes a model marked "imported". Raises BadVotes, with nothing
    stored. `report` hears how far it is.
    """
    rows = votefiles.read(data, kind, report)
    names = tuple(sorted({name for row in rows for name in (row.left, row.right)}))
    digest = hashlib.sha256(data).hexdigest()
    known = VoteFile.objects.filter(category=category, sha256=digest).exists()
    if not known and not dry_run:
        with transaction.atomic():
            file = VoteFile(
                category=category,
                source=source,
                sha256=digest,
                rows=len(rows),
                is_dated=all(row.is_dated for row in rows),
            )
            _store(rows, _models(names), file, report)
    return Import(len(rows), names, new=not known)


def _models(names: tuple[str, ...]) -> dict[str, ImageModel]:
    """Name → model: by slug, else by name, else a new one marked "imported"."""
    by_name = {each.name: each for each in ImageModel.objects.filter(name__in=names)}
    by_slug = {each.slug: each for each in ImageModel.objects.filter(slug__in=names)}
    found = by_name | by_slug
    for name in names:
        if name not in found:
            found[name] = ImageModel.objects.create(name=name, slug=_free_slug(name), origin=ImageModel.Origin.IMPORTED)
    return found


def _free_slug(name: str) -> str:
    """A slug made from any name, in any script; names that come out alike get a digest behind."""
    slug = re.sub(r"([._-])[._-]+", r"\1", slugify(name.replace(".", "-"))).strip("._-")[:100].strip("._-") or "model"
    if not ImageModel.objects.filter(slug=slug).exists():
        return slug
    return f"{slug}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _store(rows: list[Row], models: dict[str, ImageModel], file: VoteFile, report: Report) -> None:
    """COPY the votes in, then move the tallies by their sums: one upsert per cell, not per vote."""
    file.save()
    connection.ensure_connection()
    with connection.cursor() as cursor:
        # Django's wrapper has no copy(); psycopg's own cursor lies beneath it.
        with cursor.cursor.copy(
            "COPY arena_importedvote"
            " (file_id, line, voter_key, prompt_key, left_model_id, right_model_id, outcome, day) FROM STDIN"
        ) as copy:
            for done, row in enumerate(rows, start=1):
                report("stored", done)
                copy.write_row(
                    (
                        file.pk,
                        row.line,
                        row.voter,
                        row.prompt,
                        models[row.left].pk,
                        models[row.right].pk,
                        row.outcome,
                        row.day,
                    )
                )
        cells = Counter((row.day, models[row.left].pk, models[row.right].pk, row.outcome) for row in rows)
        cursor.executemany(
            """
            INSERT INTO arena_tally (category_id, day, left_model_id, right_model_id, outcome, n, changed_at)
            VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp())
            ON CONFLICT (category_id, day, left_model_id, right_model_id, outcome)
            DO UPDATE SET n = arena_tally.n + excluded.n, changed_at = clock_timestamp()
            """,
            [(file.category_id, *cell, n) for cell, n in sorted(cells.items())],
        )
