from django.urls import path, re_path, register_converter

from providers.slugs import DottedSlug

from .views import (
    boards,
    choosing,
    comparing,
    competitions,
    finding,
    health,
    indexing,
    labs,
    mine,
    models,
    pages,
    providers,
    snapshots,
)

register_converter(DottedSlug, "dotted")

app_name = "leaderboard"
urlpatterns = [
    path("", pages.home, name="home"),
    path("card.jpg", pages.card, name="site-card"),
    path("leaderboard/", boards.index, name="index"),
    path("leaderboard/overall/", boards.overall, name="overall"),
    path("leaderboard/<dotted:slug>/card.jpg", boards.card, name="category-card"),
    path("leaderboard/<dotted:slug>.csv", boards.category_csv, name="category-csv"),
    path("leaderboard/<dotted:slug>/", boards.category, name="category"),
    path("search/", finding.search, name="search"),
    path("uses/", finding.all_uses, name="uses"),
    path("uses/<str:tag>/", finding.use, name="use"),
    path("week/", finding.week, name="week"),
    path("compare/", comparing.pick, name="compare-pick"),
    path("compare/<dotted:one>/<dotted:two>/", comparing.compare, name="compare"),
    path("compare/<dotted:one>/<dotted:two>/<dotted:three>/", comparing.compare, name="compare"),
    path("compare/<dotted:one>/<dotted:two>/<dotted:three>/<dotted:four>/", comparing.compare, name="compare"),
    path("choose/", choosing.choose, name="choose"),
    path("models/", models.models, name="models"),
    path("models/<dotted:slug>.md", models.model_markdown, name="model-markdown"),
    path("models/<dotted:slug>/", models.model, name="model"),
    path("models/<dotted:slug>/images/", models.gallery, name="model-images"),
    path("models/<dotted:slug>/card.jpg", models.model_card, name="model-card"),
    path("labs/<dotted:slug>/", labs.lab, name="lab"),
    path("providers/<dotted:key>/", providers.provider, name="provider"),
    path("competitions/", competitions.competitions, name="competitions"),
    path("competitions/<dotted:slug>/", competitions.competition, name="competition"),
    path("competitions/<dotted:slug>/<int:pk>/", competitions.prompt, name="prompt"),
    path("snapshots/", snapshots.index, name="snapshots"),
    path("snapshots/<int:pk>/", snapshots.snapshot, name="snapshot"),
    path("snapshots/<int:pk>.csv", snapshots.snapshot_csv, name="snapshot-csv"),
    path("arena/<dotted:slug>/mine/", mine.mine, name="mine"),
    path("arena/<dotted:slug>/mine/share/", mine.share, name="share-ranking"),
    re_path(r"^rankings/(?P<token>[\w-]{22})/$", mine.shared, name="shared-ranking"),
    re_path(r"^rankings/(?P<token>[\w-]{22})\.png$", mine.card, name="ranking-card"),
    re_path(r"^rankings/(?P<token>[\w-]{22})/withdraw/$", mine.withdraw, name="withdraw-ranking"),
    path("robots.txt", indexing.robots, name="robots"),
    path("sitemap.xml", indexing.sitemap, name="sitemap"),
    path("llms.txt", indexing.llms, name="llms"),
    path("methodology/", pages.methodology, name="methodology"),
    path("status/", health.status, name="status"),
]
