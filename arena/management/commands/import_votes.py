from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena import imports
from arena.models import Category

FORMATS = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".parquet": "parquet"}
PROGRESS_EVERY = 100_000  # votes


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
        if votes % PROGRESS_EVERY == 0:
            self.stderr.write(f"{votes:,} votes {done}")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            category = Category.objects.get(slug=options["category"])
        except Category.DoesNotExist as error:
            known = ", ".join(Category.objects.values_list("slug", flat=True)) or "none yet; make one in the admin"
            raise CommandError(f"There is no category “{options['category']}”. There are: {known}.") from error
        try:
            data = options["file"].read_bytes()
        except OSError as error:
            raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
        try:
            done = imports.import_votes(
                data,
                category,
                options["source"],
                kind=options["format"] or FORMATS.get(options["file"].suffix.lower(), "csv"),
                dry_run=options["dry_run"],
                report=self.report,
            )
        except imports.BadVotes as error:
            raise CommandError(f"Nothing was imported.\n{error}") from error
        if not done.new:
            self.stdout.write(f"{category} already holds this file: nothing changed.")
        elif options["dry_run"]:
            self.stdout.write(f"{done.rows} votes about {len(done.models)} models would be imported.")
        else:
            self.stdout.write(f"{done.rows} votes about {len(done.models)} models imported into {category}.")
