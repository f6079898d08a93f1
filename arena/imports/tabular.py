"""Files of rows as people have them: encodings, delimiters, JSON lines and JSON arrays."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator, Sequence
from typing import Any

DELIMITERS = ",;\t|"


class BadFile(ValueError):
    """The file cannot be read; the message says why and what to do."""


def decode(data: bytes) -> str:
    """The text of UTF-8 or UTF-16 bytes, without a byte order mark. Raises BadFile for any other encoding."""
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        try:
            return data.decode("utf-16").removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            raise BadFile(f"The file begins like UTF-16 text, but byte {error.start} does not fit.") from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise BadFile(f"The file is not UTF-8 text (byte {error.start}, line {line}). Save it as UTF-8.") from error


def delimiter_of(header: str) -> str:
    """The delimiter of a CSV file by its header line: the one that makes the most columns."""
    outside = "".join(header.split('"')[::2])  # what is quoted does not count
    return max(DELIMITERS, key=outside.count)


def json_rows(text: str) -> Iterator[tuple[int, Any]]:
    """The values of a JSON array, numbered from 1, or of JSON lines by line number; blank lines are skipped.

    Raises BadFile for a broken array. A broken line comes as a JSONDecodeError or RecursionError in place of its value.
    """
    if text.lstrip()[:1] == "[":
        try:
            yield from enumerate(json.loads(text), start=1)
        except (json.JSONDecodeError, RecursionError) as error:
            raise BadFile(f"The file begins like a JSON array, but is none: {_why(error)}.") from error
        return
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                yield number, json.loads(line)
            except (json.JSONDecodeError, RecursionError) as error:
                yield number, error


def _why(error: Exception) -> str:
    return f"{error.msg} (line {error.lineno})" if isinstance(error, json.JSONDecodeError) else "nested too deeply"


def why_not_json(error: Exception) -> str:
    return error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply"


def looks_like_json(data: bytes) -> bool:
    """Whether text begins as a JSON array or object does."""
    wide = data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    start = data[:200].decode("utf-16" if wide else "utf-8-sig", errors="ignore")
    return start.lstrip("\ufeff \t\r\n")[:1] in ("[", "{")


def listed(names: Sequence[str], limit: int = 20) -> str:
    """Column names for a message."""
    shown = ", ".join(name or "(no name)" for name in names[:limit])
    return f"{shown} … (and {len(names) - limit} more)" if len(names) > limit else shown or "none"
