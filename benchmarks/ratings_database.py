"""T7, T8, T12: the site's own vote statement, import, recount and recompute, in a database that is dropped again."""

from __future__ import annotations

import os
import re
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parents[1]
Line = Callable[[str, str, str, "bool | None"], None]
DATABASE = "arena_benchmark"
MODELS, VOTERS = 50, 100


def run(full: bool, line: Line, targets: set[str]) -> None:
    with scratch_database() as url:
        import django

        os.environ["DATABASE_URL"] = url
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        django.setup()
        from django.core.management import call_command
        from django.db import connection

        from benchmarks import recompute_memory

        call_command("migrate", verbosity=0)
        try:
            world = _world()
            if "T7" in targets:
                _writes(world, 6000 if full else 2000, line)
                _hot_cell(world, line)
            if "T8" in targets:
                _import(world, 1_000_000, line)
                _recount(world, 5_000_000 if full else 1_000_000, line)
            if "T12" in targets:
                recompute_memory.run(world["prompt"].competition, 5_000_000 if full else 1_000_000, line)
        finally:
            connection.close()


@contextmanager
def scratch_database() -> Iterator[str]:
    given = os.environ["DATABASE_URL"]
    with psycopg.connect(given, autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        server.execute(f"CREATE DATABASE {DATABASE}")
    try:
        yield re.sub(r"/[^/?]*(\?.*)?$", rf"/{DATABASE}\1", given)
    finally:
        os.environ["DATABASE_URL"] = given
        with psycopg.connect(given, autocommit=True) as server:
            server.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")


def _world() -> dict[str, Any]:
    """A category with 50 models that have all answered one prompt, and 100 voters."""
    from django.utils import timezone

    from arena.models import Category, Competition, Entry, Generation, Prompt, Voter
    from providers.models import ImageModel

    now = timezone.now()
    category = Category.objects.create(slug="one", name="One", mode="text-to-image")
    competition = Competition.objects.create(category=category, slug="c", title="C", criterion="c", is_published=True)
    prompt = Prompt.objects.create(competition=competition, text="A prompt")
    models = ImageModel.objects.bulk_create(
        ImageModel(slug=f"m{n}", name=f"M{n}", origin="sample", modes=["text-to-image"]) for n in range(MODELS)
    )
    generations = Generation.objects.bulk_create(
        Generation(prompt=prompt, image_model=model, status="succeeded", attempt=1, started_at=now, finished_at=now)
        for model in models
    )
    entries = Entry.objects.bulk_create(
        Entry(
            generation=generation,
            prompt=prompt,
            image_model=generation.image_model,
            image="i",
            small="s",
            thumbnail="t",
            original="o",
            width=8,
            height=8,
        )
        for generation in generations
    )
    voters = Voter.objects.bulk_create(Voter() for _ in range(VOTERS))
    return {"category": category, "prompt": prompt, "models": models, "entries": entries, "voters": voters}


def _battles(world: dict[str, Any], count: int, same: bool = False) -> list[Any]:
    """Served battles; one voter may meet a pair again here, for 100 voters are to cast thousands of votes."""
    from django.db import connection
    from django.utils import timezone

    from arena.models import Battle

    with connection.cursor() as cursor:
        cursor.execute('DROP INDEX IF EXISTS "a voter meets a pair only once"')
    entries, voters = world["entries"], world["voters"]
    pairs = [
        (entries[0], entries[1])
        if same
        else (entries[n % MODELS], entries[(n + 1 + n // MODELS % (MODELS - 1)) % MODELS])
        for n in range(count)
    ]
    return [
        battle.pk
        for battle in Battle.objects.bulk_create(
            Battle(
                voter=voters[n % VOTERS],
                prompt=world["prompt"],
                left=left,
                right=right,
                probability=1,
                expires_at=timezone.now() + timedelta(hours=1),
            )
            for n, (left, right) in enumerate(pairs)
        )
    ]


def _statements() -> dict[str, str]:
    """The site's statement, and what is left of it without the cap, and without cap and pair count."""
    from arena.voting import vote_statement

    counted = vote_statement._CAST_VOTE
    tallied = re.sub(r"verdict AS MATERIALIZED \(.*\), vote AS", "verdict AS (SELECT '' AS rule), vote AS", counted)
    alone = re.sub(r", tally AS \(.*\) SELECT vote", " SELECT vote", tallied)
    assert len({counted, tallied, alone}) == 3
    return {"alone": alone, "tallied": tallied, "counted": counted}


def _values(battle: Any) -> dict[str, Any]:
    from arena.voting import vote_statement

    return vote_statement.parameters("left") | {"battle": battle, "needs_images": False, "min_seconds": 0.0}


def _writes(world: dict[str, Any], count: int, line: Line) -> None:
    from arena.models import Tally

    statements = _statements()
    took: dict[str, list[float]] = {name: [] for name in (*statements, "bare")}
    before = 10_000  # votes there are already, so that Postgres plans for a site that is in use
    battles = iter(_battles(world, before + count * len(statements)))
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=2) as connection:
        with connection.transaction():
            for _ in range(before):
                connection.execute(statements["counted"], _values(next(battles)))
        connection.execute("VACUUM ANALYZE")
        connection.execute("CREATE TABLE bare (n int)")
        for _ in range(count):
            for name, statement in statements.items():
                values = _values(next(battles))
                started = time.perf_counter()
                connection.execute(statement, values).fetchall()
                took[name].append(time.perf_counter() - started)
            started = time.perf_counter()
            connection.execute("INSERT INTO bare VALUES (1)")
            took["bare"].append(time.perf_counter() - started)
        connection.execute("DROP TABLE bare")
    alone, tallied, counted = (1000 * statistics.median(took[name]) for name in ("alone", "tallied", "counted"))
    line(
        "T7",
        "the pair count in a vote's statement: ≤ 35 % more at the median",
        f"{alone:.3f} → {tallied:.3f} ms, +{100 * (tallied / alone - 1):.0f} %",
        tallied <= 1.35 * alone,
    )
    line("T7", "… and with the cap's count", f"{counted:.3f} ms, +{100 * (counted / alone - 1):.0f} %", None)
    rate, bare = count / sum(took["counted"]), count / sum(took["bare"])
    figure = f"{rate:,.0f}/s (one number in a table without index: {bare:,.0f}/s)"
    line("T7", "≥ 2,000 votes/s, one client, each durable by itself", figure, rate >= 2000)
    Tally.objects.all().delete()


def _hot_cell(world: dict[str, Any], line: Line) -> None:
    """Four clients vote on one pair at once: no vote may be lost from the pair count."""
    from arena.models import Tally, Vote

    Vote.objects.all().delete()
    battles = _battles(world, 4000, same=True)
    statement = _statements()["counted"]

    def client(mine: list[Any]) -> None:
        with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, prepare_threshold=2) as connection:
            for battle in mine:
                connection.execute(statement, _values(battle))

    clients = [threading.Thread(target=client, args=(battles[n::4],)) for n in range(4)]
    started = time.perf_counter()
    for thread in clients:
        thread.start()
    for thread in clients:
        thread.join()
    rate = len(battles) / (time.perf_counter() - started)
    stored, tallied = Vote.objects.count(), Tally.objects.get().n
    line(
        "T7",
        "four clients on one pair: every vote is in the pair count",
        f"{stored:,} stored, {tallied:,} counted, {rate:,.0f}/s",
        stored == tallied == len(battles),
    )
    Tally.objects.all().delete()
    Vote.objects.all().delete()


def _csv(count: int) -> bytes:
    outcomes = ("left", "right", "tie")
    rows = (
        f"v{n % 50_000},p{n % 1000},M{n % MODELS},M{(n + 1 + n // MODELS % (MODELS - 1)) % MODELS},{outcomes[n % 3]}"
        for n in range(count)
    )
    return ("voter,prompt,left,right,outcome\n" + "\n".join(rows) + "\n").encode()


def _import(world: dict[str, Any], count: int, line: Line) -> None:
    from arena.imports.votes import files, load
    from arena.models import Category

    data = _csv(count)
    started = time.perf_counter()
    files.read(data)
    checked = time.perf_counter() - started
    category = Category.objects.create(slug="imported", name="Imported", mode="text-to-image")
    started = time.perf_counter()
    load.import_votes(data, category, "A benchmark")
    whole = time.perf_counter() - started
    stored = count / (whole - checked)
    line("T8", "storing imported votes with pair counts ≥ 200,000 votes/s", f"{stored:,.0f}/s", stored >= 200_000)
    line("T8", f"… {count:,} lines of CSV read, checked and stored", f"{whole:.1f} s, {count / whole:,.0f}/s", None)


def _recount(world: dict[str, Any], count: int, line: Line) -> None:
    """Votes in 8 categories, stored past their battles: only their recount is measured."""
    from django.db import connection

    from arena.models import Category
    from leaderboard.board import pair_counts

    categories = [Category.objects.create(slug=f"c{n}", name=f"C{n}", mode="text-to-image") for n in range(8)]
    first = world["models"][0].pk
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute(
            f"""
            INSERT INTO arena_vote (battle_id, voter_id, category_id, left_model_id, right_model_id, outcome, cast_at,
                                    decision_time, excluded_reason, excluded_rule)
            SELECT gen_random_uuid(), 1 + i % 50000, {categories[0].pk} + i % 8, {first} + i % 50,
                   {first} + (i + 1 + i / 50 % 49) % 50, (ARRAY['left','right','tie'])[1 + i % 3], now(), '3s', '', ''
            FROM generate_series(1, {count}) i
            """
        )
        cursor.execute("SET session_replication_role = origin")
        cursor.execute(
            """
            INSERT INTO arena_tally (category_id, day, left_model_id, right_model_id, outcome, n, changed_at)
            SELECT category_id, (cast_at AT TIME ZONE 'UTC')::date, left_model_id, right_model_id, outcome, count(*), now()
            FROM arena_vote GROUP BY 1, 2, 3, 4, 5
            """
        )
        cursor.execute("VACUUM ANALYZE")
        recount = (
            "SELECT category_id, left_model_id, right_model_id, outcome, count(*) FROM arena_vote"
            " WHERE excluded_reason = '' GROUP BY 1, 2, 3, 4"
        )
        took = _median(lambda: (cursor.execute(recount), cursor.fetchall()))
        line("T8", f"recount of {count:,} votes ≤ 0.5 s", f"{1000 * took:.0f} ms", took <= 0.5)
    took = _median(lambda: pair_counts.counts(categories[3]))
    line("T8", "one category's pair counts read ≤ 10 ms", f"{1000 * took:.1f} ms", took <= 0.01)
    took = _median(lambda: pair_counts.state(categories[3]))
    line("T8", "… and whether they moved", f"{1000 * took:.1f} ms", None)
    started = time.perf_counter()
    wrong = pair_counts.check()
    line(
        "T7",
        "the nightly recount, day by day, equals the pair counts cell by cell",
        f"{wrong} differ, {time.perf_counter() - started:.1f} s",
        wrong == 0,
    )


def _median(action: Callable[[], Any]) -> float:
    took = []
    for _ in range(7):
        started = time.perf_counter()
        action()
        took.append(time.perf_counter() - started)
    return statistics.median(took)
