"""A database with millions of votes and calls, and what periodic tasks derive from them; for `benchmarks.pages`.

200 models, 20 categories with 10 prompts each, votes over a year, calls over 60 days; models and votes are made up.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

MODELS, CATEGORIES, PROMPTS = 200, 20, 10
BATTLES_EACH = 100  # of a voter
FILLING = 3  # changes with what is filled in

# Voter v meets 100 different pairs of one category: 104729 is prime, so it steps through all 19,900 pairs.
_PAIRS = """
CREATE UNLOGGED TABLE pair AS
SELECT (row_number() OVER (ORDER BY (a * 7919 + b * 104729) %% 19937) - 1)::int AS p, a, b
FROM generate_series(1, %(models)s) a JOIN generate_series(1, %(models)s) b ON a < b;
ALTER TABLE pair ADD PRIMARY KEY (p)
"""
_DRAWN = """
CREATE UNLOGGED TABLE drawn AS
SELECT i, v, c, prompt, swapped, CASE WHEN swapped THEN b ELSE a END AS l, CASE WHEN swapped THEN a ELSE b END AS r, at,
       CASE WHEN luck < 0.08 THEN 'tie' WHEN luck < 0.12 THEN 'both_bad'
            WHEN (random() < 1 / (1 + exp((a - b) / 60.0))) <> swapped THEN 'right' ELSE 'left' END AS outcome
FROM (
    SELECT i, (i - 1) / {per_voter} + 1 AS v, 1 + ((i - 1) / {per_voter}) %% {categories} AS c, random() < 0.5 AS swapped,
           (((i - 1) / {per_voter}) %% {categories}) * {prompts} + 1 + (i %% {prompts}) AS prompt,
           ((i - 1) / {per_voter} * 7919::bigint + i %% {per_voter} * 104729::bigint) %% (SELECT count(*) FROM pair) AS p,
           random() AS luck, now() - interval '1 year' * (1 - i::float8 / %(votes)s) AS at
    FROM generate_series(1, %(votes)s::bigint) i
) drawn JOIN pair USING (p)
"""


# Nothing here has to survive a power cut, and sorts of millions of rows are to stay in memory.
_QUICK = (
    "SET synchronous_commit = off", "SET work_mem = '256MB'", "SET maintenance_work_mem = '512MB'", "SET jit = off",
    "SELECT setseed(0.5)",
)  # fmt: skip


def fill(votes: int, calls: int) -> None:
    """Votes and calls each in a connection of its own: Postgres fills one table with one core."""
    from django.db import connection

    started = time.monotonic()
    migrate()
    numbers = {"models": MODELS, "votes": votes, "calls": calls, "voters": -(-votes // BATTLES_EACH)}
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE arena_entry DISABLE TRIGGER ALL")  # their calls come later
        for statement in (*_QUICK, *_PAIRS.split(";")):
            cursor.execute(statement % numbers)
        for statement in _SMALL:
            cursor.execute(statement.format(categories=CATEGORIES, prompts=PROMPTS) % numbers)
    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(_fill, _VOTES, numbers), threads.submit(_fill, _CALLS, numbers)]:
            done.result()
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE drawn, pair")
        cursor.execute("ANALYZE")
        cursor.execute("SELECT pg_size_pretty(pg_database_size(current_database()))")
        (size,) = cursor.fetchone()
    print(f"{votes:,} votes and {calls:,} calls in {time.monotonic() - started:.0f} s, {size}\n", flush=True)


def _fill(tables: tuple[tuple[str, str], ...], numbers: dict[str, int]) -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        for statement in _QUICK:
            cursor.execute(statement)
        for table, statement in tables:
            if table == "drawn":
                cursor.execute(
                    statement.format(per_voter=BATTLES_EACH, categories=CATEGORIES, prompts=PROMPTS) % numbers
                )
                continue
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")  # foreign keys: right by construction
            indexes = _without_indexes(cursor, table)
            cursor.execute(statement % numbers)
            cursor.execute(f"VACUUM (ANALYZE, BUFFER_USAGE_LIMIT 0) {table}")  # before its indexes: a walk less
            for index in indexes:
                cursor.execute(index)
    connection.close()


def _without_indexes(cursor: Any, table: str) -> list[str]:
    """Drop the table's indexes but for its primary key; returns what makes them again. Constraints become indexes."""
    cursor.execute("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %s AND indexname !~ '_pkey$'", [table])
    rows = cursor.fetchall()
    for name, _ in rows:
        cursor.execute(f'ALTER TABLE {table} DROP CONSTRAINT IF EXISTS "{name}"')
        cursor.execute(f'DROP INDEX IF EXISTS "{name}"')
    return [definition for _, definition in rows]


