from django.conf import settings
from django.contrib import admin
from django.shortcuts import redirect
from django.templatetags.static import static
from django.urls import include, path

from providers.web import history, selection

from . import health, login
from .operations import views
from .translations.views import choose

if settings.ADMIN_TOTP:
    admin.site.__class__ = login.one_time_site()
admin.site.login = login.throttled(admin.site.login)  # type: ignore[method-assign]
admin.site.admin_view = history.attributed(selection.checked(admin.site.admin_view))  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "Image Arena"
admin.site.index_title = "Curate"

handler404 = "leaderboard.views.not_found.not_found"

urlpatterns = [
    path("", include("arena.urls")),  # first: votes come more often than anything else, and patterns are tried in turn
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    # Browsers ask for this on pages that name no icon, such as the admin's.
    path("favicon.ico", lambda request: redirect(static("favicon.svg"))),
    path("language/", choose, name="language"),
    path("metrics", views.metrics, name="metrics"),
    path("admin/health/", admin.site.admin_view(views.health), name="operator-health"),
    path("admin/", admin.site.urls),
    path("", include("providers.urls")),
    path("", include("leaderboard.urls")),
]
