"""The public ledger, its alarms, and what visitors may read, take along and delete of their own."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone

from arena import integrity, voters, voting
from arena.integrity import alarm, caps, consequences, ledger, rules, watch
from arena.models import Battle, Entry, Tally, Vote, Voter
from arena.voting import recount
from leaderboard.board import ledger as page_of_ledger
from leaderboard.board import pair_counts
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def votes():
    """Eight votes of two voters on one prompt's images: five count."""
    prompt = make.make_prompt()
    entries = [make.make_entry(prompt) for _ in range(3)]
    ids = []
    for number in range(8):
        battle = make.make_battle(left=entries[number % 3], right=entries[(number + 1) % 3])
        voting.cast_vote(battle, ("left", "right", "left", "tie")[number % 4])
        ids.append(battle.pk)
    integrity.exclude(ids[:2], rules.FAST.reason, rules.FAST.name)
    integrity.exclude(ids[2:3], "by hand", rules.CURATOR.name)
    return ids


def test_the_ledger_counts_what_the_table_holds(client, votes):
    Battle.objects.filter(pk__in=votes[4:6]).update(familiar=1)
    page = client.get("/integrity/").content.decode()
    assert "3 of 8 votes were not counted: 37.5%" in page
    assert rules.FAST.title in page
    assert "40.0% of votes" in page  # two of the five
    rows = client.get("/integrity.csv").content.decode().splitlines()
    assert rows[0] == "week,category,rule,reason,votes,share_of_cast"
    assert sum(int(row.split(",")[4]) for row in rows[1:]) == 8
    data = client.get("/integrity.json").json()
    assert (data["cast"], data["counted"], data["familiar"]) == (8, 5, 2)
    (category,) = data["categories"]
    assert category["with_every_vote"]["model"]
    assert sum(category["share_of_votes"].values()) == pytest.approx(2)


def test_the_first_vote_of_an_arena_is_one_vote(client):
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    assert "0 of 1 vote was not counted: 0.0%" in client.get("/integrity/").content.decode()
    in_german = client.get("/integrity/", headers={"Accept-Language": "de"}).content.decode()
    assert "0 von 1 Stimme wurde nicht gezählt: 0,0\xa0%" in in_german


def test_the_ledger_has_the_cap_of_every_category_and_what_it_follows_from(client, votes):
    caps.follow()
    page = " ".join(client.get("/integrity/").content.decode().split())
    assert "a voter’s first 50 votes of any 90 days count now (votes so far: 5, voters: 5)." in page
    (cap,) = client.get("/integrity.json").json()["caps"]
    assert (cap["cap"], cap["votes"], cap["voters"]) == (50, 5, 5)


def test_an_empty_ledger_says_so(client):
    assert "No votes in the last twelve weeks" in client.get("/integrity/").content.decode()


def test_a_reason_that_doubles_raises_an_alarm_once(votes, caplog, settings):
    cache.clear()
    vote = Vote.objects.get(pk=votes[7])
    monday = datetime.now(UTC) - timedelta(days=datetime.now(UTC).weekday())

    def stuff(weeks_ago: int, count: int, rule: rules.VoteRule | None) -> None:
        for _ in range(count):
            battle = make.make_battle(left=vote.battle.left, right=vote.battle.right)
            Vote.objects.create(
                battle=battle, voter=battle.voter, category=vote.category, left_model=vote.left_model,
                right_model=vote.right_model, outcome="left", cast_at=monday - timedelta(weeks=weeks_ago),
                excluded_rule=rule.name if rule else "", excluded_reason=rule.reason if rule else "",
            )  # fmt: skip

    for week in range(1, 5):
        stuff(week, 9, None)
        stuff(week, 1, rules.UNSEEN)
    assert [text for text in ledger.alarms() if rules.UNSEEN.title in text] == []
    stuff(0, 20, rules.UNSEEN)
    (text,) = [text for text in ledger.alarms() if rules.UNSEEN.title in text]
    assert "20 votes this week" in text
    assert text in alarm.raise_new()
    assert text not in alarm.raise_new()
    assert text in caplog.text


def test_votes_that_nobody_looks_at_raise_an_alarm(votes):
    Vote.objects.update(cast_at=timezone.now() - timedelta(hours=1))
    assert any("has been down since" in text for text in ledger.alarms())


def test_while_the_check_of_voters_is_down_no_card_says_it_runs(client, votes):
    Vote.objects.update(cast_at=timezone.now() - timedelta(hours=2))
    watch.run()
    assert "<b>running</b>" in client.get("/integrity/").content.decode()
    cache.clear()
    since = timezone.now() - timedelta(hours=1)
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    Vote.objects.filter(battle=battle).update(cast_at=since)
    page = " ".join(client.get("/integrity/").content.decode().split())
    assert f'<p class="claim"> The check of voters has been down since {since:%H:%M} UTC.' in page
    assert page.count("has been down since") == 1  # not once more as an alarm
    assert f"<b>down since {since:%H:%M}</b>" in page
    assert "<b>running</b>" not in page


