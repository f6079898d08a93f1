"""Look at voters now, or compute all evidence again and compare it with what is stored."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena.integrity import watch


class Command(BaseCommand):
    help = "Look at the voters who voted since the last look. --check computes every stored state again from the votes."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--check", action="store_true", help="compare only; fails when a state comes out different")

    def handle(self, *args: Any, **options: Any) -> None:
        if not options["check"]:
            self.stdout.write(f"Looked at {watch.run()} voters.")
            return
        different = list(watch.differences())
        for state, finding in different[:20]:
            self.stderr.write(
                f"voter {state.voter_id}, category {state.category_id}: stored {state.log_e:.6f} after {state.votes} "
                f"votes, computed {finding.log_e:.6f} after {finding.votes}"
            )
        if different:
            raise CommandError(f"{len(different)} states differ from their votes.")
        self.stdout.write("Every state is what its votes say.")
