from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.imports.votes import load
from arena.imports.votes.files import kind_of
from arena.imports.votes.presets import COLUMNS, PRESETS
from arena.models import Category

PROGRESS_EVERY, BAR_EVERY = 100_000, 10_000  # votes


class Command(BaseCommand):
    help = "Import votes cast elsewhere: CSV, JSON or Parquet with left, right, outcome (voter, prompt, time)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--category", required=True, help="slug of the category whose board they move")
        parser.add_argument("--source", required=True, help="where they come from, as the page will say it")
        parser.add_argument("--like", choices=sorted(PRESETS), default="", help="the columns are those of this arena")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="left=COLUMN",
            help=f"which column is which of {', '.join(COLUMNS)}; may be repeated",
        )
        parser.add_argument("--format", choices=["csv", "jsonl", "parquet"], default="", help="when the bytes mislead")
        parser.add_argument("--dry-run", action="store_true", help="check everything, store nothing")

    def report(self, done: str, votes: int) -> None:
        """A bar in a terminal, else a line now and then. Of Parquet the number of rows is only known at the end."""
        if not self.stderr.isatty():
            if votes % PROGRESS_EVERY == 0:
                self.stderr.write(f"{votes:,} votes {done}")
        elif votes % BAR_EVERY == 0 or votes >= self.lines:
            share = min(votes / self.lines, 1) if self.lines else 0
            bar = f"[{'#' * round(30 * share):30}] {share:4.0%} " if self.lines else ""
            self.stderr.write(f"\r{bar}{votes:,} votes {done} ", str, ending="")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            category = Category.everything.get(slug=options["category"])
        except Category.DoesNotExist as error:
            known = ", ".join(Category.everything.values_list("slug", flat=True)) or "none yet; add one in the admin"
            raise CommandError(f"There is no category “{options['category']}”. There are: {known}.") from error
        if not 0 < len(options["source"].strip()) <= 200:
            raise CommandError("--source has to say in 1 to 200 characters where the votes come from.")
        try:
            data = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        kind = options["format"] or kind_of(data)
        self.lines = 0 if kind == "parquet" else data.rstrip(b"\n").count(b"\n") + 1
        try:
            result = load.import_votes(
                data,
                category,
                options["source"].strip(),
                form=load.FileFormat(kind, options["like"], _mapping(options["map"])),
                dry_run=options["dry_run"],
                report=self.report,
            )
        except load.BadVotes as error:
            raise CommandError(f"Nothing was imported.\n{error}") from error
        finally:
            if self.stderr.isatty():
                self.stderr.write("")
        votes = f"{result.rows} vote{'' if result.rows == 1 else 's'} about {len(result.models)} models"
        if not result.new:
            self.stdout.write(f"{category} already has this file, as import {_number(result)}: nothing changed.")
        elif options["dry_run"]:
            self.stdout.write(f"{votes} would be imported.")
        else:
            self.stdout.write(f"{votes} imported into {category}, as import {_number(result)}.")
        if not result.sides_known:
            self.stdout.write("The file does not say which image stood left: sides were randomised.")


def _number(result: load.ImportResult) -> int:
    assert result.file is not None
    return int(result.file.pk)


def _mapping(pairs: list[str]) -> dict[str, str]:
    """["left=model_a"] → {"left": "model_a"}. Raises CommandError."""
    mapping = {}
    for pair in pairs:
        ours, _, theirs = pair.partition("=")
        if ours.strip() not in COLUMNS or not theirs.strip():
            raise CommandError(f"--map {pair}: write one of {', '.join(COLUMNS)}, “=”, and the file's column.")
        mapping[ours.strip()] = theirs.strip()
    return mapping
