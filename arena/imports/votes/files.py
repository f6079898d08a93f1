"""Files of votes, read and checked line by line: CSV, JSON lines or arrays, Parquet, in the columns of many arenas."""

from __future__ import annotations

import csv
import io
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from operator import itemgetter
from typing import NamedTuple

from django.utils import timezone

from arena.imports import tabular
from arena.imports.votes import presets
from arena.imports.votes.presets import COLUMNS, PRESETS, REQUIRED, Preset

MAX_PROBLEMS = 20  # sentences about single lines in one message


class BadVotes(ValueError):
    """The file cannot be taken. `problems` holds one sentence per bad line; the message has the first of them."""

    def __init__(self, problems: list[str]) -> None:
        more = len(problems) - MAX_PROBLEMS
        shown = problems[:MAX_PROBLEMS] + ([f"… and {more:,} more lines."] if more > 0 else [])
        super().__init__("\n".join(shown))
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


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How to read a file of votes.

    `kind` is csv, jsonl (lines or an array) or parquet, or "" to look at the bytes. `like` names a preset, `mapping`
    single columns (ours → theirs) over it.
    """

    kind: str = ""
    like: str = ""
    mapping: Mapping[str, str] = field(default_factory=dict)

    @property
    def preset(self) -> Preset:
        return PRESETS[self.like] if self.like else Preset()

    def columns(self, where: str, header: Sequence[str]) -> dict[str, str]:
        """Ours → theirs, in lower case. Raises BadVotes where one is missing or ambiguous."""
        columns = presets.columns_of(self.preset, dict(self.mapping), header)
        required = REQUIRED[:2] if not self.preset.sides_known else REQUIRED
        missing = [columns[name] for name in required if columns[name] not in header]
        if missing:
            fits = presets.fitting(header)
            advice = (
                f"It looks like {fits}: use --like {fits}."
                if fits and fits != self.like
                else "Name its columns, for example --map left=model_a."
            )
            raise BadVotes(
                [
                    f"{where}the column {', '.join(missing)} is missing. Needed are "
                    f"{', '.join(columns[name] for name in required)}; the file has {tabular.listed(header)}. {advice}"
                ]
            )
        twice = [theirs for theirs in columns.values() if header.count(theirs) > 1]
        if twice:
            raise BadVotes([f"{where}the column {', '.join(twice)} is there twice."])
        return columns


OWN_FORMAT = FileFormat()
FileLine = tuple[int, Sequence[str] | None]  # its number in the file, and its cells as COLUMNS; None: more than that
ProgressCallback = Callable[[str, int], None]  # what was done, to how many votes


def silent(done: str, votes: int) -> None:
    """No progress is reported."""


def read(data: bytes, form: FileFormat = OWN_FORMAT, report: ProgressCallback = silent) -> list[CsvVote]:
    """Parse and check every line. Raises BadVotes with all that is wrong, by line number (by row, for Parquet)."""
    rows: list[CsvVote] = []
    problems: list[str] = []
    checked = _LineChecker()
    lines = _score_table if form.preset.is_score_table else READERS[form.kind or kind_of(data)]
    try:
        for number, cells in lines(data, form, problems):
            report("read", number)
            row = checked.row(number, cells, problems)
            if row is not None:
                rows.append(row)
    except csv.Error as error:
        problems.append(f"The file breaks off as CSV after {len(rows)} votes: {error}.")
    except tabular.BadFile as error:
        problems.append(str(error))
    if not rows and not problems:
        problems.append("The file holds no votes.")
    if problems:
        raise BadVotes(problems)
    return rows


def kind_of(data: bytes) -> str:
    """csv, jsonl or parquet, by the first bytes."""
    if data.startswith(b"PAR1"):
        return "parquet"
    return "jsonl" if tabular.looks_like_json(data) else "csv"


def _csv_reader(data: bytes) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """(header in lower case, (line number, cells) of each further line)."""
    text = tabular.decode(data)
    first = text[: text.find("\n")] if "\n" in text else text
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=tabular.delimiter_of(first))
    header = [name.strip().lower() for name in next(reader, [])]
    return header, ((reader.line_num, line) for line in reader)


def _csv(data: bytes, form: FileFormat, problems: list[str]) -> Iterator[FileLine]:
    header, lines = _csv_reader(data)
    columns = form.columns("Line 1: ", header)
    width = len(header)
    at = [header.index(columns[name]) if columns[name] in header else width for name in COLUMNS]
    pick, sides_known = itemgetter(*at), form.preset.sides_known
    for number, line in lines:
        if len(line) > width:
            yield number, None
        elif line:
            line += [""] * (width + 1 - len(line))
            yield (number, pick(line)) if sides_known else _randomised(number, pick(line))


def _json(data: bytes, form: FileFormat, problems: list[str]) -> Iterator[FileLine]:
    """One object a line, or an array of objects; null is an empty cell."""
    columns: dict[str, str] | None = None
    for number, row in tabular.json_rows(tabular.decode(data)):
        if isinstance(row, Exception):
            problems.append(f"Line {number}: not JSON ({tabular.why_not_json(row)}).")
        elif not isinstance(row, dict):
            problems.append(f'Line {number}: not an object like {{"left": …, "right": …, "outcome": …}}.')
        else:
            line = {str(name).lower(): value for name, value in row.items()}
            if columns is None:
                columns = form.columns(f"Line {number}: ", list(line))
            cells = [_cell(line.get(columns[name])) for name in COLUMNS]
            yield (number, cells) if form.preset.sides_known else _randomised(number, cells)


def _parquet(data: bytes, form: FileFormat, problems: list[str]) -> Iterator[FileLine]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        raise BadVotes(["Parquet needs pyarrow, which is not installed. Install it: pip install pyarrow"]) from error
    try:
        file = parquet.ParquetFile(pyarrow.BufferReader(data))
        names = {name.lower(): name for name in file.schema_arrow.names}
        columns = form.columns("", list(names))
        present = [names[theirs] for theirs in columns.values() if theirs in names]
        number = 0
        for batch in file.iter_batches(columns=present):
            for row in batch.to_pylist():
                number += 1
                cells = [_cell(row.get(names.get(columns[name], ""))) for name in COLUMNS]
                yield (number, cells) if form.preset.sides_known else _randomised(number, cells)
    except (pyarrow.ArrowException, OSError) as error:
        raise BadVotes([f"This is no Parquet file: {error}."]) from error


def _score_table(data: bytes, form: FileFormat, problems: list[str]) -> Iterator[FileLine]:
    """A row of scores per prompt becomes a vote for every two models that have one."""
    header, lines = _csv_reader(data)
    text = tabular.decode(data)
    first = next(csv.reader(io.StringIO(text, newline=""), delimiter=tabular.delimiter_of(text.split("\n", 1)[0])), [])
    names = [name.strip() for name in first]
    prompt = form.mapping.get("prompt", "uid").lower()
    if prompt not in header or len(header) < 3:
        raise BadVotes(
            [f"Line 1: needed are {prompt} and a column for each model; the file has {tabular.listed(header)}."]
        )
    at = header.index(prompt)
    for number, line in lines:
        if len(line) > len(header):
            yield number, None
            continue
        try:
            cells = zip(names, line, strict=False)  # a short line lacks its last scores
            scores = [(name, presets.score(cell)) for column, (name, cell) in enumerate(cells) if column != at]
        except ValueError as error:
            problems.append(f"Line {number}: no score like [0.5, 1]: {_short(str(error))}.")
            continue
        known = [(name, value) for name, value in scores if value is not None]
        for (left, mine), (right, theirs) in itertools.combinations(known, 2):
            yield number, [left, right, presets.better(mine, theirs), "", line[at], ""]


def _randomised(number: int, cells: Sequence[str]) -> FileLine:
    """A line that only says who won and who lost."""
    winner, loser, _, *rest = cells
    if presets.left_first(number, winner, loser):
        return number, [winner, loser, "left", *rest]
    return number, [loser, winner, "right", *rest]


READERS: dict[str, Callable[[bytes, FileFormat, list[str]], Iterator[FileLine]]] = {
    "csv": _csv,
    "jsonl": _json,
    "parquet": _parquet,
}


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value.isoformat() if isinstance(value, date) else str(value)


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
        sides = (left.strip(), right.strip())
        wrong = list(_wrong_models(*sides))
        meaning = presets.outcome_of(outcome.strip(), *sides)
        if meaning is None:
            wrong.append(f"the outcome “{_short(outcome.strip())}” is none of left, right, tie, both_bad")
        elif not wrong:
            self.battles[left, right, outcome] = (*sides, meaning)
        yield from wrong
        for column, text, longest, known in (("voter", voter, 120, self.voters), ("prompt", prompt, 200, self.prompts)):
            if not (wrong := list(_wrong_text(column, text.strip(), longest))):
                known[text] = text.strip()
            yield from wrong
        try:
            if time not in self.days:
                self.days[time] = (_day(time.strip()), True) if time.strip() else self.days[""]
        except (ValueError, OverflowError):
            text = _short(time.strip())
            yield f"the time “{text}” is neither ISO 8601, such as 2026-11-22T09:30:00Z, nor epoch seconds"


EPOCH_YEARS = (datetime(2000, 1, 1, tzinfo=UTC).timestamp(), datetime(2100, 1, 1, tzinfo=UTC).timestamp())


def _day(time: str) -> date:
    """In UTC, as all tallies. ISO 8601, epoch seconds or milliseconds, or day.month.year. Raises ValueError."""
    try:
        number = float(time)
    except ValueError:
        pass
    else:
        if len(time) != 8:  # 20240601 is a date of ISO 8601
            seconds = number / 1000 if number >= EPOCH_YEARS[1] else number
            if not EPOCH_YEARS[0] <= seconds < EPOCH_YEARS[1]:
                raise ValueError(time)
            return datetime.fromtimestamp(seconds, UTC).date()
    for form in ("%d.%m.%Y", "%d.%m.%Y %H:%M", "%d.%m.%Y %H:%M:%S"):
        try:
            return datetime.strptime(time, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
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
