"""Every fact that Postgres freezes is refused by its form first, in words: a test per column, and none left out."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from arena import voting
from arena.models import OldSlug
from tests import factories as make

pytestmark = pytest.mark.django_db

# Triggers that follow a change instead of refusing it.
FOLLOW = {"a changed slug leads on"}


def voted(**competition):
    battle = make.make_battle(left=make.make_entry(make.make_prompt(make.make_competition(**competition))))
    voting.cast_vote(battle, "left")
    return battle.prompt


def private_category():
    return make.make_category("private", is_private=True)


# (table, column) → the row, and what its form is asked to make of it.
FROZEN = {
    ("arena_category", "mode"): lambda: (voted().competition.category, "mode", "edit"),
    ("arena_category", "slug"): lambda: (voted().competition.category, "slug", "another"),
    ("arena_category", "is_private"): lambda: (voted().competition.category, "is_private", "on"),
    ("arena_competition", "category_id"): lambda: (voted().competition, "category", make.make_category("b").pk),
    ("arena_competition", "question"): lambda: (voted(question="Is it?").competition, "question", "Which is nicer?"),
    ("arena_competition", "criterion"): lambda: (voted().competition, "criterion", "another"),
    ("arena_competition", "shape"): lambda: (voted().competition, "shape", "16:9"),
    ("arena_prompt", "competition_id"): lambda: (voted(), "competition", make.make_competition().pk),
    ("arena_prompt", "text"): lambda: (voted(), "text", "Another"),
    ("arena_prompt", "source_image"): lambda: (
        make.make_prompt(make.make_competition(make.make_category("editing", "edit"))), "source_image-clear", "on",
    ),
    ("providers_imagemodel", "is_private"): lambda: (make.make_offering().image_model, "is_private", "on"),
    ("providers_offering", "image_model_id"): lambda: (
        make.make_offering(), "image_model", make.make_model(is_private=True).pk,
    ),
}  # fmt: skip


def frozen_columns() -> set[tuple[str, str]]:
    """(table, column) of each trigger that looks at what an UPDATE changes."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal "
            "AND tgrelid::regclass::text ~ '^(arena_(category|competition|prompt)|providers_(imagemodel|offering))$'"
        )
        rows = cursor.fetchall()
    columns = set()
    for table, name, definition in rows:
        if name in FOLLOW:
            continue
        columns |= {(table, column) for column in re.findall(r"old\.(\w+)", definition.lower())}
        of = re.search(r"UPDATE OF ([\w, ]+) ON", definition)
        columns |= {(table, column.strip()) for column in of[1].split(",")} if of else set()
    return columns


def test_every_frozen_column_is_in_the_table():
    assert frozen_columns() == set(FROZEN)


@pytest.mark.parametrize("fact", FROZEN, ids="-".join)
def test_the_form_refuses_it_in_words(curator, fact):
    row, field, value = FROZEN[fact]()
    page = f"/admin/{row._meta.app_label}/{row._meta.model_name}/{row.pk}/change/"
    got = curator.get(page)
    form = got.context["adminform"].form
    data = {name: form.get_initial_for_field(form.fields[name], name) for name in form.fields}
    data = {name: value for name, value in data.items() if value is not None and value is not False and value != ""}
    data.pop("source_image", None)
    for formset in got.context["inline_admin_formsets"]:
        data |= {f"{formset.formset.prefix}-{key}": 0 for key in ("TOTAL_FORMS", "INITIAL_FORMS")}
    data |= {key: "{}" for key, value in data.items() if value == {}}
    if "tags" in data:
        data["tags"] = ", ".join(data["tags"])
    assert curator.post(page, data).status_code == 302, "the unchanged form is accepted"
    answer = curator.post(page, data | {field: value})
    assert answer.status_code == 200, fact
    assert answer.context["errors"], fact


def test_a_changed_slug_of_a_competition_leads_on(client, curator):
    competition = make.make_prompt(make.make_competition(slug="first")).competition
    for slug in ("second", "third"):
        competition.slug = slug
        competition.save()
    for old in ("first", "second"):
        response = client.get(f"/competitions/{old}/?page=1")
        assert (response.status_code, response["Location"]) == (301, "/competitions/third/")
    prompt = competition.prompts.get()
    assert client.get(f"/competitions/first/{prompt.pk}/")["Location"] == f"/competitions/third/{prompt.pk}/"
    other = make.make_competition(slug="first")
    assert client.get("/competitions/first/").status_code == 200
    assert set(OldSlug.objects.values_list("slug", flat=True)) == {"second"}
    assert other.title in client.get("/competitions/first/").content.decode()
    make.make_competition(slug="hidden", is_published=False)
    assert client.get("/competitions/hidden/").status_code == 404
