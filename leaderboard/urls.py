from django.urls import path, register_converter

from providers.slugs import DottedSlug

from . import views

register_converter(DottedSlug, "dotted")

app_name = "leaderboard"
urlpatterns = [
    path("", views.home, name="home"),
    path("leaderboard/", views.index, name="index"),
    path("leaderboard/<dotted:slug>.csv", views.category_csv, name="category-csv"),
    path("leaderboard/<dotted:slug>/", views.category, name="category"),
    path("models/", views.models, name="models"),
    path("models/<dotted:slug>/", views.model, name="model"),
    path("competitions/", views.competitions, name="competitions"),
    path("competitions/<dotted:slug>/", views.competition, name="competition"),
    path("snapshots/<int:pk>/", views.snapshot, name="snapshot"),
    path("snapshots/<int:pk>.csv", views.snapshot_csv, name="snapshot-csv"),
    path("methodology/", views.methodology, name="methodology"),
]
