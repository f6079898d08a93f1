"""T12: what a worker takes that recomputes a large board, in a process of its own."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
Line = Callable[[str, str, str, "bool | None"], None]

_WITHOUT_INDEXES = """
DO $$
DECLARE name text;
BEGIN
    FOR name IN SELECT conname FROM pg_constraint WHERE conrelid = 'arena_battle'::regclass AND contype = 'u' LOOP
        EXECUTE format('ALTER TABLE arena_battle DROP CONSTRAINT %I CASCADE', name);
    END LOOP;
    FOR name IN SELECT indexname FROM pg_indexes WHERE indexname NOT LIKE '%pkey'
        AND (tablename = 'arena_battle' OR indexname LIKE 'vote_voter%') LOOP
        EXECUTE format('DROP INDEX %I', name);
    END LOOP;
END
$$
"""
_MANY_BATTLES = """
INSERT INTO arena_battle (id, voter_id, prompt_id, left_id, right_id, left_token, right_token, probability, served_at,
                          expires_at)
SELECT lpad(to_hex(i), 32, '0')::uuid, 1 + i %% 50000, %(prompt)s + (i / 7) %% 1000, 1, 2, 'l', 'r', 1, now(),
       now() + interval '1 hour'
FROM generate_series(1, %(count)s) i
"""
_MANY_VOTES = """
INSERT INTO arena_vote (battle_id, voter_id, category_id, left_model_id, right_model_id, outcome, cast_at,
                        decision_time, excluded_reason, excluded_rule)
SELECT lpad(to_hex(i), 32, '0')::uuid, 1 + i %% 50000, %(category)s, %(model)s + l,
       %(model)s + (l + 1 + (hashint4(i + 7) & 1048575) %% 199) %% 200,
       (ARRAY['left', 'right', 'tie'])[1 + (hashint4(i + 13) & 1048575) %% 3], now(), '3s', '', ''
FROM (SELECT i, (hashint4(i) & 1048575) %% 200 AS l FROM generate_series(1, %(count)s) i) drawn
"""
_THEIR_TALLIES = """
INSERT INTO arena_tally (category_id, day, left_model_id, right_model_id, outcome, n, changed_at)
SELECT category_id, (cast_at AT TIME ZONE 'UTC')::date, left_model_id, right_model_id, outcome, count(*), now()
FROM arena_vote WHERE category_id = %s GROUP BY 1, 2, 3, 4, 5
"""
_RECOMPUTE = """
import os, time
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
import django
django.setup()
from arena.models import Category
from leaderboard.board import ratings
category = Category.objects.get(pk={0})
started = time.perf_counter()
if {1}:
    assert ratings.recompute(category, force=True), "it failed"
else:
    ratings.compute(category, clustered=False)
peak = next(int(row.split()[1]) for row in open("/proc/self/status") if row.startswith("VmHWM")) / 1024
print(peak, time.perf_counter() - started)
"""


def run(competition: Any, count: int, line: Line) -> None:
    """The worker's own recompute in a process of its own: 200 models, 50,000 voters, 1,000 prompts, all cast here."""
    from django.db import connection

    from arena.models import Category, Prompt
    from providers.models import ImageModel

    category = Category.objects.create(slug="large", name="Large", mode="text-to-image")
    models = ImageModel.objects.bulk_create(
        ImageModel(slug=f"large{n}", name=f"Large {n}", origin="sample", modes=["text-to-image"]) for n in range(200)
    )
    prompts = Prompt.objects.bulk_create(Prompt(competition=competition, text=f"Prompt {n}") for n in range(1000))
    # Of a battle only its prompt is read, so these have no entries, and no index but the key: they fill in a minute.
    with connection.cursor() as cursor:
        cursor.execute(_WITHOUT_INDEXES)
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(_MANY_BATTLES, {"count": count, "prompt": prompts[0].pk})
        cursor.execute(_MANY_VOTES, {"count": count, "model": models[0].pk, "category": category.pk})
        cursor.execute("SET session_replication_role = origin")
        cursor.execute(_THEIR_TALLIES, [category.pk])
        cursor.execute("VACUUM ANALYZE")
    for clustered, what in ((False, "the quick path"), (True, "and voters and prompts as clusters")):
        started = time.perf_counter()
        done = subprocess.run(
            [sys.executable, "-c", _RECOMPUTE.format(category.pk, clustered)],
            capture_output=True,
            text=True,
            cwd=ROOT,
            check=True,
        )
        peak, seconds = map(float, done.stdout.split())
        line(
            "T12",
            f"a worker that recomputes {count:,} votes, {what}: peak memory ≤ 150 MB",
            f"{peak:.0f} MB ({seconds:.1f} s, with its start {time.perf_counter() - started:.1f} s)",
            peak <= 150,
        )
