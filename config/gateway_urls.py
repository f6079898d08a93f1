"""What a process of the gateway serves: the API, and whether it is alive."""

from django.urls import include, path

from providers.gateway.views import not_found

from . import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("", include("providers.gateway.urls")),
]

handler404 = not_found  # no pages here: also what no pattern matches is answered in the envelope
