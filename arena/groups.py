"""Groups of staff with the rights of their work, there from the first migration on; an operator may change them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.db.models import Q, QuerySet

from arena.models import GivenRight

VIEWED = ("arena", "leaderboard", "providers")
# Group → "app.action_model"; every group may also view everything but keys and their requests.
RIGHTS: dict[str, tuple[str, ...]] = {
    "Viewer": (),
    "Moderator": (
        "arena.change_entry",
        "arena.change_report",
        "arena.change_suggestion",
        "arena.change_vote",
    ),
    "Curator": (
        "arena.add_category",
        "arena.change_category",
        "arena.add_competition",
        "arena.change_competition",
        "arena.add_prompt",
        "arena.change_prompt",
        "arena.change_generation",
        "arena.add_entry",
        "arena.change_entry",
        "arena.change_report",
        "arena.change_suggestion",
        "arena.change_vote",
        "arena.add_votefile",
        "arena.change_votefile",
        "arena.add_invitation",
        "arena.change_invitation",
        "arena.add_importedname",
        "arena.change_importedname",
        "arena.delete_importedname",
    ),
    "Operator": (
        "providers.add_imagemodel",
        "providers.change_imagemodel",
        "providers.add_lab",
        "providers.change_lab",
        "providers.add_offering",
        "providers.change_offering",
        "providers.change_proposal",
        "providers.add_modelalias",
        "providers.change_modelalias",
        "providers.add_apikey",
        "providers.change_apikey",
        "providers.view_apikey",
        "providers.view_gatewayrequest",
        "providers.view_jobwebhook",
        "providers.view_queuedrequest",
        "leaderboard.add_webhook",
        "leaderboard.change_webhook",
        "leaderboard.delete_webhook",
        "leaderboard.view_webhook",
        "leaderboard.view_delivery",
    ),
}
UNSEEN = (  # what only operators look at
    "apikey", "gatewayrequest", "queuedrequest", "jobwebhook", "trial", "webhook", "delivery",
)  # fmt: skip


def create(app_config: Any, **kwargs: Any) -> None:
    """After migrations, once all permissions are there: add missing groups, and to each what it was never given.

    A right that an operator took from a group was given before, so it stays away.
    """
    with_models = [config.label for config in apps.get_app_configs() if config.models_module is not None]
    if app_config.label != with_models[-1]:  # the signal is sent for each of these in turn
        return
    if GivenRight._meta.db_table not in connection.introspection.table_names():  # migrated to an older release
        return
    views = Permission.objects.filter(codename__startswith="view_", content_type__app_label__in=VIEWED)
    # An object's history opens with the right to view the object.
    views = views.exclude(Q(content_type__model__in=UNSEEN) | Q(content_type__model__startswith="historical"))
    for name, own in RIGHTS.items():
        group, _ = Group.objects.get_or_create(name=name)
        given = set(GivenRight.objects.filter(group=group).values_list("permission_id", flat=True))
        _give(group, [right for right in {*views, *_permissions(own)} if right.pk not in given])


def _permissions(rights: Iterable[str]) -> QuerySet[Permission]:
    chosen = Q(pk__in=[])
    for right in rights:
        app, _, codename = right.partition(".")
        chosen |= Q(content_type__app_label=app, codename=codename)
    return Permission.objects.filter(chosen)


def _give(group: Group, permissions: list[Permission]) -> None:
    group.permissions.add(*permissions)
    GivenRight.objects.bulk_create(
        [GivenRight(group=group, permission=permission) for permission in permissions], ignore_conflicts=True
    )
