from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from config.operations import retention


class Command(BaseCommand):
    help = "Delete rows that nobody will ask for again; a periodic task does the same every night."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--limit", type=int, default=1_000_000, help="rows of each kind")
        parser.add_argument("--dry-run", action="store_true", help="count only")

    def handle(self, *args: Any, limit: int, dry_run: bool, **options: Any) -> None:
        if dry_run:
            counts = {kind: rows().count() for kind, rows in retention.KINDS.items()}
        else:
            counts = retention.prune(limit)
        for kind, count in counts.items():
            self.stdout.write(f"{count:>10,} {kind}")
