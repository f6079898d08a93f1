from __future__ import annotations

import csv
import hashlib
import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.models import Category
from leaderboard.board import published_votes

README = f"""Votes of an image arena: one row a vote, one file a category and month.

Licence: {published_votes.LICENCE}. Columns: see schema.json. Sizes and sha256 of the files: manifest.json.
`python -m leaderboard.rating.reproduction --votes FILE …` derives ratings, intervals, ranks and tiers from them.
"""
SCHEMA = {
    "battle": "id of the battle; FILE:LINE of an imported vote",
    "voter": "pseudonym, another one every month and in every category; empty where unknown",
    "prompt": "id of the prompt; of an imported vote its source and key",
    "left": "model shown on the left, as in the board's CSV",
    "right": "model shown on the right",
    "outcome": "left, right, tie or both_bad",
    "probability": "chance with which this pair was drawn; empty of imported votes",
    "day": "UTC",
    "counted": "yes or no",
    "reason": "why a vote does not count: the rule with its version, and its words",
    "source": "where an imported vote comes from",
}


class Command(BaseCommand):
    help = (
        "Write every vote, anonymised, as CSV and JSON lines: one file per category and month, with sha256 and schema."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="made if it is not there; its files are replaced")
        parser.add_argument("category", nargs="*", help="slugs; all when none is given")

    def handle(self, *args: Any, **options: Any) -> None:
        categories = Category.objects.all()
        if unknown := set(options["category"]) - {category.slug for category in categories}:
            raise CommandError(f"There is no category {', '.join(sorted(unknown))}.")
        folder: Path = options["folder"]
        folder.mkdir(parents=True, exist_ok=True)
        manifest = []
        for category in categories:
            if options["category"] and category.slug not in options["category"]:
                continue
            for month in published_votes.months(category):
                stem = f"{category.slug}-{month:%Y-%m}"
                votes = self._write(folder, stem, published_votes.rows(category, month))
                for path in (folder / f"{stem}.csv", folder / f"{stem}.jsonl"):
                    content = {"file": path.name, "bytes": path.stat().st_size, "sha256": _sha256(path)}
                    manifest.append({"category": category.slug, "month": f"{month:%Y-%m}", "votes": votes} | content)
                self.stdout.write(f"{stem}.csv: {votes} votes")
        (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
        (folder / "schema.json").write_text(json.dumps(SCHEMA, indent=1) + "\n", encoding="utf-8")
        (folder / "README.txt").write_text(README, encoding="utf-8")

    def _write(self, folder: Path, stem: str, rows: Any) -> int:
        count = 0
        with (
            (folder / f"{stem}.csv").open("w", encoding="utf-8", newline="") as text,
            (folder / f"{stem}.jsonl").open("w", encoding="utf-8") as lines,
        ):
            writer = csv.writer(text, lineterminator="\n")
            writer.writerow(published_votes.COLUMNS)
            for row in rows:
                writer.writerow(row)
                lines.write(json.dumps(dict(zip(published_votes.COLUMNS, row, strict=True)), ensure_ascii=False) + "\n")
                count += 1
        return count


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
