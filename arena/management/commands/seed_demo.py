from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand

from arena.demo import seed


class Command(BaseCommand):
    help = "Add the demo's competitions, prompts and imported votes; queue the sample models' images. Safe to repeat."

    def handle(self, *args: Any, **options: Any) -> None:
        report = seed.seed()
        self.stdout.write(
            f"{report.prompts} prompts and {report.votes} imported votes added, {report.queued} images queued."
        )
