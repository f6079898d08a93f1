from __future__ import annotations

import itertools
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena import generation, images
from arena.models import Entry


class Command(BaseCommand):
    help = "Re-encode battle images from their originals where another pipeline or encoder made them, now and all."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="also those of today's pipeline")

    def handle(self, *args: Any, **options: Any) -> None:
        entries = Entry.everything.select_related("prompt__competition").order_by("prompt", "pk")
        if not options["all"]:
            entries = entries.exclude(pipeline=images.PIPELINE)
        count, failed = entries.count(), []
        for _, of_prompt in itertools.groupby(entries, lambda entry: entry.prompt_id):
            failed += generation.re_encode(of_prompt)
        self.stdout.write(f"{count - len(failed)} images re-encoded.")
        if failed:
            raise CommandError("These still have their old files:\n" + "\n".join(failed))
