"""What waits for the disk before a provider is called: one commit, unless two sessions are at work."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from django.db import connection
from django.test import Client

from providers.adapters.base import Account
from providers.models import ApiKey

from .conftest import offered
from .test_budgets import post

INSERTED = ("providers_gatewayrequest", "providers_reservation")

pytestmark = pytest.mark.django_db(transaction=True)


class Commit(NamedTuple):
    """Of a statement: the row it inserts, the session's process in Postgres, and whether its commit is waited for."""

    table: str
    session: int
    is_flushed: bool


@pytest.fixture
def commits(simulated, monkeypatch):
    """Those of a request's row and of what is reserved for its call, in their order."""
    offered("sample-one")
    monkeypatch.setattr(Account, "is_simulated", False)  # money is reserved
    seen: list[Commit] = []

    def watch(execute, sql, params, many, context):
        table = next((table for table in INSERTED if f"INSERT INTO {table}\n" in sql), None)
        if table is None:
            return execute(sql, params, many, context)
        session = context["connection"].connection
        with session.transaction():  # in which the setting of its commit can be seen
            session.execute("SET LOCAL synchronous_commit = on")  # the tests' server has it off
            result = execute(sql, params, many, context)
            is_flushed = session.execute("SHOW synchronous_commit").fetchone()[0] == "on"
        seen.append(Commit(table, session.info.backend_pid, is_flushed))
        return result

    with connection.execute_wrapper(watch):
        yield seen


def test_a_request_and_what_it_reserves_are_flushed_together_in_one_session(commits):
    _, secret = ApiKey.make("patient")
    assert post(secret).status_code == 200
    request, reservation = commits
    assert (request.table, request.is_flushed) == ("providers_gatewayrequest", False)
    assert (reservation.table, reservation.is_flushed) == ("providers_reservation", True)
    assert request.session == reservation.session


def test_a_request_whose_call_may_be_of_another_session_is_flushed_by_itself(commits, settings):
    _, secret = ApiKey.make("streaming")
    list(post(secret, stream=True).streaming_content)
    settings.DATABASE_POOLER = True
    assert post(secret).status_code == 200
    tool = {"model": "sample-one", "input": "A kite", "stream": True, "tools": [{"type": "image_generation"}]}
    headers = {"Authorization": f"Bearer {secret}"}
    list(Client().post("/openai/v1/responses", tool, "application/json", headers=headers).streaming_content)
    assert [commit.is_flushed for commit in commits if commit.table == "providers_gatewayrequest"] == [True] * 3
