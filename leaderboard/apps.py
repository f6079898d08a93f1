from django.apps import AppConfig


class LeaderboardConfig(AppConfig):
    name = "leaderboard"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from arena import reveals
        from leaderboard.chooser.auto import BoardRatings
        from leaderboard.voter.reveal import RevealExtras
        from providers.gateway import auto_model

        reveals.register(RevealExtras())
        auto_model.register(BoardRatings())
