"""Reports: the battle is void, enough of them hide an image, a curator has the last word."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User

from arena import battles, pairing, reports, voting
from arena.battles import voter_state
from arena.models import Battle, Entry, Report, Tally, Vote
from arena.voters import progress as voter_progress
from tests import factories as make
from tests.arena.battles.test_assignment import together

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _known_voters(monkeypatch) -> None:
    """Every voter weighs whole here; what invented ones weigh: integrity/test_attacks.py."""
    monkeypatch.setattr(reports, "STANDING", 0)


@pytest.fixture
def battle(client) -> Battle:
    battle = make.make_battle()
    make.sign_in(client, battle.voter)
    return battle


def report_by_others(entry: Entry, count: int, reason: str = "broken") -> None:
    for _ in range(count):
        other = make.make_entry(entry.prompt)
        reports.report(make.make_battle(left=entry, right=other), "left", reason)


def test_a_report_voids_its_battle_and_says_thanks(client, battle):
    page = client.get(f"/battles/{battle.pk}/report/")
    assert page.status_code == 200
    assert battle.left.image_model.name not in page.content.decode()
    reply = client.post(f"/battles/{battle.pk}/report/", {"side": "right", "reason": "offensive"}, follow=True)
    assert reply.redirect_chain == [(f"/battles/{battle.pk}/", 302)]
    assert "Thank you for the report" in reply.content.decode()
    assert battle.left.image_model.name not in reply.content.decode()
    report = Report.objects.get()
    assert (report.entry, report.voter, report.reason) == (battle.right, battle.voter, "offensive")
    with pytest.raises(battles.BattleSkipped):
        voting.cast_vote(battle, "left")
    assert not Vote.objects.exists()
    assert voter_progress.of(battle.voter, battle.prompt.competition.category).votes == 0


@pytest.mark.parametrize(
    ("data", "advice"),
    [({"reason": "broken"}, "A or B"), ({"side": "left"}, "what is wrong"), ({"side": "up"}, "A or B")],
)
def test_half_a_report_says_what_to_choose_and_voids_nothing(client, battle, data, advice):
    reply = client.post(f"/battles/{battle.pk}/report/", data)
    assert reply.status_code == 400
    assert advice in reply.content.decode()
    voting.cast_vote(battle, "left")


def test_after_the_names_are_known_a_report_leaves_the_vote(client, battle):
    voting.cast_vote(battle, "left")
    client.post(f"/battles/{battle.pk}/report/", {"side": "left", "reason": "broken"})
    assert Report.objects.count() == 1
    assert Vote.objects.counted().count() == 1


def test_somebody_elses_battle_cannot_be_reported(client, battle):
    make.sign_in(client, make.make_voter())
    assert client.post(f"/battles/{battle.pk}/report/", {"side": "left", "reason": "broken"}).status_code == 404


def test_one_voter_reports_an_image_once(battle):
    first = reports.report(battle, "left", "broken")
    again = make.make_battle(voter=battle.voter, left=battle.left, right=make.make_entry(battle.prompt))
    assert reports.report(again, "left", "offensive") == first
    assert Report.objects.get().reason == "broken"


def test_enough_reports_hide_the_image_from_battles_and_pages(settings):
    settings.REPORTS_TO_HIDE = 2
    entry, other = make.make_entry(), None
    category = entry.prompt.competition.category
    report_by_others(entry, 1)
    assert entry in Entry.objects.current()
    owed = make.make_battle(left=entry, right=make.make_entry(entry.prompt))
    ahead = make.make_battle(left=entry, right=make.make_entry(entry.prompt), served_at=None)
    report_by_others(entry, 1)
    assert entry not in Entry.objects.current()
    assert entry.pk not in {candidate.entry for candidate in pairing.pool(category).candidates}
    other = battles.serve(owed.voter, category)
    assert other is not None
    assert entry not in (other.left, other.right)
    with pytest.raises(battles.Withdrawn):
        battles.show(voter_state.look_at(ahead.voter_id, ahead.pk))


@pytest.mark.django_db(transaction=True)
def test_of_two_reports_at_once_the_later_counts_both(settings):
    settings.REPORTS_TO_HIDE = 4
    entry = make.make_entry()
    rows = [make.make_battle(left=entry, right=make.make_entry(entry.prompt)) for _ in range(4)]
    together(4, lambda number: reports.report(rows[number], "left", "broken"))
    entry.refresh_from_db()
    assert entry.hidden_at is not None


@pytest.fixture
def curator(client):
    client.force_login(User.objects.create_superuser("curator", password="long enough"))
    return client


def decide(curator, action: str) -> str:
    rows = [row.pk for row in Report.objects.open()]
    reply = curator.post("/admin/arena/report/", {"action": action, "_selected_action": rows}, follow=True)
    page: str = reply.content.decode()
    return page


def test_a_curator_sees_the_queue_and_dismisses(curator, settings):
    settings.REPORTS_TO_HIDE = 1
    entry = make.make_entry()
    report_by_others(entry, 2)
    assert entry.image_model.name in curator.get("/admin/arena/report/").content.decode()
    assert "1 images dismissed" in decide(curator, "dismiss")
    entry.refresh_from_db()
    assert (entry.hidden_at, entry.retired_at) == (None, None)
    assert not Report.objects.open().exists()
    assert entry.image_model.name not in curator.get("/admin/arena/report/").content.decode()


def test_accepting_retires_the_image_and_excludes_votes_that_were_not_blind(curator):
    named, broken = make.make_entry(), make.make_entry()
    for entry, reason in ((named, "names_model"), (broken, "broken")):
        voting.cast_vote(make.make_battle(left=entry, right=make.make_entry(entry.prompt)), "left")
        report_by_others(entry, 1, reason)
    assert "2 images retired; 1 votes" in decide(curator, "accept")
    assert {entry.retired_reason for entry in Entry.objects.exclude(retired_at=None)} == {
        "reported: names model", "reported: broken"
    }  # fmt: skip
    assert Vote.objects.get(battle__left=named).excluded_rule == "not-blind-1"
    assert Vote.objects.get(battle__left=broken).excluded_rule == ""
    assert sum(Tally.objects.values_list("n", flat=True)) == 1
