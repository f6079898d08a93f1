from django.urls import path, re_path

from . import ballot_views, image_views, suggestion_views, views

app_name = "arena"
urlpatterns = [
    path("arena/<slug:slug>/", views.arena, name="arena"),
    path("arena/<slug:slug>/wait/", views.wait, name="wait"),
    path("battles/<uuid:pk>/", views.battle, name="battle"),
    path("battles/<uuid:pk>/show/", views.show, name="show"),
    path("battles/<uuid:pk>/report/", views.report, name="report"),
    path("battles/<uuid:pk>/vote/", views.vote, name="vote"),
    path("battles/<uuid:pk>/skip/", views.skip, name="skip"),
    re_path(r"^i/(?P<token>[\w-]{16,32})\.webp$", image_views.image, name="image"),
    re_path(r"^i/(?P<token>[\w-]{16,32})\.small\.webp$", image_views.image, {"small": True}, name="small-image"),
    path("vote/", ballot_views.cast, name="ballot"),
    path("i/new/<str:token>.webp", ballot_views.image, name="ballot-image"),
    re_path(
        r"^images/(?P<name>(?:public|sources)/[0-9a-f]{32}\.(?:webp|jpg))$",
        image_views.public_image,
        name="public-image",
    ),
    path("entries/<int:pk>/", image_views.entry, name="entry"),
    path("entries/<int:pk>/original", image_views.original, name="original"),
    path("suggestions/", suggestion_views.suggest, name="suggest"),
]
