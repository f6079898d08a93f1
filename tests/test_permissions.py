"""Who may: every route and every admin action against every role, from the URLconf and the admin as they are.

A route or action that is not in these tables fails, so nobody adds one without deciding who may use it.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.admin.sites import site as admin_site
from django.contrib.auth.models import Permission, User
from django.contrib.messages.storage.cookie import CookieStorage
from django.core.exceptions import PermissionDenied
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from providers.models import ApiKey
from tests import factories as make

pytestmark = pytest.mark.django_db

ANYONE = "anyone"
OWN = "the voter or visitor whose it is; 404 for others"
KEY = "the holder of an API key; 401 for others"
SIGNED = "the client that has the signed URL"

# Route → who. A permission is written as app.codename: staff without it are rejected, anonymous ones sent to the login.
ROUTES = {
    "healthz": ANYONE, "readyz": ANYONE, "favicon.ico": ANYONE, "metrics": KEY, "language": ANYONE,
    "operator-health": "providers.view_call",
    # providers
    "providers:webhook": SIGNED, "providers:playground": ANYONE, "providers:tried": OWN,
    "providers:trial-results": OWN, "providers:trial-image": OWN, "providers:api": ANYONE,
    "providers:keys": "providers.view_apikey", "providers:revoke": "providers.change_apikey", "providers:log": KEY,
    "providers:rotate": "providers.change_apikey",
    "providers:gateway:generations": KEY, "providers:gateway:edits": KEY,
    "providers:gateway:variations": KEY, "providers:gateway:responses": KEY, "providers:gateway:models": KEY,
    "providers:gateway:key": KEY, "providers:gateway:model": KEY, "providers:gateway:job": KEY,
    "providers:gateway:unknown-base": ANYONE, "providers:gateway:openapi": ANYONE,
    "providers:gateway:file": SIGNED, "providers:gateway:unknown": ANYONE,
    # arena
    "arena:arena": ANYONE, "arena:wait": ANYONE, "arena:battle": OWN, "arena:show": OWN, "arena:report": OWN,
    "arena:vote": OWN, "arena:round": OWN, "arena:share-pair": OWN, "arena:share-round": OWN,
    "arena:shared": ANYONE, "arena:shared-pair": ANYONE, "arena:shared-image": ANYONE,
    "arena:small-shared-image": ANYONE, "arena:share-card": ANYONE,
    "arena:skip": OWN, "arena:image": SIGNED, "arena:small-image": SIGNED, "arena:ballot": ANYONE,
 "arena:public-image": ANYONE, "arena:entry": ANYONE, "arena:original": ANYONE,
    "arena:suggest": OWN, "arena:invitation": SIGNED,
    # leaderboard: what everybody may read, but for a voter's own ranking
    **{
        f"leaderboard:{name}": ANYONE
        for name in (
            "home", "wait", "site-card", "index", "overall", "overall-csv", "category-card", "category-csv", "category",
            "search", "uses", "use", "week", "compare-pick", "compare", "choose", "models", "model-markdown", "model",
            "model-images", "model-card", "lab", "provider", "competitions", "competition", "prompt", "snapshots",
            "snapshot", "snapshot-csv", "shared-ranking", "ranking-card", "robots", "sitemap", "llms", "methodology",
            "status", "integrity", "integrity-csv", "integrity-json", "privacy",
            "data", "data-files", "votes-file", "tiny-image", "tiny-source", "medium-source", "large-image",
            "viewer",
            "feed-places", "feed-models", "feed-prices", "feed-drift", "feed-all", "feed-snapshots", "board-top",
            "badge", "live-pair",
            "manifest", "icon", "opensearch", "security",
            "api-index", "api-openapi", "api-leaderboards", "api-overall", "api-leaderboard", "api-models", "api-model",
            "api-offerings", "api-competitions", "api-competition", "api-prompts", "api-prompt", "api-snapshots",
            "api-snapshot", "api-votes", "api-statistics", "api-unknown",
        )
    },
    "leaderboard:own-votes": OWN, "leaderboard:delete-votes": OWN,
    "leaderboard:preview": "staff who may view competitions; 404 for others",
    "leaderboard:private": "who opened an invitation, and staff who may view them; 404 for others",
    "leaderboard:mine": OWN, "leaderboard:share-ranking": OWN, "leaderboard:withdraw-ranking": OWN,
}  # fmt: skip

# Pages of the admin that any staff may open, because each shows only what its reader may see.
STAFF = {"index", "login", "logout", "password_change", "password_change_done", "jsi18n", "autocomplete", "app_list"}


def routes(patterns: list[Any], namespace: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = ":".join(filter(None, [namespace, pattern.namespace]))
            yield from routes(pattern.url_patterns, inner)
        else:
            name = pattern.name or str(pattern.pattern)
            yield f"{namespace}:{name}" if namespace else name, pattern


def all_routes() -> list[tuple[str, URLPattern]]:
    return list(routes(get_resolver().url_patterns))


def url_of(name: str, pattern: URLPattern) -> str:
    """The route with arguments of the right kind, of nothing that exists."""
    samples = {"IntConverter": 987654, "UUIDConverter": uuid.uuid4(), "PathConverter": "987654"}
    arguments = {
        key: samples.get(type(converter).__name__, "nothing") for key, converter in pattern.pattern.converters.items()
    }
    arguments |= dict.fromkeys(set(pattern.pattern.regex.groupindex) - set(arguments), "nothing")
    return reverse(name, kwargs=arguments or None)


def user(*permissions: str, name: str = "") -> User:
    user = User.objects.create_user(name or f"staff-{uuid.uuid4().hex[:8]}", password="x", is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def viewer() -> User:
    viewer = user()
    viewer.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    return viewer


def as_user(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def test_every_route_is_in_the_table_and_every_one_in_the_table_exists():
    known = {name for name, _ in all_routes() if not name.startswith("admin:")}
    assert known - set(ROUTES) == set(), "say in ROUTES who may"
    assert set(ROUTES) - known == set()


def test_staff_need_the_permission_that_the_table_says():
    patterns = dict(all_routes())
    key, _ = ApiKey.make("test")
    for name, who in ROUTES.items():
        if "." not in who:
            continue
        url = reverse(name, args=[key.pk]) if "<" in str(patterns[name].pattern) else reverse(name)
        for method in ("get", "post"):
            anonymous = getattr(as_user(None), method)(url)
            assert anonymous.status_code == 302, (name, method)
            assert "/login/" in anonymous["Location"]
            assert getattr(as_user(user()), method)(url).status_code in (403, 405), (name, method)
        assert as_user(user(who)).get(url).status_code in (200, 405), name
    assert ApiKey.objects.get().revoked_at is None


def test_looking_at_keys_is_not_making_or_revoking_them():
    key, _ = ApiKey.make("test")
    client = as_user(user("providers.view_apikey"))
    assert client.get(reverse("providers:keys")).status_code == 200
    assert client.post(reverse("providers:keys"), {"name": "mine"}).status_code == 403
    assert client.post(reverse("providers:revoke", args=[key.pk])).status_code == 403
    assert as_user(user()).get(reverse("providers:log"), {"key": key.prefix}).status_code == 403
    assert ApiKey.objects.count() == 1
    assert as_user(user("providers.change_apikey")).post(reverse("providers:revoke", args=[key.pk])).status_code == 302


def test_what_belongs_to_a_voter_is_404_for_every_other():
    battle = make.make_battle()
    other = Client()
    make.sign_in(other, make.make_voter())
    staff = as_user(user(name="boss"))
    for name in (
        name for name, who in ROUTES.items() if who == OWN and name.startswith("arena:") and "suggest" not in name
    ):
        own = [battle.prompt.competition.category.slug, 1] if "round" in name else [battle.pk]
        for client in (Client(), other, staff):
            for method in ("get", "post"):
                reply = getattr(client, method)(reverse(name, args=own), {"outcome": "left", "side": "left"})
                assert reply.status_code in (404, 405), (name, method)
    assert not hasattr(type(battle).objects.get(pk=battle.pk), "vote")


def test_the_api_wants_a_key():
    for name, who in ROUTES.items():
        if who == KEY and name.startswith("providers:gateway:"):
            pattern = dict(all_routes())[name]
            method = "post" if name.endswith(("generations", "edits", "variations", "responses")) else "get"
            assert getattr(Client(), method)(url_of(name, pattern)).status_code == 401, name


def test_no_page_of_the_admin_opens_without_its_permission():
    """Custom ones included: those that an admin class adds in get_urls()."""
    clients = {"anonymous": Client(), "staff without rights": as_user(user())}
    checked = 0
    for name, pattern in all_routes():
        if not name.startswith("admin:") or name.removeprefix("admin:") in STAFF:
            continue
        if re.search(r"\(\?P<url>|auth_user_password", str(pattern.pattern) + name):  # catch-all, and Django's own
            continue
        try:
            url = url_of(name, pattern)
        except Exception:  # noqa: S112 - the site's own catch-alls have no name
            continue
        for role, client in clients.items():
            for method in ("get",) if role == "anonymous" else ("get", "post"):
                status = getattr(client, method)(url).status_code
                assert status in ((302,) if role == "anonymous" else (302, 403, 404, 405)), (name, role, method, status)
        checked += 1
    assert checked > 80


def test_a_viewer_sees_every_list_and_adds_nothing():
    client = as_user(viewer())
    for model in admin_site._registry:
        names = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        assert client.get(reverse(f"{names}_changelist")).status_code == 200, names
        assert client.get(reverse(f"{names}_add")).status_code == 403, names


def actions(model_admin: admin.ModelAdmin[Any]) -> Iterator[tuple[str, Any]]:
    for function, name, _ in model_admin._get_base_actions():  # type: ignore[attr-defined]
        yield name, function


def test_every_admin_action_changes_nothing_for_a_viewer():
    request = RequestFactory().post("/admin/", {"confirmed": "1", "reason": "none"})
    request.user = viewer()
    request._messages = CookieStorage(request)
    checked = 0
    for model, model_admin in admin_site._registry.items():
        offered = model_admin.get_actions(request)
        for name, function in actions(model_admin):
            checked += 1
            permissions = getattr(function, "allowed_permissions", None)
            assert permissions, f"{model.__name__}: the action {name} names no permissions="
            if name in offered:
                with pytest.raises(PermissionDenied):
                    function(model_admin, request, model._default_manager.none())
    assert checked >= 15
