from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.models import Category
from leaderboard.board import ratings
from leaderboard.models import Board


class Command(BaseCommand):
    help = "Recompute the ratings of one category or of all, now."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("category", nargs="*", help="slugs; all when none is given")

    def handle(self, *args: Any, **options: Any) -> None:
        categories = Category.everything.all()
        unknown = set(options["category"]) - {category.slug for category in categories}
        if unknown:
            raise CommandError(f"There is no category {', '.join(sorted(unknown))}.")
        for category in categories:
            if options["category"] and category.slug not in options["category"]:
                continue
            ratings.recompute(category, force=True)
            board = Board.everything.get(category=category)
            if board.error:
                raise CommandError(f"{category.slug}: {board.error}")
            self.stdout.write(f"{category.slug}: {category.ratings.count()} models, {board.votes} votes")
