"""The URLs of the gateway. Clients join base URL and path with no slash, one or two, and some end in one."""

from __future__ import annotations

from django.urls import path, re_path

from . import views

app_name = "gateway"
_BASE = "^[/]*openai/+v1/+"
urlpatterns = [
    # The first of each is how the URL is written, the second how it is also read.
    path("openai/v1/images/generations", views.generations, name="generations"),
    re_path(f"{_BASE}images/+generations/*$", views.generations, name="generations"),
    path("openai/v1/images/edits", views.edits, name="edits"),
    re_path(f"{_BASE}images/+edits/*$", views.edits, name="edits"),
    path("openai/v1/images/variations", views.variations, name="variations"),
    re_path(f"{_BASE}images/+variations/*$", views.variations, name="variations"),
    path("openai/v1/responses", views.create_response, name="responses"),
    re_path(f"{_BASE}responses/*$", views.create_response, name="responses"),
    path("openai/v1/images/jobs/<str:name>", views.job, name="job"),
    path("openai/v1/models", views.models, name="models"),
    re_path(f"{_BASE}models/*$", views.models, name="models"),
    path("openai/v1/models/<path:name>", views.model, name="model"),
    re_path(f"{_BASE}models/+(?P<name>.+)$", views.model, name="model"),
    path("openai/v1/key", views.key, name="key"),
    re_path(f"{_BASE}key/*$", views.key, name="key"),
    path("openai/v1/openapi.json", views.openapi, name="openapi"),
    path("openai/files/<str:name>", views.file, name="file"),
    re_path("^[/]*openai(?:/.*)?$", views.unknown, name="unknown"),
    re_path("^[/]*v1(?:/.*)?$", views.unknown, name="unknown-base"),
]