_SMALL = (
    "INSERT INTO providers_lab (slug, name, url, from_catalog) SELECT 'lab-' || n, 'Lab ' || n, '', '{{}}' FROM generate_series(1, 20) n",
    """INSERT INTO providers_imagemodel (slug, name, lab_id, description, released_on, licence, open_weights, modes, origin, note, from_catalog)
    SELECT 'model-' || n, 'Model ' || n || ' ' || chr(65 + n %% 26), (SELECT min(id) FROM providers_lab) + n %% 20, '', current_date - n, CASE n %% 3 WHEN 0 THEN 'Apache-2.0' ELSE 'Proprietary' END,
           n %% 3 = 0, '{{text-to-image}}', 'catalog', '', '{{}}' FROM generate_series(1, %(models)s) n""",
    """INSERT INTO providers_offering (image_model_id, provider, mode, endpoint, parameters, price, price_unit, price_details, price_estimated, price_source, is_active, note, from_catalog)
    SELECT m.id, p, 'text-to-image', m.slug, '{{"accepts": [{{"name": "seed", "type": "integer", "group": "core", "behaviour": "passthrough"}}], "size": {{"family": "none"}}}}',
           round((0.002 * exp(m.id %% 50 / 12.0))::numeric, 4), 'image', '{{}}', false, '', true, '', '{{}}'
    FROM providers_imagemodel m, unnest(ARRAY['fal', 'replicate']) p""",
    """INSERT INTO arena_category (id, slug, name, mode, description, position, source_name, source_url, source_licence)
    SELECT n, 'category-' || n, 'Category ' || n, 'text-to-image', '', n, '', '', '' FROM generate_series(1, {categories}) n""",
    """INSERT INTO arena_competition (id, category_id, slug, title, criterion, description, challenge, shape, is_published, created_at)
    SELECT n, n, 'competition-' || n, 'Competition ' || n, 'beauty', '', '', '1:1', true, now() FROM generate_series(1, {categories}) n""",
    """INSERT INTO arena_prompt (id, competition_id, text, source_image, source_credit, tags, position)
    SELECT n, (n - 1) / {prompts} + 1, 'A prompt about number ' || n, '', '', ARRAY['tag-' || n %% 30, 'tag-' || n %% 7, 'any'], n %% {prompts} FROM generate_series(1, {categories} * {prompts}) n""",
    """INSERT INTO arena_generation (id, prompt_id, image_model_id, sample, status, attempt, attempts_left, due_at, started_at, finished_at, outcome, error, spent, created_at)
    SELECT (p.id - 1) * %(models)s + m.id, p.id, m.id, 0, 'succeeded', 1, 0, now(), now(), now(), '', '', 0, now() FROM arena_prompt p, providers_imagemodel m""",
    """INSERT INTO arena_entry (id, generation_id, prompt_id, image_model_id, image, small, thumbnail, original, width, height, pipeline, seed, created_at, retired_reason, call_id)
    SELECT id, id, prompt_id, image_model_id, 'battle/' || id, 'battle/s' || id, 'public/' || md5(id::text) || '.webp', 'o/' || id, 1024, 1024, '', '', now(), '', CASE WHEN id <= %(calls)s THEN id END FROM arena_generation""",
)
_ID = "('00000000-0000-4000-8000-' || lpad(to_hex(i), 12, '0'))::uuid"
_VOTES = (
    ("drawn", _DRAWN),
    ("arena_voter", "INSERT INTO arena_voter (id, created_at) SELECT n, now() FROM generate_series(1, %(voters)s) n"),
    (
        "arena_battle",
        f"""INSERT INTO arena_battle (id, voter_id, prompt_id, left_id, right_id, left_token, right_token, probability, served_at, expires_at)
        SELECT {_ID}, v, prompt, (prompt - 1) * %(models)s + l, (prompt - 1) * %(models)s + r, 'l' || i, 'r' || i, 0.1, at, at + interval '1 hour' FROM drawn""",
    ),
    (
        "arena_vote",
        f"""INSERT INTO arena_vote (battle_id, voter_id, category_id, left_model_id, right_model_id, outcome, cast_at, decision_time, excluded_reason, excluded_rule)
        SELECT {_ID}, v, c, l, r, outcome, at + interval '5 s', interval '5 s', '', '' FROM drawn""",
    ),
    (
        "arena_tally",
        """INSERT INTO arena_tally (category_id, day, left_model_id, right_model_id, outcome, n, changed_at)
        SELECT c, (at AT TIME ZONE 'UTC')::date, l, r, outcome, count(*), max(at) FROM drawn GROUP BY 1, 2, 3, 4, 5""",
    ),
)
_CALLS = (
    (
        "providers_call",
        """INSERT INTO providers_call (offering_id, caller, outcome, error, request_id, attempt, ends_request, n, started_at, duration, ttfb, cost, cost_estimated, possibly_charged,
                                    requested_size, resolved_size, delivered_size, provider_request_id)
        SELECT (SELECT min(id) FROM providers_offering) + n %% (2 * %(models)s), 'gateway', CASE WHEN n %% 41 = 0 THEN 'provider_error' ELSE 'ok' END,
               CASE WHEN n %% 41 = 0 THEN 'fell over' ELSE '' END, gen_random_uuid(), 1, true, 1, now() - interval '60 days' * (1 - n::float8 / %(calls)s), interval '1 s' * (1 + 9 * random()), NULL,
               0.01, true, false, '', '', '', '' FROM generate_series(1, %(calls)s) n""",
    ),
)


def derive() -> None:
    """What periodic tasks derive, each timed: pages read nothing else. Goes on where it was stopped."""
    from django.utils import timezone

    from arena.models import Category
    from leaderboard.board import image_records, ratings, snapshots
    from leaderboard.models import Board, RecentBoard
    from providers.performance import summaries

    categories = list(Category.objects.all())
    # Ratings from the tallies, as after a few votes more; benchmarks/ratings_database.py times the raw votes.
    seen = {"clustered_at": timezone.now() + timedelta(days=1)}
    for category in categories:
        Board.objects.get_or_create(category=category, defaults=seen)
        RecentBoard.objects.get_or_create(category=category, defaults={**seen, "since": timezone.now()})
    for what, count in (
        ("ratings of a category", ratings.recompute),
        ("records of a category", image_records.recount),
        ("snapshot of a category", lambda category: category.snapshots.exists() or snapshots.take(category)),
    ):
        started = time.monotonic()
        for category in categories:
            count(category)
        print(f"{what:28} {(time.monotonic() - started) / len(categories):6.2f} s", flush=True)
    started = time.monotonic()
    summaries.compute()
    print(f"{'summaries of all calls':28} {time.monotonic() - started:6.2f} s\n", flush=True)


def migrate() -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
