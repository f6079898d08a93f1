from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from arena.demo import seed


class Command(BaseCommand):
    help = "Add the demo's competitions, prompts and imported votes; queue the sample models' images. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        result = seed.seed()
        self.stdout.write(
            f"{result.prompts} prompts and {result.votes} imported votes added, {result.queued} images queued."
        )
