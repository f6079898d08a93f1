"""What each ready group of staff may do in the admin: every model, every action and every page of our own.

V viewer, M moderator, C curator, O operator, S superuser. A model, action or page that is not in these tables fails, so
nobody adds one without deciding who may use it; staff without rights never may.
"""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import pytest
from django.contrib.admin import ModelAdmin
from django.contrib.admin.sites import site as admin_site
from django.contrib.auth.models import Group, User
from django.test import Client, RequestFactory
from django.urls import reverse

from tests import factories as make
from tests.test_permissions import actions, all_routes

pytestmark = pytest.mark.django_db

GROUPS = {"V": "Viewer", "M": "Moderator", "C": "Curator", "O": "Operator"}

# Model → who may view, add, change, delete.
MODELS = {
    "auth.Group": ("S", "S", "S", "S"),
    "auth.User": ("S", "S", "S", "S"),
    "providers.Lab": ("VMCOS", "OS", "OS", "S"),
    "providers.ImageModel": ("VMCOS", "OS", "OS", "S"),
    "providers.Offering": ("VMCOS", "OS", "OS", "S"),
    "providers.Proposal": ("VMCOS", "", "OS", ""),
    "providers.Call": ("VMCOS", "", "", ""),
    "providers.GatewayRequest": ("OS", "", "", ""),
    "providers.QueuedRequest": ("OS", "", "", ""),
    "providers.JobWebhook": ("OS", "", "", ""),
    "providers.ApiKey": ("OS", "OS", "OS", ""),
    "providers.ModelAlias": ("VMCOS", "OS", "OS", "S"),
    "arena.Category": ("VMCOS", "CS", "CS", "S"),
    "arena.Competition": ("VMCOS", "CS", "CS", "S"),
    "arena.Generation": ("VMCOS", "", "", ""),
    "arena.Entry": ("VMCOS", "", "", ""),
    "arena.Report": ("VMCOS", "", "", ""),
    "arena.Prompt": ("VMCOS", "CS", "CS", ""),
    "arena.Suggestion": ("VMCOS", "", "MCS", "S"),
    "arena.Battle": ("VMCOS", "", "", ""),
    "arena.Vote": ("VMCOS", "", "", ""),
    "arena.VoteFile": ("VMCOS", "", "", ""),
    "leaderboard.Webhook": ("OS", "OS", "OS", "OS"),
    "arena.ImportedName": ("VMCOS", "CS", "CS", "CS"),
    "arena.VoterWatch": ("VMCOS", "", "", ""),
    "arena.NetworkWatch": ("VMCOS", "", "", ""),
    "arena.VoterDecision": ("VMCOS", "", "", ""),
    "arena.Invitation": ("VMCOS", "CS", "CS", ""),
}
# Bulk action → who is offered it, and so may run it. Deleting is who may delete.
ACTIONS = {
    "providers.ImageModel:retire": "OS", "providers.ImageModel:bring_back": "OS",
    "providers.Proposal:accept": "OS", "providers.Proposal:reject": "OS",
    "providers.ApiKey:revoke": "OS", "leaderboard.Webhook:send_test": "OS",
    "arena.Generation:ask_again": "CS",
    "arena.Entry:retire": "MCS", "arena.Entry:bring_back": "MCS",
    "arena.Report:accept": "MCS", "arena.Report:dismiss": "MCS",
    "arena.Prompt:retire": "CS", "arena.Prompt:bring_back": "CS",
    "arena.Suggestion:accept": "MCS", "arena.Suggestion:decline": "MCS",
    "arena.Vote:stop_counting": "MCS", "arena.Vote:count_again": "MCS",
    "arena.VoteFile:withdraw": "CS",
    "arena.VoterWatch:exclude_voters": "MCS", "arena.VoterWatch:count_again": "MCS", "arena.VoterWatch:dismiss": "MCS",
    "arena.Invitation:revoke": "CS",
}  # fmt: skip
# Page of our own → who may open it.
PAGES = {
    "operator-health": "VMCOS",
    "providers:keys": "OS",
    "admin:providers_offering_trial": "OS",
    "admin:arena_competition_ask": "CS", "admin:arena_competition_ask_progress": "CS",
    "admin:arena_competition_ask_total": "CS", "admin:arena_competition_images": "CS",
    "admin:arena_competition_preview": "VMCOS", "admin:arena_queue": "VMCOS",
    "admin:arena_entry_sheet": "VMCOS", "admin:arena_stored_file": "VMCOS",
    "admin:arena_prompt_bulk": "CS", "admin:arena_prompt_export": "VMCOS",
    "admin:arena_votefile_import": "CS",
}  # fmt: skip


