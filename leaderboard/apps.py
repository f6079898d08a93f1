from django.apps import AppConfig


class LeaderboardConfig(AppConfig):
    name = "leaderboard"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from arena.battle_page import reveal_registry
        from leaderboard.chooser.auto import BoardRatings
        from leaderboard.voter.reveal import RevealExtras
        from providers.gateway import auto_model

        reveal_registry.register(RevealExtras())
        auto_model.register(BoardRatings())
