from django.urls import path, re_path

from leaderboard.api import views

# Included by leaderboard/urls.py, in its namespace.
urlpatterns = [
    path("", views.index, name="api-index"),
    path("openapi.json", views.document, name="api-openapi"),
    path("leaderboards/", views.leaderboards, name="api-leaderboards"),
    path("leaderboards/overall/", views.overall, name="api-overall"),
    path("leaderboards/<dotted:slug>/", views.leaderboard, name="api-leaderboard"),
    path("models/", views.models, name="api-models"),
    path("models/<dotted:slug>/", views.model, name="api-model"),
    path("offerings/", views.offerings, name="api-offerings"),
    path("competitions/", views.competitions, name="api-competitions"),
    path("competitions/<dotted:slug>/", views.competition, name="api-competition"),
    path("prompts/", views.prompts, name="api-prompts"),
    path("prompts/<int:pk>/", views.prompt, name="api-prompt"),
    path("snapshots/", views.snapshots, name="api-snapshots"),
    path("snapshots/<int:pk>/", views.snapshot, name="api-snapshot"),
    path("votes/", views.votes, name="api-votes"),
    path("statistics/", views.statistics, name="api-statistics"),
    re_path(r"^(?P<path>[\s\S]*)$", views.unknown, name="api-unknown"),  # also with a line break in it
]
