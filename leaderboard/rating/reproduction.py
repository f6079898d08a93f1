"""A snapshot computed again, by nothing but its cells: numpy and the standard library, no database, no Django.

    python -m leaderboard.rating.reproduction cells.csv
    python -m leaderboard.rating.reproduction [MODEL …] --votes votes-2026-10.csv votes-2026-11.csv

shows the sha256 of the sorted cells and the ratings as JSON: from cells alone without what voters and prompts share,
from the published votes with the page's own intervals, ranks and tiers. The models before --votes are the anchor that
the board names; "cap" says how many votes of one voter count. A snapshot itself was computed by the same function, from
a cold start, so the same numpy gives the same digits.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import json
import platform
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from arena import vote_cap
from leaderboard.rating import elo, intervals, ranks, ways
from leaderboard.rating.likelihood import Floats, Ints
from leaderboard.rating.student import degrees

HEADER = ("left", "right", "outcome", "n")
VOTE_COLUMNS = (
    "battle", "voter", "prompt", "left", "right", "outcome", "probability", "day", "counted", "reason", "source",
)  # fmt: skip
ENGINE_VERSION = f"numpy {np.__version__}, Python {platform.python_version()}, {platform.machine()}"

Cell = tuple[str, str, str, int]  # left model, right model, outcome, n


def cells_csv(cells: Iterable[Cell]) -> str:
    """The cells as CSV in their one order, repeated ones added up. The sha256 of a snapshot is that of this text."""
    total: Counter[tuple[str, str, str]] = Counter()
    for left, right, outcome, n in cells:
        total[left, right, outcome] += n
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows((*cell, n) for cell, n in sorted(total.items()) if n)
    return out.getvalue()


def read_csv(text: str) -> list[Cell]:
    """Cells from a CSV in any order. Raises ValueError for what is not a file of cells."""
    reader = csv.DictReader(io.StringIO(text, newline=""))
    if not set(HEADER) <= set(reader.fieldnames or ()):
        raise ValueError(f"the columns must be {', '.join(HEADER)}")
    cells = []
    for row in reader:
        if row["outcome"] not in elo.SCORES or not (row["n"] or "").isdecimal():
            raise ValueError(f"line {reader.line_num} is no cell: {row}")
        cells.append((row["left"], row["right"], row["outcome"], int(row["n"])))
    return cells


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def packed(fit: elo.Fit) -> str:
    """The covariance of the fitted models, for `rate`: base64 of its upper triangle as little-endian 64-bit floats, on
    the scale of the mean of all models."""
    core = np.flatnonzero(fit.connected)
    inside = elo.centred(fit)[np.ix_(core, core)]
    return base64.b64encode(inside[np.triu_indices(core.size)].astype("<f8").tobytes()).decode()


def _unpacked(text: str, fit: elo.Fit) -> elo.Fit:
    core = np.flatnonzero(fit.connected)
    inside = np.zeros((core.size, core.size))
    inside[np.triu_indices(core.size)] = np.frombuffer(base64.b64decode(text), "<f8")
    covariance = fit.covariance.copy()
    covariance[np.ix_(core, core)] = inside + np.triu(inside, 1).T
    return replace(fit, covariance=covariance)


def rate(
    cells: Iterable[Cell],
    design: Mapping[str, float] | None = None,
    covariance: str | None = None,
    anchor: Iterable[str] = (),
    effective: Iterable[float | None] = (),
) -> list[dict[str, Any]]:
    """Ratings from the highest down, numbers as text with six decimals.

    What voters and prompts share cells cannot show: it comes as `covariance` (see `packed`) or, of snapshots by method
    version 1, as each model's design effect. `anchor` names the models whose mean is 1000; none: the mean of all.
    `effective` are the board's numbers of voters and prompts (see `student.degrees`).
    """
    table = elo.Cells.from_rows(read_csv(cells_csv(cells)))
    plain = intervals.careful(elo.fit(table), table)
    if covariance is None:
        effect = np.array([(design or {}).get(model, 1.0) for model in plain.models], np.float64)
        fit = intervals.inflated(plain, effect)
    else:
        fit = elo.anchored(_unpacked(covariance, plain), anchor)
    inference = ranks.rank_inference(fit.elo, fit.covariance, degrees(*effective))
    tier = ranks.tiers(fit.elo, inference.above)
    votes = intervals.appearances(table)
    return [
        {
            "model": fit.models[index],
            "elo": _digits(fit.elo[index]),
            "sandwich_se": _digits(plain.se[index]),
            "lower": _digits(fit.lower[index]),
            "upper": _digits(fit.upper[index]),
            "tier": int(tier[index]) if fit.connected[index] else None,
            "rank_interval": [int(inference.low[index]), int(inference.high[index])] if fit.connected[index] else None,
            "best": _digits(inference.best[index]) if fit.connected[index] else None,
            "votes": int(votes[index]),
        }
        for index in np.argsort(-fit.elo, kind="stable")
    ]


def rate_votes(paths: Iterable[Path], anchor: Iterable[str] = ()) -> tuple[list[Cell], list[dict[str, Any]]]:
    """A board from files of published votes alone: its cells, and the numbers of its page (see `rate`).

    Voters and prompts are clusters as on the site. A voter's pseudonym changes every month: over several months one
    voter counts as several, so intervals come out a little narrower than the site's, which knows. Within one month they
    are the same digits. Raises ValueError for what is not a file of votes.
    """
    counted = [row for path in paths for row in _votes(path) if row["counted"] == "yes" and row["left"] != row["right"]]
    cells = [(row["left"], row["right"], row["outcome"], 1) for row in counted]
    cells = read_csv(cells_csv(cells))
    table = elo.Cells.from_rows(cells)
    code = {model: index for index, model in enumerate(table.models)}
    left, right = (np.array([code[row[side]] for row in counted], np.int64) for side in ("left", "right"))
    score = np.array([elo.SCORES[row["outcome"]] for row in counted])
    parts = [ways.Part(*_clusters(counted, column, left, right, score)) for column in ("voter", "prompt")]
    plain = intervals.careful(elo.fit(table), table)
    fit, spread = intervals.spread(plain, ways.RawVotes([parts[0]], [parts[1]]))
    effective = spread.all_effective_voters, spread.all_effective_prompts
    covariance = packed(intervals.careful(fit, table))
    return cells, rate(cells, covariance=covariance, anchor=anchor, effective=effective)


def cap_of(paths: Iterable[Path]) -> dict[str, int]:
    """How many votes of one voter the files' votes and voters would let count, and the most that do: as the site's cap
    where the files are of one month of a young board, else from pseudonyms that change every month."""
    counted, votes = Counter[tuple[Path, str]](), Counter[tuple[Path, str]]()
    for path in paths:
        for row in _votes(path):
            if not row["source"] and (row["counted"] == "yes" or row["reason"].startswith("cap-")):
                votes[path, row["voter"]] += 1
                counted[path, row["voter"]] += row["counted"] == "yes"
    valid = [n for voter, n in votes.items() if counted[voter]]  # who was excluded has none that counts
    return {
        "cap": vote_cap.cap(sum(valid), len(valid)), "votes": sum(valid), "voters": len(valid),
        "most": max(counted.values(), default=0),
    }  # fmt: skip


def _clusters(
    rows: list[dict[str, str]], column: str, left: Ints, right: Ints, score: Floats
) -> tuple[Ints, Ints, Ints, Floats, int]:
    """Codes of the voters or prompts that are known, then one for every vote where it is not."""
    codes: dict[str, int] = {}
    for row in rows:
        if row[column]:
            codes.setdefault(row[column], len(codes))
    known = len(codes)
    alone = iter(range(known, known + len(rows)))
    cluster = np.array([codes[row[column]] if row[column] else next(alone) for row in rows], np.int64)
    return cluster, left, right, score, known


def _votes(path: Path) -> Iterator[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if not set(VOTE_COLUMNS) <= set(reader.fieldnames or ()):
            raise ValueError(f"{path}: the columns must be {', '.join(VOTE_COLUMNS)}")
        for row in reader:
            if row["outcome"] not in elo.SCORES:
                raise ValueError(f"{path}, line {reader.line_num}: {row['outcome']!r} is no outcome")
            yield row


def _digits(value: float) -> str:
    return f"{value:.6f}"


def main(arguments: list[str]) -> int:
    if "--votes" in arguments:
        at = arguments.index("--votes")
        files = [Path(name) for name in arguments[at + 1 :]]
        voted, ratings = rate_votes(files, arguments[:at])
        hashes = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}
        _write({"files": hashes, "sha256": digest(cells_csv(voted)), "cap": cap_of(files), "ratings": ratings})
        return 0
    if len(arguments) == 1:
        given: dict[str, Any] = {"cells": Path(arguments[0]).read_text(encoding="utf-8")}
    else:  # from verify_snapshot: {"cells", "design", "covariance", "anchor", "effective"}: see `rate`
        given = json.load(sys.stdin)
    text = given["cells"]
    cells = read_csv(text)
    result = {
        "sha256": digest(cells_csv(cells)),
        "ratings": rate(
            cells, given.get("design"), given.get("covariance"), given.get("anchor", ()), given.get("effective", ())
        ),
    }
    _write(result)
    return 0


def _write(result: dict[str, Any]) -> None:
    versions = {"method_version": elo.METHOD_VERSION, "engine_version": ENGINE_VERSION}
    sys.stdout.write(json.dumps(versions | result, ensure_ascii=False, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
