"""What a process of the gateway serves: the API, and whether it is alive."""

from django.urls import include, path

from providers.gateway.asynchronous import in_own_thread
from providers.gateway.urls import patterns
from providers.gateway.views import not_found

from . import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("", include((patterns(in_own_thread), "gateway"), namespace="gateway")),
]

handler404 = not_found  # no pages here: also what no pattern matches is answered in the envelope
