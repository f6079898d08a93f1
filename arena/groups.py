"""Groups of staff with the rights of their work, there from the first migration on; an operator may change them."""

from __future__ import annotations

from typing import Any

from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db.models import Q

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
        "leaderboard.add_webhook",
        "leaderboard.change_webhook",
        "leaderboard.delete_webhook",
        "leaderboard.view_webhook",
        "leaderboard.view_delivery",
    ),
}
UNSEEN = ("apikey", "gatewayrequest", "trial", "webhook", "delivery")  # what only operators look at


def create(app_config: Any, **kwargs: Any) -> None:
    """After migrations, once all permissions are there: add the groups that are missing."""
    with_models = [config.label for config in apps.get_app_configs() if config.models_module is not None]
    if app_config.label != with_models[-1]:  # the signal is sent for each of these in turn
        return
    present = set(Group.objects.filter(name__in=RIGHTS).values_list("name", flat=True))
    missing = [name for name in RIGHTS if name not in present]
    if not missing:
        return
    views = Permission.objects.filter(codename__startswith="view_", content_type__app_label__in=VIEWED)
    # An object's history opens with the right to view the object.
    views = views.exclude(Q(content_type__model__in=UNSEEN) | Q(content_type__model__startswith="historical"))
    for name in missing:
        own = Q(pk__in=[])
        for right in RIGHTS[name]:
            app, _, codename = right.partition(".")
            own |= Q(content_type__app_label=app, codename=codename)
        Group.objects.create(name=name).permissions.set({*views, *Permission.objects.filter(own)})