def test_a_week_is_named_by_its_day_and_a_new_month_by_name(client, votes):
    current = ledger.current()
    labels = [week.label for week in page_of_ledger.weeks(current)]
    for label, monday, before in zip(labels, current.weeks, [None, *current.weeks], strict=False):
        is_new = before is None or before.month != monday.month
        assert label == (f"{monday.day} {monday:%b}" if is_new else str(monday.day))


def excluded(left: Entry, right: Entry, outcome: str, weeks_ago: int = 0, voter: Voter | None = None) -> None:
    """A vote that is left out as too fast."""
    battle = make.make_battle(left=left, right=right, voter=voter)
    voting.cast_vote(battle, outcome)
    Vote.objects.filter(battle=battle).update(cast_at=timezone.now() - timedelta(weeks=weeks_ago))
    integrity.exclude([battle.pk], rules.FAST.reason, rules.FAST.name)


def test_a_reason_adds_up_all_its_weeks_and_counts_each_voter_once():
    prompt = make.make_prompt()
    entries = [make.make_entry(prompt) for _ in range(3)]
    twice = make.make_voter()
    excluded(entries[0], entries[1], "left", weeks_ago=11, voter=twice)
    excluded(entries[0], entries[2], "left", voter=twice)
    excluded(entries[0], entries[1], "left")
    current = ledger.current()
    (reason,) = current.reasons
    assert (reason.total, reason.voters) == (3, 2)
    weeks = page_of_ledger.weeks(current)
    assert [week.total for week in weeks] == [1, *[0] * 10, 2]
    heights = [bar.height for week in weeks for bar in week.bars]
    assert heights == [page_of_ledger.HEIGHT / 2, page_of_ledger.HEIGHT]


def test_a_board_says_who_would_rise_if_every_vote_counted(client):
    prompt = make.make_prompt()
    pushed, *others = (make.make_entry(prompt) for _ in range(3))
    for other in others:
        voting.cast_vote(make.make_battle(left=pushed, right=other), "tie")
        excluded(pushed, other, "left")
    (row,) = page_of_ledger.categories(ledger.current())
    assert (row.cast, row.counted, row.left_out) == (4, 2, 2)
    assert row.difference
    assert row.difference.model == pushed.image_model.name
    assert row.difference.elo > 0


def test_the_left_images_share_has_wilsons_interval():
    share = ledger.Proportion.of(5, 10)
    assert (share.share, share.low, share.high) == pytest.approx((0.5, 0.2366, 0.7634), abs=1e-4)


def test_what_was_taken_back_stands_in_the_ledger(votes):
    vote = Vote.objects.counted().first()
    consequences.exclude_voter(vote.voter_id, vote.category_id, rules.SIDE.name, rules.SIDE.reason)
    consequences.return_voter(vote.voter_id, vote.category_id, "a mistake", by="boss")
    (reason,) = [reason for reason in ledger.current().reasons if reason.rule == rules.SIDE]
    assert (reason.total, reason.returned) == (0, 1)


# One's own votes ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def voter(votes, client) -> Voter:
    voter = Vote.objects.counted()[0].voter
    make.sign_in(client, voter)
    return voter


def test_who_has_no_cookie_has_no_votes_here():
    stranger = Client()
    assert "nothing is stored about it" in stranger.get("/privacy/").content.decode()
    for path in ("/privacy/votes.json", "/privacy/delete/"):
        assert stranger.get(path).status_code == 404


def test_own_votes_are_exported_and_pairs_that_wait_stay_blind(client, voter):
    waiting = make.make_battle(voter=voter)
    reply = client.get("/privacy/votes.json")
    data = json.loads(reply.content)
    (vote,) = data["votes"]
    assert vote["counts"] is True
    assert waiting.left.image_model.name not in reply.content.decode()
    assert reply["Content-Disposition"] == 'attachment; filename="my-votes.json"'


def test_deletion_asks_first_and_then_cuts_the_link(client, voter):
    before = Vote.objects.count()
    assert "1 vote" in client.get("/privacy/").content.decode()
    assert "cannot be taken back" in client.get("/privacy/delete/").content.decode()
    assert Vote.objects.filter(voter=voter).count() == 1
    cookie = client.cookies[voters.COOKIE].value
    reply = client.post("/privacy/delete/", follow=True)
    assert "nobody’s" in reply.content.decode()
    assert not Voter.objects.filter(pk=voter.pk).exists()
    assert Vote.objects.count() == before
    assert Vote.objects.filter(excluded_rule=rules.WITHDRAWN.name).count() == 1
    assert pair_counts.check() == 0
    assert recount.check() == 0
    again = Client()
    again.cookies[voters.COOKIE] = cookie
    assert again.get("/privacy/votes.json").status_code == 404
    assert Tally.objects.filter(n__gt=0).exists()
