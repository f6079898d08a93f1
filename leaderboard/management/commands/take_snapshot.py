from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.models import Category
from leaderboard.board import snapshots


class Command(BaseCommand):
    help = "Record the boards as they are now, for good. Celery beat does it every day."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("category", nargs="*", help="slugs; all when none is given")

    def handle(self, *args: Any, **options: Any) -> None:
        categories = Category.objects.all()
        if unknown := set(options["category"]) - {category.slug for category in categories}:
            raise CommandError(f"There is no category {', '.join(sorted(unknown))}.")
        for category in categories:
            if options["category"] and category.slug not in options["category"]:
                continue
            taken = snapshots.take(category)
            self.stdout.write(
                f"{category.slug}: no votes" if taken is None else f"{category.slug}: {taken.get_absolute_url()}"
            )
