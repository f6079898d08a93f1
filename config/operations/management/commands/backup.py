from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.operations import backups
from config.operations.postgres import ProgramFailed


class Command(BaseCommand):
    help = "Write rows and images into one file, while the site runs."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if file.exists():
            raise CommandError(f"{file} exists already.")
        try:
            manifest = backups.backup(file)
        except (ProgramFailed, OSError) as error:
            raise CommandError(str(error)) from error
        rows, size = sum(manifest.rows.values()), file.stat().st_size / 1e6
        self.stdout.write(f"{file}: {rows:,} rows, {manifest.files:,} files, {size:,.1f} MB")
