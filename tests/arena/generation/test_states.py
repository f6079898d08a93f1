"""A competition's states, facts that are frozen once they are used, groups of staff, and who did what."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.core.exceptions import ValidationError
from django.utils import timezone

from arena import suggestions, voting
from arena.models import Category, Competition, Prompt, Suggestion
from tests import factories as make
from tests.arena.test_constraints import refuses, update

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("published", "opens", "closes", "state"),
    [
        (False, None, None, "draft"),
        (False, -1, None, "draft"),
        (True, 1, None, "announced"),
        (True, 1, 2, "announced"),
        (True, None, None, "open"),
        (True, -1, 1, "open"),
        (True, -2, -1, "closed"),
        (True, None, -1, "closed"),
    ],
)
def test_the_state_follows_from_publication_and_dates(published, opens, closes, state):
    now = timezone.now()
    competition = make.make_competition(
        is_published=published,
        opens_at=None if opens is None else now + opens * HOUR,
        closes_at=None if closes is None else now + closes * HOUR,
    )
    assert competition.state == state
    assert competition.is_open == Competition.objects.open().exists() == (state == "open")
    assert competition.is_unveiled == Competition.objects.unveiled().exists() == (state in ("open", "closed"))


def test_an_announced_competition_shows_itself_but_no_image_and_no_name(client):
    entry = make.make_entry()
    competition = entry.prompt.competition
    pages = [
        competition.get_absolute_url(),
        entry.get_absolute_url(),
        f"/competitions/{competition.slug}/prompts/{entry.prompt_id}/",
        entry.image_model.get_absolute_url(),
    ]
    shown = [client.get(page).content.decode() for page in pages]
    assert entry.thumbnail.name in shown[0]
    assert entry.thumbnail.name in shown[3]
    Competition.objects.update(opens_at=timezone.now() + HOUR)
    announced = client.get(pages[0]).content.decode()
    assert competition.title in announced
    for page in pages:
        text = client.get(page).content.decode()
        assert entry.thumbnail.name not in text
    assert client.get(entry.get_absolute_url()).status_code == 404


# Frozen: Postgres refuses it, and the form says so ────────────────────────────────────────────────────────────


def form_error(row, **changes) -> str:
    for name, value in changes.items():
        setattr(row, name, value)
    with pytest.raises(ValidationError) as caught:
        row.full_clean()
    return str(caught.value)


def voted():
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    return battle


def test_a_used_category_keeps_its_mode_and_slug():
    category = voted().prompt.competition.category
    assert "cannot change once there are votes" in form_error(category, slug="another")
    category.refresh_from_db()
    assert "mode cannot change any more" in form_error(category, mode="edit")
    category.refresh_from_db()
    refuses("a category is frozen once it is used", update(category, slug="another"))
    refuses("a category is frozen once it is used", update(category, mode="edit"))
    Category.objects.filter(pk=category.pk).update(name="Another name")
    fresh = make.make_category("fresh")
    Category.objects.filter(pk=fresh.pk).update(slug="fresher", mode="edit")


def test_a_prompt_that_was_voted_on_keeps_text_image_and_competition():
    prompt = voted().prompt
    other = make.make_competition()
    for changes in ({"text": "Another"}, {"competition": other}):
        prompt.refresh_from_db()
        assert "cannot change any more" in form_error(prompt, **changes)
    prompt.refresh_from_db()
    refuses("a prompt is frozen once voters were asked", update(prompt, competition=other))


def test_an_edit_and_nothing_else_has_a_source_image():
    editing = make.make_competition(make.make_category("image-editing", "edit"))
    reason = "an edit and nothing else has a source image"
    refuses(reason, lambda: Prompt.objects.create(competition=editing, text="Make it night"))
    refuses(reason, lambda: Prompt.objects.create(competition=make.make_competition(), text="A", source_image="a.jpg"))
    refuses(reason, update(make.make_prompt(editing), source_image=""))
    refuses("only a source image has a sha256", update(make.make_prompt(), source_sha256="a" * 64))


def test_a_competition_with_prompts_stays_in_its_mode():
    competition = make.make_prompt().competition
    editing = make.make_category("image-editing", "edit")
    assert "this category is not" in form_error(competition, category=editing)
    competition.refresh_from_db()
    refuses("a competition with prompts keeps its mode", update(competition, category=editing))
    Competition.objects.filter(pk=competition.pk).update(category=make.make_category("another"))


# Who may, and who did ────────────────────────────────────────────────────────────


def member(client, group: str):
    user = User.objects.create_user(group.lower(), password="long enough", is_staff=True)
    user.groups.add(Group.objects.get(name=group))
    client.force_login(user)
    return client


def test_there_are_groups_with_the_rights_of_their_work():
    rights = {
        group.name: {f"{p.content_type.app_label}.{p.codename}" for p in group.permissions.all()}
        for group in Group.objects.all()
    }
    assert set(rights) == {"Curator", "Moderator", "Operator", "Viewer"}
    assert all(codename.partition(".")[2].startswith("view_") for codename in rights["Viewer"])
    assert "arena.view_entry" in rights["Viewer"] <= rights["Curator"]
    assert "arena.change_report" in rights["Moderator"] - rights["Viewer"]
    assert "arena.change_competition" not in rights["Moderator"] | rights["Operator"]
    assert "providers.view_apikey" in rights["Operator"]
    assert not any("apikey" in right for right in rights["Curator"] | rights["Viewer"] | rights["Moderator"])
    assert not any(right.startswith("auth.") for right in set().union(*rights.values()))


@pytest.mark.parametrize(
    ("group", "may"),
    [("Curator", True), ("Moderator", True), ("Operator", False), ("Viewer", False)],
)
def test_who_may_retire_an_image_and_that_it_says_who_did(client, group, may):
    entry = make.make_entry()
    staff = member(client, group)
    page = staff.get("/admin/arena/entry/").content.decode()
    assert ('value="retire"' in page) is may
    staff.post("/admin/arena/entry/", {"action": "retire", "_selected_action": [entry.pk]})
    entry.refresh_from_db()
    assert (entry.retired_at is not None) is may
    logged = LogEntry.objects.filter(object_id=str(entry.pk)).values_list("user__username", "change_message")
    assert list(logged) == ([(group.lower(), "Retired.")] if may else [])
    if may:
        assert entry.retired_reason == f"by a curator ({group.lower()})"
        assert "Retired." in staff.get(f"/admin/arena/entry/{entry.pk}/history/").content.decode()


def test_a_viewer_changes_nothing_in_bulk(client):
    prompt = make.make_prompt()
    viewer = member(client, "Viewer")
    for action in ("retire", "bring_back"):
        viewer.post("/admin/arena/prompt/", {"action": action, "_selected_action": [prompt.pk]})
    prompt.refresh_from_db()
    assert prompt.retired_at is None
    for url in (f"/admin/arena/competition/{prompt.competition_id}/ask/", "/admin/arena/votefile/import/"):
        assert viewer.post(url, {"action": "pause"}).status_code == 403
    assert viewer.get(f"/admin/arena/competition/{prompt.competition_id}/images/").status_code == 403


# Suggestions ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def suggest(text: str) -> Suggestion:
    import uuid

    return Suggestion.objects.create(text=text, mode="text-to-image", trials=uuid.uuid4())


def test_suggestions_are_a_queue_with_twins_shown_and_a_reason_to_decline(client):
    make.make_prompt(text="A red kite over dunes at noon")
    near, new = suggest("A red kite over the dunes at noon"), suggest("Something else")
    assert [prompt.text for prompt in suggestions.alike(near)] == ["A red kite over dunes at noon"]
    assert suggestions.alike(new) == []
    moderator = member(client, "Moderator")
    assert "2 suggestions" in moderator.get("/admin/").content.decode()
    page = moderator.get("/admin/arena/suggestion/").content.decode()
    assert "“A red kite over dunes at noon” in" in page
    chosen = {"action": "decline", "_selected_action": [near.pk]}
    refused = moderator.post("/admin/arena/suggestion/", chosen, follow=True).content.decode()
    assert "say beside the action why" in refused
    moderator.post("/admin/arena/suggestion/", chosen | {"reason": "We have one like it."})
    near.refresh_from_db()
    assert near.decline_reason == "We have one like it."
    assert near.text not in moderator.get("/admin/arena/suggestion/").content.decode()
    refuses("only a declined suggestion says why", update(new, decline_reason="No."))


def test_all_images_of_a_prompt_stand_side_by_side(client):
    entry = make.make_entry()
    other = make.make_entry(entry.prompt)
    page = member(client, "Moderator").get(f"/admin/arena/entry/sheet/{entry.prompt_id}/").content.decode()
    for answer in (entry, other):
        assert answer.thumbnail.url in page
        assert answer.image_model.name in page


@pytest.mark.parametrize("text", ["", "\0", "²", "x", "9" * 40, "\ud800"])
def test_whatever_is_sent_to_an_action_is_an_answer_and_no_error(client, text):
    client.force_login(User.objects.create_superuser("root", password="long enough"))
    entry = make.make_entry()
    competition = entry.prompt.competition_id
    posts = {
        f"/admin/arena/competition/{competition}/ask/": [
            {"action": action, "model": text, "outcome": text, "confirmed": text}
            for action in ("review", "ask", "pause", "resume", "cancel", "retry", text)
        ],
        f"/admin/arena/competition/{competition}/images/": [{"staged": text}],
        f"/admin/arena/prompt/bulk/{competition}/": [{"staged": text}, {"text": text}],
        "/admin/arena/votefile/import/": [{"category": text, "source": text, "mapping": text, "staged": text}],
        "/admin/arena/suggestion/": [
            {"action": action, "competition": text, "reason": text, "_selected_action": [suggest("A cat").pk]}
            for action in ("accept", "decline")
        ],
    }
    for url, forms in posts.items():
        for fields in forms:
            reply = client.post(url, {key: value for key, value in fields.items() if "\ud800" not in str(value)})
            assert reply.status_code in (200, 302, 400), (url, fields)
    assert client.get(f"/admin/arena/prompt/add/?competition={text.replace(chr(0xD800), '')}").status_code in (
        200,
        302,
        400,
    )
