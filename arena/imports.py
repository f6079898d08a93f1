"""Votes cast elsewhere: read whole, checked whole, taken whole or not at all. The same file twice changes nothing."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime

from django.db import connection, transaction
from django.utils import timezone
from django.utils.text import slugify

from providers.models import ImageModel

from .models import Category, Outcome, VoteFile

REQUIRED = ("left", "right", "outcome")
COLUMNS = (*REQUIRED, "voter", "prompt", "time")


class BadVotes(ValueError):
    """The file cannot be taken. `problems` holds one sentence per bad line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Row:
    line: int
    left: str
    right: str
    outcome: str
    voter: str
    prompt: str
    day: date


@dataclass(frozen=True, slots=True)
class Import:
    """What an import did, or would do: `new` is False when the category already holds this very file."""

    rows: int
    models: tuple[str, ...]
    new: bool


def import_votes(data: bytes, category: Category, source: str, *, dry_run: bool = False) -> Import:
    """Take a CSV of votes into the category and its tallies, in one transaction.

    Columns: left, right, outcome (left, right, tie, both_bad), and optionally voter, prompt and time (ISO 8601). Models
    are known by their slug or name; an unknown name becomes a model marked "imported". Raises BadVotes, with nothing
    stored.
    """
    rows = read(data)
    names = tuple(sorted({name for row in rows for name in (row.left, row.right)}))
    digest = hashlib.sha256(data).hexdigest()
    known = VoteFile.objects.filter(category=category, sha256=digest).exists()
    if not known and not dry_run:
        with transaction.atomic():
            _store(rows, _models(names), VoteFile(category=category, source=source, sha256=digest, rows=len(rows)))
    return Import(len(rows), names, new=not known)


def read(data: bytes) -> list[Row]:
    """Parse and check every line. Raises BadVotes with all that is wrong, by line number."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadVotes([f"The file is not UTF-8 text (byte {error.start})."]) from error
    reader = csv.DictReader(io.StringIO(text))
    header = reader.fieldnames or []
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise BadVotes([f"Line 1: the column {', '.join(missing)} is missing. Needed are {', '.join(REQUIRED)}."])
    rows: list[Row] = []
    problems: list[str] = []
    try:
        for line in reader:
            _take(reader.line_num, line, rows, problems)
    except csv.Error as error:
        problems.append(f"Line {reader.line_num}: {error}.")
    if not rows and not problems:
        problems.append("The file holds no votes.")
    if problems:
        raise BadVotes(problems)
    return rows


def _take(number: int, line: dict[str, str | None], rows: list[Row], problems: list[str]) -> None:
    cells = {name: (line.get(name) or "").strip() for name in COLUMNS}
    if None in line:
        problems.append(f"Line {number}: more cells than the header names.")
        return
    wrong = list(_problems(cells))
    day = timezone.now().date()
    if cells["time"]:
        try:
            day = datetime.fromisoformat(cells["time"]).date()
        except ValueError:
            wrong.append(f"the time “{cells['time']}” is not ISO 8601, such as 2026-11-22T09:30:00Z")
    if wrong:
        problems.append(f"Line {number}: {'; '.join(wrong)}.")
        return
    rows.append(Row(number, cells["left"], cells["right"], cells["outcome"], cells["voter"], cells["prompt"], day))


def _problems(cells: dict[str, str]) -> Iterator[str]:
    for side in ("left", "right"):
        if not cells[side]:
            yield f"{side} names no model"
        elif len(cells[side]) > 160:
            yield f"{side} has a name of more than 160 characters"
    if cells["left"] and cells["left"] == cells["right"]:
        yield f"“{cells['left']}” is on both sides"
    if cells["outcome"] not in Outcome.values:
        yield f"the outcome “{cells['outcome']}” is none of {', '.join(Outcome.values)}"
    if len(cells["voter"]) > 120:
        yield "voter has more than 120 characters"
    if len(cells["prompt"]) > 200:
        yield "prompt has more than 200 characters"


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


def _store(rows: list[Row], models: dict[str, ImageModel], file: VoteFile) -> None:
    """COPY the votes in, then move the tallies by their sums: one upsert per cell, not per vote."""
    file.save()
    connection.ensure_connection()
    with connection.cursor() as cursor:
        # Django's wrapper has no copy(); psycopg's own cursor lies beneath it.
        with cursor.cursor.copy(
            "COPY arena_importedvote"
            " (file_id, line, voter_key, prompt_key, left_model_id, right_model_id, outcome, day) FROM STDIN"
        ) as copy:
            for row in rows:
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
