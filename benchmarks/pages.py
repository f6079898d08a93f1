"""How quick the pages are with millions of votes: `python -m benchmarks.pages [--votes 5000000 --calls 5000000]`.

Fills a database beside the configured one – 200 models, 20 categories with 10 prompts each, votes over a year, calls
over 60 days – derives from it what Celery beat derives, and asks for every page as a browser without cookies does. The
filled database is left: the next run with the same sizes measures at once (`--fresh` fills again, `--drop` ends with
it, `--fill` fills and measures nothing). The models and votes are made up.

The board of a tag with many votes is computed by a periodic task: its first reader is asked to look again, which is timed,
and so is the task.

Prints per page: queries and time of the first answer, with nothing cached in Valkey; queries, p50 and p95 of the next
ones; kilobytes as gzip sends them; then every plan in which a large table is read from end to end.
"""

from __future__ import annotations

import argparse
import gzip
import os
import re
import statistics
import sys
import time
from functools import partial
from typing import Any

from benchmarks.large_site import FILLING, derive, fill, migrate
from benchmarks.programs import with_services

MOST = 20_000_000
LARGE = ("arena_vote", "arena_battle", "arena_tally", "providers_call", "arena_entry", "arena_generation")
AIM_QUERIES, AIM_MS, AIM_KB = 12, 100.0, 60.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--votes", type=int, default=5_000_000)
    parser.add_argument("--calls", type=int, default=5_000_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--plans", action="store_true", help="print every plan, not only those that fail")
    parser.add_argument(
        "--only", nargs="+", metavar="WORD", default=[""], help="pages with one of these in the address"
    )
    parser.add_argument("--fresh", action="store_true", help="fill again, even if a filled database is there")
    parser.add_argument("--fill", action="store_true", help="fill and stop")
    parser.add_argument("--drop", action="store_true", help="drop the filled database at the end")
    options = parser.parse_args()
    if not (1000 <= options.votes <= MOST and 1000 <= options.calls <= MOST):
        sys.exit(f"--votes and --calls must be between 1000 and {MOST}.")
    with_services()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.conf import settings
    from django.core.cache import cache
    from django.db import connection

    database = settings.DATABASES["default"]
    home, filled = database["NAME"], f"{database['NAME']}_benchmark_pages"
    django.setup()
    settings.ALLOWED_HOSTS = ["testserver"]
    settings.SECURE_SSL_REDIRECT = False
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.CACHES["default"]["KEY_PREFIX"] = f"benchmark-{os.getpid()}"
    size = f"{options.votes} votes, {options.calls} calls, filled by version {FILLING}"
    filled_size = "" if options.fresh else _size(connection, filled)
    if filled_size not in (size, f"{size}, not derived"):
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE IF EXISTS "{filled}" WITH (FORCE)')
            cursor.execute(f'CREATE DATABASE "{filled}"')
        _switch(connection, filled)
        fill(options.votes, options.calls)
        _note(connection, filled, f"{size}, not derived")
    _switch(connection, filled)
    migrate()
    if filled_size != size:
        derive()
        _note(connection, filled, size)
    try:
        if not options.fill:
            measure(
                [page for page in PAGES if any(word in page for word in options.only)], options.rounds, options.plans
            )
    finally:
        _switch(connection, home)
        cache.close()
        if options.drop:
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE "{filled}" WITH (FORCE)')
        connection.close()


def _switch(connection: Any, name: str) -> None:
    connection.close()
    connection.settings_dict["NAME"] = name


def _size(connection: Any, name: str) -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT shobj_description(oid, 'pg_database') FROM pg_database WHERE datname = %s", [name])
        return (cursor.fetchone() or ("",))[0] or ""


def _note(connection: Any, name: str, text: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"COMMENT ON DATABASE \"{name}\" IS '{text}'")


PAGES = (
    "/", "/leaderboard/", "/leaderboard/overall/", "/leaderboard/category-3/", "/leaderboard/category-3/?window=90d",
    "/leaderboard/category-3/?tag=tag-3", "/leaderboard/category-3/?tag=any", "/leaderboard/overall/?price=0.03&sort=price",
    "/leaderboard/category-3/?price=0.03&sort=price", "/leaderboard/category-3.csv",
    "/compare/model-1/model-2/", "/compare/model-1/model-150/model-2/model-99/", "/compare/", "/models/?for=me&price=0.05&seconds=8",
    "/competitions/competition-3/", "/competitions/competition-3/21/", "/search/?q=modle+17", "/search/?q=number",
    "/models/", "/models/model-7/", "/labs/lab-3/", "/providers/fal/", "/sitemap.xml", "/llms.txt",
)  # fmt: skip


def measure(pages: list[str], rounds: int, all_plans: bool) -> None:
    """Every page first with nothing cached, then as the next readers get it; boards do not move meanwhile."""
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from leaderboard.board import by_tag, overall
    from providers import cache

    print(
        f"{'':62} {'nothing kept':>17} {'kept':>25}\n{'page':62} {'queries':>8} {'ms':>8} {'queries':>8} {'p50 ms':>8} "
        f"{'p95 ms':>7} {'gz KB':>6}   (aims: ≤ {AIM_QUERIES} queries, p95 ≤ {AIM_MS:.0f} ms, ≤ {AIM_KB:.0f} KB)"
    )
    asked: dict[str, str] = {}
    overall.refresh_pooled()  # as the periodic task does after every new board
    pooled = cache.get("pooled")
    Client().get("/methodology/")  # imports and templates
    for number, page in enumerate(pages):
        cache.release = partial("benchmark-{}-{}".format, os.getpid(), number)  # type: ignore[assignment]  # nothing is cached under it
        cache.clear_process_caches()
        cache.put(pooled, "pooled", seconds=600)
        client = Client(headers={"accept-encoding": "gzip"})
        with CaptureQueriesContext(connection) as cold:
            first, response = _timed(client, page)
        asked_cold = cold.captured_queries  # the next request empties the log they stand in
        if response.status_code == 202:
            print(f"{f'{page}, told to look again':62} {len(asked_cold):8} {first:8.0f}")
            began = time.perf_counter()
            by_tag.refresh()
            print(f"{'    made by the clock':62} {'':8} {1000 * (time.perf_counter() - began):8.0f}")
            with CaptureQueriesContext(connection) as cold:
                first, response = _timed(client, page)
            asked_cold = cold.captured_queries
        if response.status_code != 200:
            print(f"{page:62} answered {response.status_code}")
            continue
        times = sorted(_timed(client, page)[0] for _ in range(rounds))
        p95 = times[max(0, -(-95 * len(times) // 100) - 1)]
        with CaptureQueriesContext(connection) as warm:
            content = client.get(page).content
        zipped = response.has_header("Content-Encoding")
        size = len(content if zipped else gzip.compress(content, 6)) / 1024
        missed = max(len(asked_cold), len(warm)) > AIM_QUERIES or p95 > AIM_MS or size > AIM_KB
        print(
            f"{page:62} {len(asked_cold):8} {first:8.0f} {len(warm):8} {statistics.median(times):8.1f} {p95:7.1f} {size:6.1f}"
            f"{'  MISSED' if missed else ''}",
            flush=True,
        )
        for query in [*asked_cold, *warm.captured_queries]:
            if query["sql"].lstrip("( \n").upper().startswith(("SELECT", "WITH")):
                asked.setdefault(re.sub(r"\d+|'[^']*'", "?", query["sql"]), f"{page}\n{query['sql'].strip()}")
    plans(list(asked.values()), all_plans)


def _timed(client: Any, page: str) -> tuple[float, Any]:
    started = time.perf_counter()
    response = client.get(page)
    return 1000 * (time.perf_counter() - started), response


def plans(asked: list[str], all_plans: bool) -> None:
    """Every query's plan; those that read a large table from end to end are shown."""
    from django.db import connection

    failing = 0
    for statement in asked:
        page, sql = statement.split("\n", 1)
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN " + sql.replace("%", "%%"))
            plan = "\n".join(row[0] for row in cursor.fetchall())
        whole = [table for table in LARGE if re.search(rf"Seq Scan on {table}\b", plan)]
        failing += bool(whole)
        if whole or all_plans:
            print(f"\n{page}{'  reads all of ' + ', '.join(whole) if whole else ''}\n{sql[:400]}\n{plan}")
    print(f"\n{len(asked)} different queries, {failing} of them read a large table from end to end.")


if __name__ == "__main__":
    main()
