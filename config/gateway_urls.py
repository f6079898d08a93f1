"""What a process of the gateway serves: the API, and whether it is alive."""

from django.urls import include, path

from providers.gateway.asynchronous import in_own_thread
from providers.gateway.urls import patterns

from . import health

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("", include((patterns(in_own_thread), "gateway"), namespace="gateway")),
]
