"""Files of votes, read and checked line by line: CSV, JSON lines, Parquet."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import NamedTuple

from django.utils import timezone

from arena.models import Outcome

REQUIRED = ("left", "right", "outcome")
COLUMNS = (*REQUIRED, "voter", "prompt", "time")


class BadVotes(ValueError):
    """The file cannot be taken. `problems` holds one sentence per bad line."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class CsvVote(NamedTuple):  # a tuple and no dataclass: a third of the time to make, and files hold millions
    line: int
    left: str
    right: str
    outcome: str
    voter: str
    prompt: str
    day: date  # as the line says, or that of the import
    is_dated: bool


FileLine = tuple[int, Sequence[str] | None]  # its number in the file, and its cells as COLUMNS; None: more than that
ProgressCallback = Callable[[str, int], None]  # what was done, to how many votes


def silent(done: str, votes: int) -> None:
    """No progress is reported."""


def read(data: bytes, kind: str = "csv", report: ProgressCallback = silent) -> list[CsvVote]:
    """Parse and check every line. Raises BadVotes with all that is wrong, by line number (by row, for Parquet)."""
    rows: list[CsvVote] = []
    problems: list[str] = []
    checked = _LineChecker()
    try:
        for number, cells in READERS[kind](data, problems):
            report("read", number)
            row = checked.row(number, cells, problems)
            if row is not None:
                rows.append(row)
    except csv.Error as error:
        problems.append(f"The file breaks off as CSV after {len(rows)} votes: {error}.")
    if not rows and not problems:
        problems.append("The file holds no votes.")
    if problems:
        raise BadVotes(problems)
    return rows


def _csv(data: bytes, problems: list[str]) -> Iterator[FileLine]:
    reader = csv.reader(io.StringIO(_text(data), newline=""))
    header = [name.strip().lower() for name in next(reader, [])]
    _demand_columns("Line 1: ", header)
    width = len(header)
    at = [header.index(name) if name in header else width for name in COLUMNS]
    pick = itemgetter(*at)
    for line in reader:
        if len(line) > width:
            yield reader.line_num, None
        elif line:
            line += [""] * (width + 1 - len(line))
            yield reader.line_num, pick(line)


def _jsonl(data: bytes, problems: list[str]) -> Iterator[FileLine]:
    """One object a line; blank lines are skipped, null is an empty cell."""
    for number, text in enumerate(_text(data).split("\n"), start=1):
        if not text.strip():
            continue
        try:
            line = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            problems.append(f"Line {number}: not JSON ({getattr(error, 'msg', 'nested too deeply')}).")
            continue
        if not isinstance(line, dict):
            problems.append(f'Line {number}: not an object like {{"left": …, "right": …, "outcome": …}}.')
            continue
        yield number, [_cell(line.get(name)) for name in COLUMNS]


def _parquet(data: bytes, problems: list[str]) -> Iterator[FileLine]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise BadVotes(
            ["Parquet needs pyarrow, which is not installed. Install the extra: pip install 'image-arena[parquet]'."]
        ) from error
    try:
        file = parquet.ParquetFile(pyarrow.BufferReader(data))
        _demand_columns("", file.schema_arrow.names)
        number = 0
        for batch in file.iter_batches(columns=[name for name in COLUMNS if name in file.schema_arrow.names]):
            for row in batch.to_pylist():
                number += 1
                yield number, [_cell(row.get(name)) for name in COLUMNS]
    except (pyarrow.ArrowException, OSError) as error:
        raise BadVotes([f"This is no Parquet file: {error}."]) from error


READERS: dict[str, Callable[[bytes, list[str]], Iterator[FileLine]]] = {
    "csv": _csv,
    "jsonl": _jsonl,
    "parquet": _parquet,
}


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


def _demand_columns(where: str, header: Sequence[str]) -> None:
    missing = [name for name in REQUIRED if name not in header]
    if missing:
        raise BadVotes([f"{where}the column {', '.join(missing)} is missing. Needed are {', '.join(REQUIRED)}."])
    twice = [name for name in COLUMNS if header.count(name) > 1]
    if twice:
        raise BadVotes([f"{where}the column {', '.join(twice)} is there twice."])


def _text(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadVotes([f"The file is not UTF-8 text (byte {error.start}, line {line}). Save it as UTF-8."]) from error


class _LineChecker:
    """Lines as rows. What was good once is not looked at again: millions of lines say the same few things."""

    def __init__(self) -> None:
        self.battles: dict[tuple[str, str, str], tuple[str, str, str]] = {}
        self.voters, self.prompts = {"": ""}, {"": ""}
        self.days: dict[str, tuple[date, bool]] = {"": (timezone.now().date(), False)}

    def row(self, number: int, cells: Sequence[str] | None, problems: list[str]) -> CsvVote | None:
        """The row, or None with its problems added."""
        if cells is None:
            problems.append(f"Line {number}: more cells than the header names.")
            return None
        left, right, outcome, voter, prompt, time = cells
        try:
            battle = self.battles[left, right, outcome]
            return CsvVote(number, *battle, self.voters[voter], self.prompts[prompt], *self.days[time])
        except KeyError:
            wrong = list(self._look(*cells))
        if wrong:
            problems.append(f"Line {number}: {'; '.join(wrong)}.")
            return None
        return self.row(number, cells, problems)

    def _look(self, left: str, right: str, outcome: str, voter: str, prompt: str, time: str) -> Iterator[str]:
        """What is wrong; what is not is remembered."""
        battle = (left.strip(), right.strip(), outcome.strip())
        wrong = list(_wrong_models(*battle[:2]))
        if battle[2] not in Outcome.values:
            wrong.append(f"the outcome “{_short(battle[2])}” is none of {', '.join(Outcome.values)}")
        if not wrong:
            self.battles[left, right, outcome] = battle
        yield from wrong
        for column, text, longest, known in (("voter", voter, 120, self.voters), ("prompt", prompt, 200, self.prompts)):
            if not (wrong := list(_wrong_text(column, text.strip(), longest))):
                known[text] = text.strip()
            yield from wrong
        try:
            if time not in self.days:
                self.days[time] = (_day(time.strip()), True) if time.strip() else self.days[""]
        except (ValueError, OverflowError):
            yield f"the time “{_short(time.strip())}” is not ISO 8601, such as 2026-11-22T09:30:00Z"


def _day(time: str) -> date:
    """In UTC, as all tallies."""
    cast = datetime.fromisoformat(time)
    return (cast if cast.tzinfo is None else cast.astimezone(UTC)).date()


def _wrong_models(left: str, right: str) -> Iterator[str]:
    for side, name in (("left", left), ("right", right)):
        if not name:
            yield f"{side} names no model"
        else:
            yield from _wrong_text(side, name, 160, " has a name of")
    if left and left == right:
        yield f"“{_short(left)}” is on both sides"


def _wrong_text(column: str, text: str, longest: int, what: str = " has") -> Iterator[str]:
    """What keeps a text out of a column of Postgres."""
    if len(text) > longest:
        yield f"{column}{what} more than {longest} characters"
    elif not text.isprintable() and ("\0" in text or not _is_unicode(text)):
        yield f"{column} holds a character that is none (NUL, or half of a pair)"


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _short(text: str) -> str:
    """For a message: a quote that is never closed makes the rest of the file one cell."""
    return text if len(text) <= 60 else text[:59] + "…"
