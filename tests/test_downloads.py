"""Who gets which file: every route that answers with a download, tried by every role.

A anybody without a cookie, T a voter, then the staff of tests/test_roles.py: V viewer, M moderator, C curator,
O operator, S superuser, - staff without rights. A route that answers with a file and is not in the table fails.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from django.test import Client
from django.urls import resolve, reverse

from arena.models import Battle
from leaderboard.board import published_votes, snapshots
from leaderboard.models import PublishedVotes
from providers.models import ApiKey, Lab
from tests import factories as make
from tests.test_privacy import fill, urls
from tests.test_roles import staff as staff  # a fixture

pytestmark = pytest.mark.django_db

EVERYBODY = "ATVMCOS-"
FILES = {
    "leaderboard:category-csv": EVERYBODY, "leaderboard:overall-csv": EVERYBODY, "leaderboard:snapshot-csv": EVERYBODY,
    "leaderboard:integrity-csv": EVERYBODY, "leaderboard:votes-file": EVERYBODY,
    "arena:original": EVERYBODY,
    "leaderboard:own-votes": "T",  # their own
    "providers:log": "OS",  # a key's requests; its holder sends the key itself, by POST
    "admin:arena_prompt_export": "VMCOS",
}  # fmt: skip


def downloads(client: Client, addresses: list[str]) -> set[str]:
    """Names of the routes that answer one of these addresses with a file."""
    names = set()
    for url in addresses:
        response: Any = client.get(url)
        content = b"".join(response.streaming_content) if response.streaming else response.content
        if "attachment" in response.get("Content-Disposition", ""):
            assert content, url
            names.add(resolve(url.partition("?")[0]).view_name)
    return names


def test_every_file_goes_to_those_alone_who_may_have_it(staff):
    entry, _ = fill(make.make_category(), "open", Lab.objects.create(slug="open-lab", name="Open lab"))
    category = entry.prompt.competition.category
    snapshot = snapshots.take(category)
    published_votes.publish(category)
    battle = Battle.objects.filter(left=entry).first()
    assert snapshot is not None
    assert battle is not None
    key, _ = ApiKey.make("of a customer")
    by_competition = [entry.prompt.competition_id]
    addresses = [
        *urls(entry, battle),
        reverse("leaderboard:votes-file", args=[PublishedVotes.objects.get().pk]),
        reverse("leaderboard:snapshot-csv", args=[snapshot.pk]),
        f"{reverse('providers:log')}?key={key.prefix}&as=csv",
        f"{reverse('admin:arena_prompt_export', args=by_competition)}?as=csv",
    ]
    voter = Client()
    make.sign_in(voter, battle.voter)
    clients = {"A": Client(), "T": voter} | {letter: Client() for letter in staff}
    for letter, user in staff.items():
        clients[letter].force_login(user)
    got: dict[str, str] = defaultdict(str)
    for letter, client in clients.items():
        for name in downloads(client, addresses):
            got[name] += letter
    assert {name: "".join(sorted(who)) for name, who in got.items()} == {
        name: "".join(sorted(who)) for name, who in FILES.items()
    }
