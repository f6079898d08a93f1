"""Files of votes, read and checked line by line: CSV, JSON lines, Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from django.utils import timezone

from .models import Outcome

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
    day: date  # as the line says, or that of the import
    is_dated: bool


Line = tuple[int, Mapping[str, str | None]]  # its number in the file, and its cells by column
Report = Callable[[str, int], None]  # what was done, to how many votes


def silent(done: str, votes: int) -> None:
    """No progress is reported."""


def read(data: bytes, kind: str = "csv", report: Report = silent) -> list[Row]:
    """Parse and check every line. Raises BadVotes with all that is wrong, by line number (by row, for Parquet)."""
    rows: list[Row] = []
    problems: list[str] = []
    try:
        for number, line in READERS[kind](data, problems):
            report("read", number)
            _take(number, line, rows, problems)
    except csv.Error as error:
        problems.append(f"The file breaks off as CSV after {len(rows)} votes: {error}.")
    if not rows and not problems:
        problems.append("The file holds no votes.")
    if problems:
        raise BadVotes(problems)
    return rows


def _csv(data: bytes, problems: list[str]) -> Iterator[Line]:
    reader = csv.DictReader(io.StringIO(_text(data)))
    _demand_columns("Line 1: ", reader.fieldnames or [])
    for line in reader:
        yield reader.line_num, line


def _jsonl(data: bytes, problems: list[str]) -> Iterator[Line]:
    """One object a line; blank lines are skipped, null is an empty cell."""
    for number, text in enumerate(_text(data).splitlines(), start=1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except json.JSONDecodeError as error:
            problems.append(f"Line {number}: not JSON ({error.msg}).")
            continue
        if not isinstance(line, dict):
            problems.append(f'Line {number}: not an object like {{"left": …, "right": …, "outcome": …}}.')
            continue
        yield number, {key: _cell(value) for key, value in line.items()}


def _parquet(data: bytes, problems: list[str]) -> Iterator[Line]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise BadVotes(
            ["Parquet needs pyarrow, which is not installed. Install the extra: pip install 'image-arena[parquet]'."]
        ) from error
    try:
        file = parquet.ParquetFile(pyarrow.BufferReader(data))
    except (pyarrow.ArrowInvalid, OSError) as error:
        raise BadVotes([f"This is no Parquet file: {error}."]) from error
    _demand_columns("", file.schema_arrow.names)
    number = 0
    for batch in file.iter_batches(columns=[name for name in COLUMNS if name in file.schema_arrow.names]):
        for row in batch.to_pylist():
            number += 1
            yield number, {key: _cell(value) for key, value in row.items()}


READERS: dict[str, Callable[[bytes, list[str]], Iterator[Line]]] = {"csv": _csv, "jsonl": _jsonl, "parquet": _parquet}


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


def _demand_columns(where: str, header: Sequence[str]) -> None:
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise BadVotes([f"{where}the column {', '.join(missing)} is missing. Needed are {', '.join(REQUIRED)}."])


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadVotes([f"The file is not UTF-8 text (byte {error.start})."]) from error


def _take(number: int, line: Mapping[str, str | None], rows: list[Row], problems: list[str]) -> None:
    cells = {name: (line.get(name) or "").strip() for name in COLUMNS}
    if None in line:
        problems.append(f"Line {number}: more cells than the header names.")
        return
    wrong = list(_problems(cells))
    day = timezone.now().date()
    if cells["time"]:
        try:
            cast = datetime.fromisoformat(cells["time"])
            day = (cast if cast.tzinfo is None else cast.astimezone(UTC)).date()
        except ValueError:
            wrong.append(f"the time “{cells['time']}” is not ISO 8601, such as 2026-11-22T09:30:00Z")
    if wrong:
        problems.append(f"Line {number}: {'; '.join(wrong)}.")
        return
    rows.append(
        Row(
            number,
            cells["left"],
            cells["right"],
            cells["outcome"],
            cells["voter"],
            cells["prompt"],
            day,
            bool(cells["time"]),
        )
    )


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
