from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.operations import partitions


class Command(BaseCommand):
    help = (
        "Give each month's battles and votes tables of their own, while the site runs. For tables that are too large "
        "to be maintained in one piece: see docs/capacity.md. Run it again after it was interrupted."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what would be done")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        try:
            partitions.convert(self.stdout.write, dry_run=dry_run)
        except partitions.CannotPartition as error:
            raise CommandError(str(error)) from error
        now = partitions.read()
        months = f", partitions of {', '.join(now.months)}" if now.months else ""
        self.stdout.write(f"Partitioned: {'yes' if now.is_partitioned else 'no'}{months}.")
