from django.apps import AppConfig


class LeaderboardConfig(AppConfig):
    name = "leaderboard"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from arena import reveals
        from leaderboard.voter.reveal import RevealExtras

        reveals.register(RevealExtras())
