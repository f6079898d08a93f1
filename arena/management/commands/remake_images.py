from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from arena import generation, images
from arena.models import Entry


class Command(BaseCommand):
    help = "Re-encode battle images from their originals where another pipeline or encoder made them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="also those of today's pipeline")

    def handle(self, *args: Any, **options: Any) -> None:
        entries = Entry.everything.select_related("prompt__competition").order_by("pk")
        if not options["all"]:
            entries = entries.exclude(pipeline=images.PIPELINE)
        done, failed = 0, []
        for entry in entries:
            try:
                generation.re_encode(entry)
                done += 1
            except (images.BadImage, FileNotFoundError) as error:
                failed.append(f"entry {entry.pk}: {error}")
        self.stdout.write(f"{done} images re-encoded.")
        if failed:
            raise CommandError("These still have their old files:\n" + "\n".join(failed))
