"""manage.py load_catalog [FILE]: write the models, offerings and prices we ship into the database."""

from __future__ import annotations

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from providers.catalog.load import CatalogError, load


class Command(BaseCommand):
    help = "Load models, offerings and prices. Harmless any number of times; edits made in the admin stay."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", nargs="?", type=Path, help="another file than the catalogue we ship")

    def handle(self, *args: Any, file: Path | None = None, verbosity: int = 1, **options: Any) -> None:
        try:
            report = load(file)
        except CatalogError as error:
            count = len(error.problems)
            problems = "1 problem" if count == 1 else f"{count} problems"
            raise CommandError(f"Nothing was loaded: {problems}.\n{error}") from error
        except OSError as error:
            raise CommandError(f"Nothing was loaded: {error.filename} cannot be read ({error.strerror}).") from error
        for edit in report.edited if verbosity > 0 else ():
            self.stdout.write(f"left as edited here: {edit}")
        self.stdout.write(f"Catalogue: {report}.")
