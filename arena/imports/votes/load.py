"""Votes cast elsewhere: read whole, checked whole, taken whole or not at all, and withdrawn whole.

The same file twice changes nothing.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from operator import attrgetter

from django.db import connection, transaction
from django.utils import timezone
from django.utils.text import slugify

from arena import integrity
from arena.imports.votes import files
from arena.imports.votes.files import BadVotes, CsvVote, FileFormat, ProgressCallback
from arena.models import Category, ImportedName, VoteFile
from providers.models import ImageModel

__all__ = ["BadVotes", "FileFormat", "ImportResult", "import_votes", "withdraw"]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What an import did, or would do: `new` is False when the category already has this very file."""

    rows: int
    models: tuple[str, ...]
    new: bool
    sides_known: bool = True
    file: VoteFile | None = None  # None of a dry run of a new file


def import_votes(
    data: bytes,
    category: Category,
    source: str,
    *,
    form: FileFormat = files.OWN_FORMAT,
    dry_run: bool = False,
    report: ProgressCallback = files.silent,
) -> ImportResult:
    """Take a file of votes into the category and its tallies, in one transaction.

    Columns: left, right, outcome (left, right, tie, both_bad, in many words), and optionally voter, prompt and time;
    `form` says what they are called elsewhere. Models are known by an alias, their slug or their name; an unknown name
    becomes a model marked "imported". Raises BadVotes, with nothing stored. `report` is called with what was done to
    how many votes.
    """
    rows = files.read(data, form, report)
    names = tuple(sorted({name for row in rows for name in (row.left, row.right)}))
    digest = hashlib.sha256(data).hexdigest()
    file = VoteFile.objects.filter(category=category, sha256=digest, withdrawn_at=None).first()
    new, sides_known = file is None, form.preset.sides_known
    if new and not dry_run:
        with transaction.atomic():
            file = VoteFile(
                category=category,
                source=source,
                sha256=digest,
                rows=len(rows),
                is_dated=all(row.is_dated for row in rows),
                sides_known=sides_known,
            )
            _store(rows, _models(names, category.is_private), file, report)
    return ImportResult(len(rows), names, new, sides_known, file)


def withdraw(file: VoteFile, reason: str, by: str) -> int:
    """Take the votes of an imported file out of the category's tallies again, which are then as if it had never come;
    returns how many there were, 0 the second time.

    The file's row stays, with who withdrew it and why. Raises ValueError without a reason or a name.
    """
    if not reason.strip() or not by.strip():
        raise ValueError("A withdrawal says who and why.")
    with transaction.atomic(), connection.cursor() as cursor:
        withdrawn = VoteFile.objects.filter(pk=file.pk, withdrawn_at=None).update(
            withdrawn_at=timezone.now(), withdrawn_by=by.strip()[:150], withdrawn_reason=reason.strip()[:200]
        )
        if not withdrawn:
            return 0
        cursor.execute(_CELLS_OF_FILE, [file.pk])
        integrity.subtract((file.category_id, *cell) for cell in cursor.fetchall())
        cursor.execute("DELETE FROM arena_importedvote WHERE file_id = %s", [file.pk])
        return int(cursor.rowcount)


# In the order in which every writer of several cells locks them.
_CELLS_OF_FILE = """
SELECT day, left_model_id, right_model_id, outcome, count(*) FROM arena_importedvote WHERE file_id = %s
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""


def _models(names: tuple[str, ...], is_private: bool) -> dict[str, ImageModel]:
    """Name → model: by alias, else by slug, else by name, else a new one marked "imported".

    Raises BadVotes for the name of a private model in votes of a public category.
    """
    by_name = {model.name: model for model in ImageModel.everything.filter(name__in=names)}
    by_slug = {model.slug: model for model in ImageModel.everything.filter(slug__in=names)}
    aliases = ImportedName.objects.filter(name__in=names).select_related("image_model")
    models = by_name | by_slug | {alias.name: alias.image_model for alias in aliases}
    for name in names:
        if name not in models:
            models[name] = ImageModel.objects.create(
                name=name, slug=_free_slug(name), origin=ImageModel.Origin.IMPORTED, is_private=is_private
            )
    private = [name for name in names if models[name].is_private and not is_private]
    if private:
        raise BadVotes([f"{', '.join(private[:5])}: these are private models, and the category is public."])
    return models


def _free_slug(name: str) -> str:
    """A slug made from any name, in any script; names that come out alike get a digest behind."""
    slug = re.sub(r"([._-])[._-]+", r"\1", slugify(name.replace(".", "-"))).strip("._-")[:100].strip("._-") or "model"
    if not ImageModel.everything.filter(slug=slug).exists():
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
