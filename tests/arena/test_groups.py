"""Ready groups of staff after an upgrade: new rights come, what an operator took away stays away."""

from __future__ import annotations

import importlib

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission

from arena import groups
from arena.models import GivenRight

pytestmark = pytest.mark.django_db
migration = importlib.import_module("arena.migrations.0029_ready_groups_get_new_rights")


def migrate() -> None:
    """What is done after migrations."""
    last = [config for config in apps.get_app_configs() if config.models_module is not None][-1]
    groups.create(last)


def rights(name: str) -> set[str]:
    return set(Permission.objects.filter(group__name=name).values_list("codename", flat=True))


def test_a_new_right_comes_with_the_release_and_one_that_was_taken_away_stays_away(monkeypatch):
    moderators = Group.objects.get(name="Moderator")
    moderators.permissions.remove(Permission.objects.get(codename="change_vote"))
    more = {"Moderator": (*groups.RIGHTS["Moderator"], "arena.change_prompt")}
    monkeypatch.setattr(groups, "RIGHTS", groups.RIGHTS | more)
    before = rights("Moderator")
    migrate()
    assert rights("Moderator") == before | {"change_prompt"}
    moderators.permissions.remove(Permission.objects.get(codename="change_prompt"))
    migrate()
    assert rights("Moderator") == before


def test_a_group_of_an_earlier_release_gets_what_came_since_and_keeps_what_an_operator_gave_and_took():
    GivenRight.objects.all().delete()
    curators = Group.objects.get(name="Curator")
    since = Permission.objects.filter(codename__in=("add_invitation", "change_invitation"))
    taken = Permission.objects.get(codename="add_category")
    given = Permission.objects.get(codename="change_offering")
    curators.permissions.remove(taken, *since)
    curators.permissions.add(given)
    migration.remember(apps, None)
    migrate()
    names = rights("Curator")
    assert {"add_invitation", "change_invitation", "change_offering"} <= names
    assert "add_category" not in names


def test_migrating_twice_changes_nothing():
    before = {name: rights(name) for name in groups.RIGHTS}
    migrate()
    assert {name: rights(name) for name in groups.RIGHTS} == before
