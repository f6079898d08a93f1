"""What a voter was shown is on the disk: only what the vote's own commit makes durable after it does not wait."""

from __future__ import annotations

import re

import pytest
from django.db import connection

from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)

ARENA = "/arena/text-to-image/"
INSERTED = re.compile(r"INSERT INTO arena_(voter|battle|vote) ")


@pytest.fixture
def commits():
    """Of each statement that inserts a voter, a battle or a vote: the first of these, and whether its commit is waited
    for."""
    seen = list[tuple[str, bool]]()

    def watch(execute, sql, params, many, context):
        if not (inserted := INSERTED.search(sql)):
            return execute(sql, params, many, context)
        session = context["connection"].connection
        with session.transaction():  # in which the setting of its commit can be seen
            session.execute("SET LOCAL synchronous_commit = on")  # the tests' server has it off
            result = execute(sql, params, many, context)
            is_flushed = session.execute("SHOW synchronous_commit").fetchone()[0] == "on"
        seen.append((inserted[1], is_flushed))
        return result

    with connection.execute_wrapper(watch):
        yield seen


@pytest.fixture
def category():
    category = make.make_category()
    prompt = make.make_prompt(make.make_competition(category))
    for _ in range(4):
        make.make_entry(prompt)
    return category


def test_votes_are_flushed_and_what_is_loaded_ahead_by_them(client, category, commits):
    url = make.battle_url(client.get(ARENA))
    assert commits == []
    vote = client.post(f"{url}vote/", {"outcome": "left"}, headers={"HX-Request": "true"})
    assert vote.status_code == 200
    assert commits == [
        ("voter", True),
        ("battle", False),
        ("vote", True),
    ]  # in this order: the vote's commit is the last


def test_a_pair_on_the_screen_is_flushed_for_no_vote_follows_it(client, category, commits):
    url = make.battle_url(client.get(ARENA))
    assert client.post(f"{url}vote/", {"outcome": "left"}).status_code == 302
    commits.clear()
    assert client.get(ARENA).status_code == 200
    assert commits == [("battle", True), ("battle", True)]  # the pair, and the one that the page loads ahead
