"""One queue of what visitors sent: all that a decision needs, and a reason that its visitor reads."""

from __future__ import annotations

import uuid

import pytest
from django.contrib.auth.models import Group, User
from django.db import IntegrityError, transaction
from django.test import Client

from arena import reports
from arena.models import Entry, Prompt, Report, Suggestion
from tests import factories as make

pytestmark = pytest.mark.django_db
QUEUE = "/admin/arena/suggestion/queue/"
LONG = "A lighthouse keeper’s table at dawn, with a brass lamp, two letters and a cat that sleeps on a chart of the bay"


def suggest(text: str, mode: str = "text-to-image") -> Suggestion:
    return Suggestion.objects.create(text=text, mode=mode, trials=uuid.uuid4())


def reported(reason: str = "broken"):
    battle = make.make_battle()
    return reports.report(battle, "left", reason), battle


@pytest.fixture
def moderator(client):
    user = User.objects.create_user("moderator", is_staff=True)
    user.groups.add(Group.objects.get(name="Moderator"))
    client.force_login(user)
    return client


def decide(client, action: str, pk: int, **fields) -> str:
    page: str = client.post(QUEUE, {"action": action, "pk": pk, **fields}, follow=True).content.decode()
    return page


def test_the_queue_shows_whole_prompts_images_and_what_is_much_alike(moderator):
    there = make.make_prompt(text="A red kite over dunes at noon")
    near, long = suggest("A red kite over the dunes at noon"), suggest(LONG)
    suggest("a RED kite over the dunes at noon")
    report, _ = reported("names_model")
    page = moderator.get(QUEUE).content.decode()
    assert LONG in page
    assert report.entry.image.url in page
    assert report.entry.prompt.text in page
    assert "names or marks the model that made it (1)" in page
    assert f'<option value="{there.pk}">A red kite over dunes at noon' in page
    assert "1 other suggestion with this very text waits." in page
    assert page.index(near.text) < page.index(long.text), "the oldest first"
    index = " ".join(moderator.get("/admin/").content.decode().split())
    assert "Waiting for a decision: 1 report, 3 suggestions" in index
    assert QUEUE in index


def test_a_report_is_accepted_or_dismissed_with_a_reply_that_its_reporter_reads(moderator):
    for action, state, words in (
        ("report accept", True, "took the image away. Well seen."),
        ("report dismiss", False, "left the image. Well seen."),
    ):
        report, battle = reported()
        voter = Client()
        make.sign_in(voter, battle.voter)
        assert "A curator will look at the image." in voter.get(battle.get_absolute_url()).content.decode()
        decide(moderator, action, report.entry_id, reason="Well seen.")
        assert (Entry.objects.get(pk=report.entry_id).retired_at is not None) == state
        assert words in " ".join(voter.get(battle.get_absolute_url()).content.decode().split())
    assert "Nothing waits." in moderator.get(QUEUE).content.decode()


def test_a_suggestion_is_accepted_merged_or_declined(moderator):
    there = make.make_prompt(text="A red kite over dunes at noon")
    taken, merged, declined = (suggest(text) for text in ("Two owls", "A red kite over the dunes at noon", "Spam"))
    assert "choose the competition" in decide(moderator, "suggestion accept", taken.pk)
    decide(moderator, "suggestion accept", taken.pk, competition=there.competition_id)
    decide(moderator, "suggestion merge", merged.pk, prompt=there.pk)
    assert "its visitor reads it" in decide(moderator, "suggestion decline", declined.pk)
    decide(moderator, "suggestion decline", declined.pk, reason="Not about pictures.")
    rows = {row.text: row for row in Suggestion.objects.select_related("prompt")}
    assert rows["Two owls"].prompt.competition == there.competition
    assert rows[merged.text].prompt == there
    assert rows["Spam"].decline_reason == "Not about pictures."
    assert Prompt.objects.count() == 2
    assert Suggestion.history.filter(id=merged.pk).first().history_change_reason == f"Merged into prompt {there.pk}."
    assert "decided this meanwhile" in decide(moderator, "suggestion decline", merged.pk, reason="late")


def test_what_does_not_fit_is_said_and_changes_nothing(moderator):
    editing = make.make_competition(make.make_category("image-editing", "edit"))
    row = suggest("Two owls")
    assert "about text-to-image" in decide(moderator, "suggestion accept", row.pk, competition=editing.pk)
    assert "asks for something else" in decide(
        moderator, "suggestion merge", row.pk, prompt=make.make_prompt(editing).pk
    )
    for action, pk in (("suggestion fly", row.pk), ("suggestion decline", "x"), ("", row.pk)):
        assert "choose what to do" in decide(moderator, action, pk, reason="x")
    assert Suggestion.objects.filter(decided_at=None).count() == 1


def test_who_may_only_look_decides_nothing(client):
    user = User.objects.create_user("viewer", is_staff=True)
    client.force_login(user)
    assert client.get(QUEUE).status_code == 403
    user.groups.add(Group.objects.get(name="Viewer"))
    row, (report, _) = suggest("Two owls"), reported()
    page = client.get(QUEUE).content.decode()
    assert "Two owls" in page
    assert "<button" not in page.partition('id="content"')[2]
    for action, pk in (("suggestion decline", row.pk), ("report accept", report.entry_id)):
        assert client.post(QUEUE, {"action": action, "pk": pk, "reason": "x"}).status_code == 403
    assert Suggestion.objects.filter(decided_at=None).exists()
    assert Report.objects.open().exists()


def test_a_long_queue_has_pages_and_few_queries(moderator, django_assert_max_num_queries):
    for number in range(12):
        suggest(f"Suggestion {number}: {uuid.uuid4()}")
    with django_assert_max_num_queries(40):
        page = moderator.get(QUEUE).content.decode()
    assert "Page 1 of 2" in page
    assert "Suggestion 11:" in moderator.get(f"{QUEUE}?page=2").content.decode()


def test_only_a_resolved_report_has_a_reply():
    report, _ = reported()
    with pytest.raises(IntegrityError, match="only a resolved report has a reply"), transaction.atomic():
        Report.objects.filter(pk=report.pk).update(reply="early")
