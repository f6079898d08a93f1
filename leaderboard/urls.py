from django.urls import path, register_converter

from providers.slugs import DottedSlug

from .views import boards, choosing, comparing, competitions, health, models, pages, snapshots

register_converter(DottedSlug, "dotted")

app_name = "leaderboard"
urlpatterns = [
    path("", pages.home, name="home"),
    path("leaderboard/", boards.index, name="index"),
    path("leaderboard/<dotted:slug>.csv", boards.category_csv, name="category-csv"),
    path("leaderboard/<dotted:slug>/", boards.category, name="category"),
    path("compare/", comparing.pick, name="compare-pick"),
    path("compare/<dotted:one>/<dotted:two>/", comparing.compare, name="compare"),
    path("compare/<dotted:one>/<dotted:two>/<dotted:three>/", comparing.compare, name="compare"),
    path("compare/<dotted:one>/<dotted:two>/<dotted:three>/<dotted:four>/", comparing.compare, name="compare"),
    path("choose/", choosing.choose, name="choose"),
    path("models/", models.models, name="models"),
    path("models/<dotted:slug>/", models.model, name="model"),
    path("competitions/", competitions.competitions, name="competitions"),
    path("competitions/<dotted:slug>/", competitions.competition, name="competition"),
    path("snapshots/", snapshots.index, name="snapshots"),
    path("snapshots/<int:pk>/", snapshots.snapshot, name="snapshot"),
    path("snapshots/<int:pk>.csv", snapshots.snapshot_csv, name="snapshot-csv"),
    path("methodology/", pages.methodology, name="methodology"),
    path("status/", health.status, name="status"),
]
