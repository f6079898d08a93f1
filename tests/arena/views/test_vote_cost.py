"""What a vote, a showing and a served pair may ask of the database, and that it is nothing that grows."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils.html import escape
from psycopg._queries import MAX_CACHED_STATEMENT_LENGTH

from arena import battles, integrity, vote_cap, voting
from arena.battle_page import fragments, reveal_registry
from arena.battle_page import page as battle_page
from arena.battles import assignment, voter_state
from arena.models import Battle, Vote
from arena.voting import vote_statement
from tests import factories as make

pytestmark = pytest.mark.django_db

HTMX = {"headers": {"HX-Request": "true"}}
ARENA = "/arena/text-to-image/"


@pytest.fixture
def category():
    """Four prompts, four models: 24 battles."""
    category = make.make_category()
    models = [make.make_model() for _ in range(4)]
    for _ in range(4):
        prompt = make.make_prompt(make.make_competition(category))
        for model in models:
            make.make_entry(prompt, model)
    return category


def statements(action):
    """What `action` returns, and the statements it sent but for those of what serves all for seconds: the pool of pairs
    and the competitions in it."""
    with CaptureQueriesContext(
        connection,
    ) as captured:
        result = action()
    pool = re.compile(
        r"\"title\" AS \"title\" FROM|arena_pairscores|arena_generation.*sample|LEAST\(|is_published\" *\)? *ORDER"
        r"|DISTINCT"
    )
    return result, [query["sql"] for query in captured if not pool.search(query["sql"])]


def test_a_strangers_page_takes_one_statement_and_writes_nothing(client, category):
    client.get(ARENA)
    client.cookies.clear()
    response, sent = statements(lambda: client.get(ARENA))
    assert response.status_code == 200
    assert len(sent) == 1, sent
    assert not [sql for sql in sent if re.search(r"INSERT|UPDATE|DELETE", sql)]


def test_votes_showings_and_pages_take_at_most_four_statements(client, category):
    url = make.battle_url(client.get(ARENA))
    first, sent = statements(lambda: client.post(f"{url}vote/", {"outcome": "left"}, **HTMX))
    assert first.status_code == 200
    assert len(sent) <= 4 + 1, sent  # the first in a category, whose ratings are read for seconds
    for number in range(8):
        second = Battle.objects.filter(vote=None, skipped_at=None).earliest("expires_at")
        shown, sent = statements(lambda pk=second.pk: client.post(f"/battles/{pk}/show/"))
        assert (shown.status_code, len(sent)) == (204, 2), sent
        page, sent = statements(lambda pk=second.pk: client.get(f"/battles/{pk}/"))
        assert page.status_code == 200
        assert len(sent) <= 3, sent
        page, sent = statements(lambda: client.get(ARENA))
        assert page.status_code == 200
        assert len(sent) <= 4, sent
        answer = {"outcome": ("left", "tie")[number % 2]}
        vote, sent = statements(lambda pk=second.pk, form=answer: client.post(f"/battles/{pk}/vote/", form, **HTMX))
        assert vote.status_code == 200
        sent = [sql for sql in sent if "leaderboard_rating" not in sql]
        assert len(sent) <= 3, sent
    assert Vote.objects.count() == 9
    assert integrity.progress_differences() == []
    assert integrity.image_differences() == []


def others_vote(battle, voters=2000):
    """A large board: votes of others on the battle's pair, and a planner that knows how many there are."""
    ours = {"prompt": battle.prompt_id, "left": battle.left_id, "right": battle.right_id}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH voter AS (
                INSERT INTO arena_voter (created_at) SELECT now() FROM generate_series(1, %(voters)s) RETURNING id
            ), progress AS (
                INSERT INTO arena_voterprogress (voter_id, category_id, votes, seen)
                SELECT voter.id, c.category_id, 1, 1 FROM voter, arena_prompt p
                JOIN arena_competition c ON c.id = p.competition_id WHERE p.id = %(prompt)s
            ), battle AS (
                INSERT INTO arena_battle (id, voter_id, prompt_id, left_id, right_id, left_token, right_token,
                                          probability, served_at, expires_at)
                SELECT gen_random_uuid(), id, %(prompt)s, %(left)s, %(right)s, 'l' || id, 'r' || id, 1, now(),
                       now() + interval '1 hour'
                FROM voter RETURNING id, voter_id
            )
            INSERT INTO arena_vote (battle_id, voter_id, category_id, left_model_id, right_model_id, outcome, cast_at,
                                    excluded_reason, excluded_rule)
            SELECT battle.id, battle.voter_id, c.category_id, l.image_model_id, r.image_model_id, 'left', now(), '', ''
            FROM battle, arena_entry l, arena_entry r, arena_prompt p
            JOIN arena_competition c ON c.id = p.competition_id
            WHERE l.id = %(left)s AND r.id = %(right)s AND p.id = %(prompt)s
            """,
            {**ours, "voters": voters},
        )
        cursor.execute("ANALYZE arena_voter, arena_voterprogress, arena_battle, arena_vote")


def test_a_vote_reads_nothing_that_grows_with_the_voter_or_the_board(category):
    """Rows that the plans of look and cast touch: the same after 4 votes of a voter and after 20."""
    voter = make.make_voter()
    others_vote(battles.serve(voter, category))
    growing = {"arena_battle", "arena_vote", "arena_voterprogress", "arena_tally", "arena_imagetally"}

    def rows_touched():
        """Rows read from the tables that grow, by one vote of the voter."""
        battle = battles.serve(voter, category)
        battles.ahead(voter_state.look_at(voter.pk, battle.pk), 2)
        rows = 0
        for statement, parameters in (
            (voter_state._OF_BATTLE, {"voter": voter.pk, "battle": battle.pk}),
            (vote_statement._CAST_VOTE, {**voting.parameters("tie"), "battle": battle.pk}),
        ):
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + statement, parameters)
                (plan,) = cursor.fetchone()[0]
            rows += sum_of_rows(plan["Plan"])
        return rows

    def sum_of_rows(node):
        read = (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
        own = read if node.get("Relation Name") in growing else 0
        return own + sum(sum_of_rows(child) for child in node.get("Plans", []))

    early = [rows_touched() for _ in range(4)][-1]
    late = [rows_touched() for _ in range(16)][-1]
    assert Vote.objects.filter(voter=voter).count() == 20
    assert late <= early


def test_no_statement_of_a_vote_is_planned_each_time(category):
    """After a few runs on a connection Postgres keeps its plan: planning would take longer than all the rest."""
    statements = (voter_state._OF_BATTLE, assignment._ASSIGN, assignment._START, vote_statement._CAST_VOTE)

    def vote_and_show(count):
        client = Client()
        url = make.battle_url(client.get(ARENA))
        for _ in range(count):
            reply = client.post(f"{url}vote/", {"outcome": "left"}, **HTMX).content.decode()
            url = re.search(r'<template[^>]*data-url="([^"]+)"', reply)[1]
            client.post(f"{url}show/")

    def plans():
        """How often each statement ran with a plan that was cached, and with one of its own."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT statement, generic_plans, custom_plans FROM pg_prepared_statements")
            counts = {statement.strip()[:60]: (cached, own) for statement, cached, own in cursor.fetchall()}
        return [counts[statement.strip()[:60]] for statement in statements]

    assert all(len(statement) <= MAX_CACHED_STATEMENT_LENGTH for statement in statements)  # psycopg reads them once
    vote_and_show(10)
    before = plans()
    vote_and_show(3)
    for (cached, own), (cached_before, own_before) in zip(plans(), before, strict=True):
        assert cached >= cached_before + 3
        assert own == own_before


