"""Where the gateway is. `patterns` wraps every view, for a server that is asynchronous (asynchronous.py)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.urls import URLPattern, path

from . import views


def patterns(wrap: Callable[[Any], Any] = lambda view: view) -> list[URLPattern]:
    routes = [
        ("openai/v1/images/generations", views.generations, "generations"),
        ("openai/v1/images/edits", views.edits, "edits"),
        ("openai/v1/models", views.models, "models"),
        ("openai/v1/models/", views.models, "models-slash"),
        ("openai/v1/models/<path:name>", views.model, "model"),
        ("openai/v1/openapi.json", views.openapi, "openapi"),
        ("openai/files/<str:name>", views.file, "file"),
        ("openai/<path:rest>", views.unknown, "unknown"),
    ]
    return [path(route, wrap(view), name=name) for route, view, name in routes]


app_name = "gateway"
urlpatterns = patterns()
