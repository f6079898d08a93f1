from django.contrib import admin
from django.urls import include, path

from . import health

admin.site.site_header = admin.site.site_title = "Image Arena"
admin.site.index_title = "Curate"

urlpatterns = [
    path("healthz", health.healthz),
    path("readyz", health.readyz),
    path("admin/", admin.site.urls),
    path("", include("providers.urls")),
    path("", include("arena.urls")),
    path("", include("leaderboard.urls")),
]
