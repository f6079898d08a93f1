from django.urls import path

from . import webhooks

app_name = "providers"
urlpatterns = [
    path("webhooks/<slug:provider>/", webhooks.webhook, name="webhook"),
]
