from django.urls import include, path

from . import webhooks

app_name = "providers"
urlpatterns = [
    path("webhooks/<slug:provider>/", webhooks.webhook, name="webhook"),
    path("", include("providers.gateway.urls")),
]