@pytest.fixture
def staff() -> dict[str, User]:
    users = {letter: User.objects.create_user(name, is_staff=True) for letter, name in GROUPS.items()}
    for letter, user in users.items():
        user.groups.add(Group.objects.get(name=GROUPS[letter]))
    none = User.objects.create_user("none", is_staff=True)
    return users | {"S": User.objects.create_superuser("boss"), "-": none}


def allowed(staff: dict[str, User], may: Any) -> str:
    return "".join(letter for letter in "VMCOS-" if may(staff[letter]))


def request_of(user: User) -> Any:
    request = RequestFactory().get("/admin/")
    request.user = User.objects.get(pk=user.pk)
    return request


def has(model_admin: ModelAdmin[Any], right: str, user: User) -> bool:
    return bool(getattr(model_admin, f"has_{right}_permission")(request_of(user)))


def test_every_model_of_the_admin_is_in_the_table_and_its_rights_are_those(staff):
    rights = {
        model._meta.label: tuple(
            allowed(staff, partial(has, model_admin, right)) for right in ("view", "add", "change", "delete")
        )
        for model, model_admin in admin_site._registry.items()
    }
    assert rights == MODELS


def test_the_pages_of_a_model_open_to_those_alone(staff):
    clients = {letter: Client() for letter in staff}
    for letter, client in clients.items():
        client.force_login(staff[letter])
    for model in admin_site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        view, add, _, _ = MODELS[model._meta.label]
        for url, right in ((reverse(f"{name}_changelist"), view), (reverse(f"{name}_add"), add)):
            opened = "".join(letter for letter, client in clients.items() if client.get(url).status_code == 200)
            assert set(opened) == set(right), url


def test_every_action_of_the_admin_is_in_the_table_and_offered_to_those_alone(staff):
    offered = {}
    for model, model_admin in admin_site._registry.items():
        for name, _ in actions(model_admin):
            offers = {user.pk: model_admin.get_actions(request_of(user)) for user in staff.values()}
            who = allowed(staff, lambda user, name=name, offers=offers: name in offers[user.pk])
            if name == "delete_selected":
                assert set(who) <= set(MODELS[model._meta.label][3]), model
            else:
                offered[f"{model._meta.label}:{name}"] = who
    assert offered == ACTIONS


def test_every_page_of_our_own_is_in_the_table_and_opens_to_those_alone(staff):
    names = {name for name, _ in all_routes() if name.startswith("admin:")}
    standard = re.compile(r"admin:\w+_(changelist|add|change|delete|history|password_change)$")
    ours = {name for name in names if re.match(r"admin:(arena|providers|leaderboard)_", name)}
    assert {name for name in ours if not standard.match(name)} | {"operator-health", "providers:keys"} == set(PAGES)

    entry = make.make_entry()
    prompt, offering = entry.prompt, make.make_offering()
    arguments: dict[str, list[Any]] = {
        "admin:providers_offering_trial": [offering.pk],
        "admin:arena_entry_sheet": [prompt.pk],
        "admin:arena_stored_file": entry.original.name.split("/"),
    }
    by_competition = ("arena_competition_", "arena_prompt_")
    for name, who in PAGES.items():
        args = arguments.get(name, [prompt.competition_id] if any(part in name for part in by_competition) else [])
        url, opened = reverse(name, args=args), ""
        for letter, user in staff.items():
            client = Client()
            client.force_login(user)
            status = client.get(url).status_code
            assert status in (200, 403), (name, letter, status)
            opened += letter if status == 200 else ""
        assert set(opened) == set(who), name
        assert Client().get(url).status_code == 302, name
