from __future__ import annotations

import getpass
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.imports import images as image_import
from arena.imports import tabular
from arena.models import Competition
from providers.files.file_store import StoreUnwritable

SHOWN = 20  # refused lines that are listed


class Command(BaseCommand):
    help = "Bring images that were made elsewhere: a ZIP, and a CSV with prompt, model, file. Safe to repeat."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("archive", type=Path, metavar="ZIP")
        parser.add_argument("--csv", type=Path, required=True, help="with the columns prompt, model, file")
        parser.add_argument("--competition", required=True, help="slug of the competition whose prompts they answer")
        parser.add_argument("--create-models", action="store_true", help="add models that the catalogue does not have")
        parser.add_argument("--by", default="", help="who brings them; by default the user of this system")
        parser.add_argument("--dry-run", action="store_true", help="check everything, store nothing")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            competition = Competition.everything.select_related("category").get(slug=options["competition"])
        except Competition.DoesNotExist as error:
            known = ", ".join(Competition.everything.values_list("slug", flat=True)[:20]) or "none yet"
            raise CommandError(f"There is no competition “{options['competition']}”. There are: {known}.") from error
        try:
            rows = image_import.import_images(
                options["archive"].read_bytes(),
                options["csv"].read_bytes(),
                competition,
                options["by"] or getpass.getuser(),
                create_models=options["create_models"],
                dry_run=options["dry_run"],
                report=self.report,
            )
        except OSError as error:
            raise CommandError(f"{error.filename} cannot be read: {error.strerror}.") from error
        except tabular.BadFile as error:
            raise CommandError(f"Nothing was imported. {error}") from error
        except StoreUnwritable as error:
            raise CommandError(f"Files cannot be stored: {error}. Run it again when they can.") from error
        numbers = ", ".join(f"{count} {verdict}" for verdict, count in image_import.counts(rows).items())
        self.stdout.write(f"{len(rows)} images{' would be' if options['dry_run'] else ''}: {numbers}.")
        refused = [row for row in rows if row.verdict == image_import.ImageVerdict.REFUSED]
        for row in refused[:SHOWN]:
            self.stderr.write(f"Line {row.row.line}: {row.reason}")
        if len(refused) > SHOWN:
            self.stderr.write(f"… and {len(refused) - SHOWN} more.")

    def report(self, done: int, of: int) -> None:
        if done % 100 == 0:
            self.stderr.write(f"{done} of {of} images")