def test_the_reply_filled_from_pieces_is_what_the_template_renders(client, category, rf, monkeypatch):
    """Every page and fragment, with every outcome: the same text whether filled or rendered by Django."""
    compared = []

    def both(template, conditions, values, request=None):
        filled = fill(template, conditions, values, request)
        assert filled == render_to_string(template, {**conditions, **values}, request)
        compared.append(template)
        return filled

    fill = fragments.fill
    monkeypatch.setattr(battle_page.fragments, "fill", both)
    for number, outcome in enumerate(("left", "right", "tie", "both_bad", "left", "no such")):
        url = make.battle_url(client.get(ARENA))
        client.post(f"{url}vote/", {"outcome": outcome}, **HTMX)
        client.get(url)
        client.get(f"{url}report/")
        client.post(f"{url}{('skip', 'report', 'vote')[number % 3]}/", {"outcome": "tie", "side": "x"}, **HTMX)
    client.post(f"{url}skip/", **HTMX)
    client.get(url)
    assert {"arena/_battle.html", "arena/_ahead.html", "arena/battle.html", "arena/report.html"} == set(compared)


def test_prompts_and_names_are_escaped_in_a_filled_page(client):
    text = "<b>bold</b> & “quoted”\nsecond line \ue000vote_url\ue001"
    prompt = make.make_prompt(text=text)
    left = make.make_entry(prompt, make.make_model("sample-evil", "<script>alert(1)</script>"))
    make.make_entry(prompt, make.make_model("sample-good", "A & B"))
    url = make.battle_url(client.get(ARENA))
    reply = client.post(f"{url}vote/", {"outcome": "left"}, **HTMX).content.decode()
    assert "&lt;b&gt;bold&lt;/b&gt; &amp; <label" in reply
    assert (
        '<span class="mark">“</span>quoted<span class="mark">”</span></label><br>second line \ue000vote_url\ue001'
        in reply
    )
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in reply
    assert "<script>" not in reply
    assert left.image_model.name not in reply


def test_without_an_app_that_rates_votes_the_reveal_names_the_models_alone(client, category, monkeypatch):
    monkeypatch.setattr(reveal_registry, "extras", reveal_registry.NoExtras())
    url = make.battle_url(client.get(ARENA))
    reply = client.post(f"{url}vote/", {"outcome": "left"}, **HTMX).content.decode()
    battle = Battle.objects.get(vote__isnull=False)
    assert battle.left.image_model.name in reply
    assert "not rated yet" in reply


def test_a_vote_that_does_not_count_says_so_with_its_reason(client, category, monkeypatch):
    monkeypatch.setattr(vote_cap, "FLOOR", 0)
    url = make.battle_url(client.get(ARENA))
    reply = client.post(f"{url}vote/", {"outcome": "left"}, **HTMX).content.decode()
    assert "does not count" in reply
    reason = escape(Vote.objects.get().excluded_reason)
    assert reason in reply
    assert reason in client.get(url).content.decode()


def test_progress_that_was_lost_is_rebuilt_and_changes_nothing(client, category):
    voter = make.make_voter()
    first = battles.serve(voter, category)
    voting.cast_vote(first, "left")
    second = battles.serve(voter, category)
    voter.progress.all().delete()
    with connection.cursor() as cursor:  # as a release that knows no progress leaves it
        cursor.execute("SELECT count(*) FROM arena_voterprogress")
        assert cursor.fetchone() == (0,)
    row = voter_state.rebuild_progress(voter.pk, category.pk)
    assert (row.votes, row.seen, row.waiting) == (1, 1, [second.pk])
    assert battles.serve(voter, category) == second
    assert integrity.progress_differences() == []
