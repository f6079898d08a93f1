from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.models import Category
from arena.vote_import import load

FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
PROGRESS_EVERY, BAR_EVERY = 100_000, 10_000  # votes


class Command(BaseCommand):
    help = "Import votes cast elsewhere: CSV, JSON lines or Parquet with left, right, outcome (voter, prompt, time)."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--category", required=True, help="slug of the category whose board they move")
        parser.add_argument("--source", required=True, help="where they come from, as the page will say it")
        parser.add_argument(
            "--format", choices=sorted(set(FORMATS.values())), help="when the file's name does not tell"
        )
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
            category = Category.objects.get(slug=options["category"])
        except Category.DoesNotExist as error:
            known = ", ".join(Category.objects.values_list("slug", flat=True)) or "none yet; make one in the admin"
            raise CommandError(f"There is no category “{options['category']}”. There are: {known}.") from error
        if not 0 < len(options["source"].strip()) <= 200:
            raise CommandError("--source has to say in 1 to 200 characters where the votes come from.")
        try:
            data = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        kind = options["format"] or FORMATS.get(options["file"].suffix.lower(), "csv")
        self.lines = 0 if kind == "parquet" else data.rstrip(b"\n").count(b"\n") + 1
        try:
            done = load.import_votes(
                data,
                category,
                options["source"].strip(),
                kind=kind,
                dry_run=options["dry_run"],
                report=self.report,
            )
        except load.BadVotes as error:
            raise CommandError(f"Nothing was imported.\n{error}") from error
        finally:
            if self.stderr.isatty():
                self.stderr.write("")
        if not done.new:
            self.stdout.write(f"{category} already holds this file: nothing changed.")
        elif options["dry_run"]:
            self.stdout.write(f"{done.rows} votes about {len(done.models)} models would be imported.")
        else:
            self.stdout.write(f"{done.rows} votes about {len(done.models)} models imported into {category}.")
