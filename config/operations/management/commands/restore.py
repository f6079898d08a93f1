from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from config.operations import backups
from config.operations.backups import BadBackup
from config.operations.postgres import ProgramFailed


class Command(BaseCommand):
    help = "Bring back what `backup` wrote. All rows that the database has now are lost; it asks first."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--check", action="store_true", help="restore into a scratch database, compare, drop it")
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, file: Path, check: bool, yes: bool, **options: Any) -> None:
        try:
            if check:
                manifest = backups.check(file)
                self.stdout.write(f"{file} of {manifest.taken_at}: rows, snapshots and files are as backed up.")
                return
            manifest = backups.read_manifest(file)
            name = connection.settings_dict["NAME"]
            question = f"Replace all rows of the database “{name}” by those of {manifest.taken_at}? Type its name: "
            if not yes and input(question) != name:
                raise CommandError("Nothing was changed.")
            backups.restore(file)
        except (BadBackup, ProgramFailed, OSError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            f"Restored: {sum(manifest.rows.values()):,} rows, {manifest.files:,} files. Run `migrate` now."
        )
