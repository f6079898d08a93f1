"""How long the questions about calls take with millions of them: `python -m benchmarks.calls [--calls 5000000]`.

Fills a scratch database beside the configured one, asks what pages and routing ask, prints the plan and the times, the
same with sequential scans only, and drops the database again. The calls are made up: 171 offerings, a few of them very
popular (a model's two most called offerings hold an eighth of everything), spread evenly over 60 days.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from benchmarks.programs import with_services

OFFERINGS = 171
MOST_CALLS = 20_000_000


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="leave the scratch database")
    options = parser.parse_args()
    if not 1000 <= options.calls <= MOST_CALLS:
        sys.exit(f"--calls must be between 1000 and {MOST_CALLS}.")
    with_services()

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.conf import settings
    from django.db import connection

    database = settings.DATABASES["default"]
    home, scratch = database["NAME"], f"{database['NAME']}_benchmark_calls"
    django.setup()
    with connection.cursor() as cursor:
        cursor.execute(f'DROP DATABASE IF EXISTS "{scratch}"')
        cursor.execute(f'CREATE DATABASE "{scratch}"')
    _switch(connection, scratch)
    try:
        fill(options.calls)
        measure(options.rounds)
    finally:
        _switch(connection, home)
        if not options.keep:
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{scratch}" WITH (FORCE)')
        connection.close()


def _switch(connection: Any, name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def fill(calls: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    started = time.monotonic()
    call_command("migrate", "providers", verbosity=0)
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE providers_call DISABLE TRIGGER ALL")  # foreign keys: right by construction
        cursor.execute(
            """
            INSERT INTO providers_imagemodel (slug, name, description, licence, open_weights, modes, origin, note,
                                              from_catalog)
            SELECT 'm' || n, 'Model ' || n, '', '', false, '{text-to-image}', 'catalog', '', '{}'
            FROM generate_series(1, %s) n
            """,
            [OFFERINGS],
        )
        cursor.execute(
            """
            INSERT INTO providers_offering (id, image_model_id, provider, mode, endpoint, parameters, price, price_unit,
                                            price_details, price_estimated, price_source, is_active, note, from_catalog)
            SELECT row_number() OVER (ORDER BY id), id, (ARRAY['fal', 'replicate', 'openai'])[1 + id %% 3],
                   'text-to-image', 'x', '{}', 0.01, 'image', '{}', false, '', true, '', '{}'
            FROM providers_imagemodel
            """,
            [],
        )
        # Rows arrive in the order of time, as they do in life: the newest are next to each other in the table.
        cursor.execute(
            """
            INSERT INTO providers_call (offering_id, caller, outcome, error, started_at, duration, ttfb, cost,
                cost_estimated, possibly_charged, requested_size, resolved_size, delivered_size, provider_request_id,
                attempt, n, ends_request)
            SELECT 1 + floor(%s * random() ^ 2)::int, 'arena', outcome,
                   CASE outcome WHEN 'ok' THEN '' ELSE 'so it went' END,
                   now() - interval '60 days' * (1 - n / %s::float),
                   seconds * interval '1 s', CASE WHEN n %% 3 = 0 THEN seconds * 0.9 * interval '1 s' END,
                   0.01, true, false, '1:1', '1024x1024', '1024x1024', md5(n::text), 1, 1, true
            FROM (SELECT n, (ARRAY['ok','ok','ok','ok','ok','ok','ok','ok','ok','ok','ok','ok','ok','ok','ok','ok','ok',
                             'provider_error','timeout','content_policy'])[1 + n %% 20] AS outcome,
                         exp(1.2 + 0.8 * (random() + random() + random() - 1.5) * 2) AS seconds
                  FROM generate_series(1, %s) n) made
            """,
            [OFFERINGS, calls, calls],
        )
        cursor.execute("VACUUM (ANALYZE) providers_call")
        cursor.execute("VACUUM (ANALYZE) providers_offering")
        cursor.execute(
            "SELECT pg_size_pretty(pg_table_size('providers_call')), pg_size_pretty(pg_indexes_size('providers_call'))"
        )
        table, indexes = cursor.fetchone()
    print(f"{calls:,} calls of {OFFERINGS} offerings: table {table}, indexes {indexes}", end="")
    print(f", filled in {time.monotonic() - started:.0f} s\n")


def measure(rounds: int) -> None:
    from django.db import connection

    from providers.performance import percentiles, recent, summaries
    from providers.spending import daily_cap

    everything = list(range(1, OFFERINGS + 1))
    questions: list[tuple[str, Callable[[], Any]]] = [
        ("model page: its 2 offerings, the most called", lambda: percentiles.of_offerings([1, 2])),
        ("model page: 2 ordinary offerings", lambda: percentiles.of_offerings([90, 91])),
        ("all offerings, 30 days", lambda: percentiles.of_offerings(everything)),
        ("routing: all offerings, 15 minutes", lambda: percentiles.of_offerings(everything, recent.WINDOW)),
        ("caps: spent today", lambda: daily_cap.today()),
    ]
    plan(lambda: percentiles.of_offerings([1, 2]))
    print(f"{'question':48}{'index':>10}{'seq. scan':>12}{'ratio':>8}")
    for name, ask in questions:
        quick = _milliseconds(ask, rounds)
        connection.close()  # with its prepared statements: their plans are made already
        with connection.cursor() as cursor:
            for kind in ("indexscan", "indexonlyscan", "bitmapscan"):
                cursor.execute(f"SET enable_{kind} = off")
        slow = _milliseconds(ask, min(rounds, 2))
        connection.close()
        print(f"{name:48}{quick:7.1f} ms{slow:9.0f} ms{slow / quick:8.1f}")
    live = _milliseconds(lambda: percentiles.of_offerings(everything), 2)
    print(f"\n{'count all summaries':48}", end="")
    for when in ("a month of days", "again"):
        started = time.perf_counter()
        summaries.compute()
        print(f"{time.perf_counter() - started:7.1f} s ({when})", end="")
    print(f"\n\n{'what pages read':48}{'kept':>10}{'all live':>12}{'ratio':>8}")
    pages: list[tuple[str, Callable[[], Any]]] = [
        ("model page: 2 offerings, 30 days and daily", lambda: summaries.of_offerings_and_days([1, 2])),
        ("provider page: 30 days and daily", lambda: summaries.of_provider("fal")),
        ("all offerings", lambda: summaries.of_offerings(everything)),
    ]  # fmt: skip
    for name, ask in pages:
        summarised = _milliseconds(ask, rounds * 4)
        print(
            f"{name:48}{summarised:7.1f} ms{live:9.0f} ms{live / summarised:8.1f}   {'✓' if summarised <= 10 else '✗'}"
        )


def plan(ask: Callable[[], Any]) -> None:
    """The plan Postgres chooses for the first question, with its own times."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    with CaptureQueriesContext(connection) as captured:
        ask()
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF) " + captured[0]["sql"].replace("%", "%%"), [])
        for (line,) in cursor.fetchall():
            if "->" in line or "Scan" in line or "Index Cond" in line or "Heap" in line or "Time" in line:
                print(line[:160])
    print()


def _milliseconds(ask: Callable[[], Any], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        ask()
        times.append(time.perf_counter() - started)
    return timedelta(seconds=statistics.median(times)) / timedelta(milliseconds=1)


if __name__ == "__main__":
    main()
