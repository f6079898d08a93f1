"""T7 and T8: votes, pair counts and their recount in PostgreSQL, in a schema of their own that is dropped at the end."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import psycopg

SCHEMA = "arena_benchmark"
TABLES = """
CREATE TABLE vote (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, voter bigint, category int, l int, r int,
                   outcome varchar(8), cast_at timestamptz DEFAULT now(), excluded_reason varchar(200) DEFAULT '');
CREATE INDEX ON vote (voter, cast_at) INCLUDE (category) WHERE excluded_reason = '';
CREATE INDEX vote_counted ON vote (category, l, r, outcome) WHERE excluded_reason = '';
CREATE TABLE tally (category int, day date, l int, r int, outcome varchar(8), n int,
                    UNIQUE (category, day, l, r, outcome));
"""
ALONE = "INSERT INTO vote (voter, category, l, r, outcome) VALUES (%s, 1, %s, %s, 'left')"
COUNTED = """
WITH recent AS (
    SELECT count(*) AS n FROM vote WHERE voter = %s AND category + 0 = 1 AND cast_at > now() - make_interval(days => 90)
    AND excluded_reason = ''
), cast_vote AS (
    INSERT INTO vote (voter, category, l, r, outcome, excluded_reason)
    SELECT %s, 1, %s, %s, 'left', CASE WHEN n < 200 THEN '' ELSE 'cap' END FROM recent RETURNING l, r, excluded_reason
)
INSERT INTO tally SELECT 1, current_date, l, r, 'left', 1 FROM cast_vote WHERE excluded_reason = ''
ON CONFLICT (category, day, l, r, outcome) DO UPDATE SET n = tally.n + 1
"""
GENERATE = """
COPY (SELECT i % 50000, 1 + i % 8, i % 50, (i + 1 + i / 50 % 49) % 50, (ARRAY['left','right','tie'])[1 + i % 3]
      FROM generate_series(1, {count}) i) TO STDOUT
"""
RECOUNT = """
SELECT category, l, r, outcome, count(*) FROM vote WHERE excluded_reason = '' GROUP BY 1, 2, 3, 4
"""


def run(full: bool, line: Callable[[str, str, str, bool | None], None]) -> None:
    url = os.environ["DATABASE_URL"]
    with psycopg.connect(url, autocommit=True, prepare_threshold=2) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {SCHEMA} CASCADE")
        connection.execute(f"CREATE SCHEMA {SCHEMA}")
        try:
            connection.execute(f"SET search_path = {SCHEMA}")
            connection.execute(TABLES)
            _writes(connection, 3000, line)
            _bulk(connection, 5_000_000 if full else 1_000_000, line)
        finally:
            connection.execute(f"DROP SCHEMA {SCHEMA} CASCADE")


def _writes(connection: Any, count: int, line: Callable[[str, str, str, bool | None], None]) -> None:
    took: dict[str, list[float]] = {"alone": [], "counted": []}
    for number in range(count):
        pair = (number % 50, (number + 1) % 50)
        for name, query, values in (
            ("alone", ALONE, (number % 100, *pair)),
            ("counted", COUNTED, (number % 100, number % 100, *pair)),
        ):
            started = time.perf_counter()
            connection.execute(query, values)
            took[name].append(time.perf_counter() - started)
    alone, counted = (1000 * statistics.median(took[name]) for name in ("alone", "counted"))
    line(
        "T7",
        "a vote with cap and pair count over a bare one: ≤ 35 % more at the median",
        f"{alone:.2f} → {counted:.2f} ms, +{100 * (counted / alone - 1):.0f} %",
        counted <= 1.35 * alone,
    )
    rate = count / sum(took["counted"])
    line("T7", "≥ 2,000 votes/s, one client", f"{rate:,.0f}/s", rate >= 2000)


def _bulk(connection: Any, count: int, line: Callable[[str, str, str, bool | None], None]) -> None:
    connection.execute("TRUNCATE vote, tally")
    with psycopg.connect(os.environ["DATABASE_URL"]) as other, other.cursor() as source:
        with source.copy(GENERATE.format(count=count)) as rows:
            data = b"".join(bytes(row) for row in rows)
    started = time.perf_counter()
    with connection.transaction(), connection.cursor() as cursor:
        with cursor.copy("COPY vote (voter, category, l, r, outcome) FROM STDIN") as copy:
            copy.write(data)
        cursor.execute(f"INSERT INTO tally SELECT category, current_date, l, r, outcome, count FROM ({RECOUNT}) t")
    rate = count / (time.perf_counter() - started)
    line("T8", "COPY with pair counts maintained ≥ 200,000 votes/s", f"{rate:,.0f}/s", rate >= 200_000)
    connection.execute("VACUUM ANALYZE vote")
    for name, query, bound in (
        (f"whole re-aggregation of {count:,} votes ≤ 0.5 s", RECOUNT, 0.5),
        (
            "one category's pair counts read ≤ 10 ms",
            "SELECT l, r, outcome, sum(n) FROM tally WHERE category = 1 GROUP BY 1, 2, 3",
            0.01,
        ),
    ):
        took = []
        for _ in range(5):
            started = time.perf_counter()
            connection.execute(query).fetchall()
            took.append(time.perf_counter() - started)
        line("T8", name, f"{1000 * statistics.median(took):.1f} ms", statistics.median(took) <= bound)
    tallied = set(connection.execute("SELECT category, l, r, outcome, n FROM tally").fetchall())
    same = tallied == set(connection.execute(RECOUNT).fetchall())
    line("T7", "recount equals the pair counts cell by cell", str(same), same)
