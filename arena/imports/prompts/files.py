"""Files of prompts: pasted text, CSV, JSON lines or arrays, and ZIP archives with the source images of edits."""

from __future__ import annotations

import csv
import io
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from arena.imports import archives, tabular

COLUMNS = ("text", "tags", "source_image", "credit", "position")
OTHER_NAMES = {"prompt": "text", "tag": "tags", "image": "source_image", "source": "source_image"}
OTHER_NAMES |= {"source_credit": "credit", "order": "position"}
MAX_PROMPTS = 20_000
# A spreadsheet takes such a cell for a formula: it is written with an apostrophe before it, which reading takes away.
_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_ESCAPED = re.compile(r"'+[=+\-@\t\r]")


@dataclass(frozen=True, slots=True)
class PromptRow:
    """A prompt as a file has it, nothing checked. `source_image` is the name of a file in the archive."""

    line: int
    text: str
    tags: tuple[str, ...] = ()
    source_image: str = ""
    credit: str = ""
    position: str = ""


@dataclass(frozen=True, slots=True)
class PromptFile:
    rows: list[PromptRow]
    images: Mapping[str, bytes] = field(default_factory=dict)


def pasted(text: str, *, blocks: bool = False) -> PromptFile:
    """A prompt a line; with `blocks`, a prompt is all lines up to the next blank one."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    if not blocks:
        return PromptFile([PromptRow(n, line.strip()) for n, line in enumerate(lines, start=1) if line.strip()])
    rows: list[PromptRow] = []
    block: list[str] = []
    for number, line in enumerate([*lines, ""], start=1):
        if line.strip():
            block.append(line.rstrip())
        elif block:
            rows.append(PromptRow(number - len(block), "\n".join(block).strip()))
            block = []
    return PromptFile(rows)


def read(data: bytes) -> PromptFile:
    """A CSV, JSON or ZIP file. Raises tabular.BadFile (and archives.BadArchive, a kind of it)."""
    if data.startswith(b"PK"):
        return _zip(data)
    rows = list(_json(data) if tabular.looks_like_json(data) else _csv(data))
    if len(rows) > MAX_PROMPTS:
        raise tabular.BadFile(f"The file has {len(rows):,} prompts; {MAX_PROMPTS:,} at a time is the limit.")
    return PromptFile(rows)


def _zip(data: bytes) -> PromptFile:
    members = archives.read(data)
    tables = [name for name in members if name.lower().endswith((".csv", ".jsonl", ".json", ".ndjson", ".tsv"))]
    if len(tables) != 1:
        raise tabular.BadFile(
            f"The archive must hold one file of prompts, CSV or JSON, beside its images; it holds {len(tables)}."
        )
    table = read(members[tables[0]])
    folder = tables[0].rpartition("/")[0]
    images = {name.removeprefix(f"{folder}/") if folder else name: content for name, content in members.items()}
    return PromptFile(table.rows, images)


def _csv(data: bytes) -> Iterator[PromptRow]:
    text = tabular.decode(data)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=tabular.delimiter_of(text.split("\n", 1)[0]))
    try:
        header = [_column(name) for name in next(reader, [])]
        if "text" not in header:
            raise tabular.BadFile(
                f"Line 1: the column text is missing; the file has {tabular.listed(header)}. Of these are read: "
                f"{', '.join(COLUMNS)}."
            )
        line = reader.line_num + 1
        for cells in reader:
            if cells:
                row = dict(zip(header, map(_unescaped, cells), strict=False))
                yield _row(line, row, row.get("tags", "").split(","))
            line = reader.line_num + 1
    except csv.Error as error:
        raise tabular.BadFile(f"The file breaks off as CSV in line {reader.line_num}: {error}.") from error


def _json(data: bytes) -> Iterator[PromptRow]:
    for number, value in tabular.json_rows(tabular.decode(data)):
        if isinstance(value, Exception):
            raise tabular.BadFile(f"Line {number}: not JSON ({tabular.why_not_json(value)}).") from value
        if isinstance(value, str):
            value = {"text": value}
        if not isinstance(value, dict):
            raise tabular.BadFile(f'Line {number}: not an object like {{"text": …, "tags": […]}}.')
        row = {_column(str(name)): cell for name, cell in value.items()}
        tags = row.pop("tags", None) or []
        texts = {name: "" if cell is None else str(cell) for name, cell in row.items()}
        yield _row(number, texts, map(str, tags) if isinstance(tags, list) else str(tags).split(","))


def _column(name: str) -> str:
    name = name.strip().lower().replace(" ", "_")
    return OTHER_NAMES.get(name, name)


def _row(line: int, row: Mapping[str, str], tags: Iterable[str]) -> PromptRow:
    return PromptRow(
        line,
        text=row.get("text", "").strip(),
        tags=normalised_tags(tags),
        source_image=row.get("source_image", "").strip(),
        credit=row.get("credit", "").strip(),
        position=row.get("position", "").strip(),
    )


def normalised_tags(tags: Iterable[str]) -> tuple[str, ...]:
    """Lower-case, single blanks, each once, in their order; empty ones are left out."""
    return tuple(dict.fromkeys(tag for raw in tags if (tag := " ".join(raw.lower().split()))))


# Export ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def write(rows: Iterable[PromptRow], images: Mapping[str, bytes]) -> tuple[bytes, str]:
    """(bytes, "csv" or "zip"): a file that `read` reads back as the same rows."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for row in rows:
        cells = (row.text, ", ".join(row.tags), row.source_image, row.credit, row.position)
        writer.writerow([_escaped(cell) for cell in cells])
    table = ("\ufeff" + out.getvalue()).encode()
    if not images:
        return table, "csv"
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as file:
        file.writestr("prompts.csv", table)
        for name, content in images.items():
            file.writestr(name, content)
    return archive.getvalue(), "zip"


def _escaped(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _unescaped(cell: str) -> str:
    return cell[1:] if _ESCAPED.match(cell) else cell
