from django.apps import AppConfig
from django.core.checks import Tags, register


class OperationsConfig(AppConfig):
    name = "config.operations"
    label = "operations"

    def ready(self) -> None:
        from config.operations import checks
        from config.translations import files, mo_files

        register(checks.encoding, Tags.database)
        mo_files.compile_changed(files.catalog_paths())
