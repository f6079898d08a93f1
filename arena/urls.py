from django.urls import path, re_path

from arena.views import ballots, battles, images, invitations, rounds, shares, suggestions

app_name = "arena"
urlpatterns = [
    path("arena/<slug:slug>/", battles.arena, name="arena"),
    path("arena/<slug:slug>/wait/", battles.wait, name="wait"),
    path("arena/<slug:slug>/rounds/<int:number>/", rounds.card, name="round"),
    path("arena/<slug:slug>/rounds/<int:number>/share/", shares.round_of_five, name="share-round"),
    path("battles/<uuid:pk>/share/", shares.pair, name="share-pair"),
    re_path(r"^shared/(?P<token>[\w-]{16,32})/$", shares.shared, name="shared"),
    re_path(r"^shared/(?P<token>[\w-]{16,32})/card\.jpg$", shares.card, name="share-card"),
    re_path(r"^shared/(?P<token>[\w-]{16,32})/(?P<number>[1-5])/$", shares.shared_pair, name="shared-pair"),
    re_path(
        r"^shared/(?P<token>[\w-]{16,32})/(?P<number>[1-5])/(?P<side>left|right)\.webp$",
        shares.image,
        name="shared-image",
    ),
    re_path(
        r"^shared/(?P<token>[\w-]{16,32})/(?P<number>[1-5])/(?P<side>left|right)\.small\.webp$",
        shares.image,
        {"small": True},
        name="small-shared-image",
    ),
    path("battles/<uuid:pk>/", battles.battle, name="battle"),
    path("battles/<uuid:pk>/show/", battles.show, name="show"),
    path("battles/<uuid:pk>/report/", battles.report, name="report"),
    path("battles/<uuid:pk>/vote/", battles.vote, name="vote"),
    path("battles/<uuid:pk>/skip/", battles.skip, name="skip"),
    re_path(r"^i/(?P<token>[\w-]{16,32})\.webp$", images.image, name="image"),
    re_path(r"^i/(?P<token>[\w-]{16,32})\.small\.webp$", images.image, {"small": True}, name="small-image"),
    path("vote/", ballots.cast, name="ballot"),
    re_path(
        r"^images/(?P<name>(?:public|sources)/[0-9a-f]{32}\.(?:webp|jpg))$",
        images.public_image,
        name="public-image",
    ),
    path("entries/<int:pk>/", images.entry, name="entry"),
    path("entries/<int:pk>/original", images.original, name="original"),
    re_path(r"^invitations/(?P<token>[\w-]{32})/$", invitations.invitation, name="invitation"),
    path("suggestions/", suggestions.suggest, name="suggest"),
]
