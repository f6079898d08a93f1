from django.urls import include, path

from providers.webhooks import views

from .gateway import pages
from .playground import views as playground

app_name = "providers"
urlpatterns = [
    path("webhooks/<slug:provider>/", views.webhook, name="webhook"),
    path("playground/", playground.playground, name="playground"),
    path("playground/<uuid:group>/", playground.tried, name="tried"),
    path("playground/<uuid:group>/results/", playground.results, name="trial-results"),
    path("playground/images/<uuid:pk>/", playground.image, name="trial-image"),
    path("api/", pages.api, name="api"),
    path("api/keys/", pages.manage, name="keys"),
    path("api/keys/<int:pk>/revoke/", pages.revoke, name="revoke"),
    path("api/keys/<int:pk>/rotate/", pages.rotate, name="rotate"),
    path("api/log/", pages.log, name="log"),
    path("", include("providers.gateway.urls")),
]
