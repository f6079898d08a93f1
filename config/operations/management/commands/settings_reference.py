from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.operations import settings_reference


class Command(BaseCommand):
    help = "Write docs/settings.md from .env.example."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        Path(settings.BASE_DIR, settings_reference.TARGET).write_text(settings_reference.page())
