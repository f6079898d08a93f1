from django.apps import AppConfig
from django.core.checks import register
from django.db.models.signals import post_migrate


class ArenaConfig(AppConfig):
    name = "arena"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from arena import checks, groups

        register(checks.unveiling, deploy=True)
        post_migrate.connect(groups.create, dispatch_uid="arena.groups")
