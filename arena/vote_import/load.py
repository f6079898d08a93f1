"""Votes cast elsewhere: read whole, checked whole, taken whole or not at all. The same file twice changes nothing."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

from django.db import connection, transaction
from django.utils.text import slugify

from arena.models import Category, VoteFile
from arena.vote_import import files
from arena.vote_import.files import BadVotes, CsvVote, ProgressCallback
from providers.models import ImageModel

__all__ = ["BadVotes", "ImportResult", "import_votes"]


@dataclass(frozen=True, slots=True)
class ImportResult:
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
    report: ProgressCallback = files.silent,
) -> ImportResult:
    """Take a file of votes (`kind`: csv, jsonl, parquet) into the category and its tallies, in one transaction.

    Columns: left, right, outcome (left, right, tie, both_bad), and optionally voter, prompt and time (ISO 8601). Models
    are known by their slug or name; an unknown name becomes a model marked "imported". Raises BadVotes, with nothing
    stored. `report` hears how far it is.
    """
    rows = files.read(data, kind, report)
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
    return ImportResult(len(rows), names, new=not known)


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


def _store(rows: list[CsvVote], models: dict[str, ImageModel], file: VoteFile, report: ProgressCallback) -> None:
    """COPY the votes in, then move the tallies by their sums: one upsert per cell, not per vote."""
    file.save()
    cells = Counter(map(_CELL, rows))
    ids = {name: model.pk for name, model in models.items()}
    connection.ensure_connection()
    with connection.cursor() as cursor:
        # What one COPY stored is checked at its end (see `ImportedVote`), so it shall fit into memory.
        cursor.execute("SELECT set_config('work_mem', '64MB', true)")
        copied = _CopyRows(file.pk, cells, ids)
        for start in range(0, len(rows), _BLOCK):
            block = rows[start : start + _BLOCK]
            # Django's wrapper has no copy(); psycopg's own cursor lies beneath it.
            with cursor.cursor.copy(
                "COPY arena_importedvote"
                " (file_id, line, voter_key, prompt_key, left_model_id, right_model_id, outcome, day) FROM STDIN"
            ) as copy:
                for first in range(0, len(block), _REPORTED):
                    some = block[first : first + _REPORTED]
                    copy.write(copied.text(some))
                    report("stored", start + first + len(some))
        cursor.executemany(
            """
            INSERT INTO arena_tally (category_id, day, left_model_id, right_model_id, outcome, n, changed_at)
            VALUES (%s, %s, %s, %s, %s, %s, clock_timestamp())
            ON CONFLICT (category_id, day, left_model_id, right_model_id, outcome)
            DO UPDATE SET n = arena_tally.n + excluded.n, changed_at = clock_timestamp()
            """,
            sorted(
                (file.category_id, day, ids[left], ids[right], *rest, n)
                for (day, left, right, *rest), n in cells.items()
            ),
        )


_BLOCK = 100_000  # votes stored by one COPY
_REPORTED = 10_000  # … given to it at a time; a divisor of what the command reports after
_CELL = attrgetter("day", "left", "right", "outcome")
_ESCAPED = str.maketrans({"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"})


class _CopyRows:
    """Rows in COPY's text format. Made from pieces, for a file says the same few things in all of its lines."""

    def __init__(self, file: int, cells: Iterable[tuple[date, str, str, str]], ids: dict[str, int]) -> None:
        self.file = f"{file}\t"
        self.tails = {
            (day, left, right, outcome): f"{ids[left]}\t{ids[right]}\t{outcome}\t{day}\n"
            for day, left, right, outcome in cells
        }
        self.escaped = _EscapedText()

    def text(self, rows: list[CsvVote]) -> str:
        file, escaped, tails = self.file, self.escaped, self.tails
        return "".join(
            f"{file}{line}\t{escaped[voter]}\t{escaped[prompt]}\t{tails[day, left, right, outcome]}"
            for line, left, right, outcome, voter, prompt, day, _ in rows
        )


class _EscapedText(dict[str, str]):
    def __missing__(self, text: str) -> str:
        self[text] = text.translate(_ESCAPED)
        return self[text]
