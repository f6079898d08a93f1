"""The API alone: its requests pass no middleware of the pages."""

from django.urls import include, path

from providers.gateway.views import not_found

urlpatterns = [
    path("", include("providers.gateway.urls")),
]

handler404 = not_found  # no pages here: also what no pattern matches is answered in the envelope
