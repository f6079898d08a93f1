from __future__ import annotations

import getpass
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.imports.votes import load
from arena.models import VoteFile


class Command(BaseCommand):
    help = "Take an import's votes out of tallies and boards again, exactly; its row stays, with who and why."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("id", type=int, help="the number that import_votes shows")
        parser.add_argument("--reason", default="withdrawn by an operator", help="why, in up to 200 characters")
        parser.add_argument("--by", default="", help="who; by default the user of this system")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            file = VoteFile.objects.select_related("category").get(pk=options["id"])
        except VoteFile.DoesNotExist as error:
            known = ", ".join(str(row.pk) for row in VoteFile.objects.filter(withdrawn_at=None).order_by("pk")[:20])
            raise CommandError(f"There is no import {options['id']}. There are: {known or 'none'}.") from error
        try:
            votes = load.withdraw(file, options["reason"], options["by"] or getpass.getuser())
        except ValueError as error:
            raise CommandError(str(error)) from error
        if votes:
            self.stdout.write(f"{votes} votes of import {file.pk} ({file.source}) withdrawn from {file.category}.")
        else:
            self.stdout.write(f"Import {file.pk} was withdrawn before: nothing changed.")
