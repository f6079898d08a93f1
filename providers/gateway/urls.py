"""The URLs of the gateway."""

from __future__ import annotations

from django.urls import path

from . import views

app_name = "gateway"
urlpatterns = [
    path("openai/v1/images/generations", views.generations, name="generations"),
    path("openai/v1/images/edits", views.edits, name="edits"),
    path("openai/v1/models", views.models, name="models"),
    path("openai/v1/models/", views.models, name="models-slash"),
    path("openai/v1/models/<path:name>", views.model, name="model"),
    path("openai/v1/openapi.json", views.openapi, name="openapi"),
    path("openai/files/<str:name>", views.file, name="file"),
    path("openai/<path:path>", views.unknown, name="unknown"),
]
