from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from config.translations import files, po_files


class Command(BaseCommand):
    help = "Bring the .po files to the texts that templates and code ask for; new ones have an empty msgstr."
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        for app in files.SOURCES:
            for language, _ in settings.LANGUAGES:
                if language == settings.LANGUAGE_CODE:
                    continue
                path = files.catalog_path(app, language)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(po_files.updated(app, language))
