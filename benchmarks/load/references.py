"""What the site is measured against: its statement by raw psycopg, and the shape of a small arena."""

from __future__ import annotations

import asyncio
import contextlib
import http.server
import json
import random
import sqlite3
import tempfile
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.load.browser import Browser, Site, Tally, timed
from benchmarks.load.database import MODELS


def raw(count: int, connections: int = 4) -> float:
    """Votes a second by the statement alone, on battles of new voters."""
    import psycopg
    from django.db import connection

    from arena.voting import vote_statement

    parameters = connection.get_connection_params()
    keep = {key: parameters[key] for key in ("dbname", "user", "password", "host", "port") if key in parameters}
    statement, shared = vote_statement._CAST_VOTE, vote_statement.parameters("left")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT l.prompt_id, l.id, r.id FROM arena_entry l JOIN arena_entry r ON r.prompt_id = l.prompt_id AND r.id > l.id"
        )
        every = cursor.fetchall()
        chosen = [random.choice(every) for _ in range(count)]
        cursor.execute(
            """WITH n AS (SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[]) WITH ORDINALITY AS x (p, l, r, i)),
            v AS (INSERT INTO arena_voter (created_at) SELECT now() FROM n RETURNING id),
            numbered AS (SELECT id, row_number() OVER () AS i FROM v),
            s AS (INSERT INTO arena_voterprogress (voter_id, category_id, turn) SELECT id, (SELECT id FROM arena_category LIMIT 1), 1 FROM v)
            INSERT INTO arena_battle (id, voter_id, prompt_id, left_id, right_id, left_token, right_token, probability, served_at, expires_at)
            SELECT gen_random_uuid(), numbered.id, p, l, r, md5(random()::text), md5(random()::text), 0.1, now(), now() + interval '1 hour'
            FROM n JOIN numbered USING (i) RETURNING id""",
            [[row[0] for row in chosen], [row[1] for row in chosen], [row[2] for row in chosen]],
        )
        ids = [row[0] for row in cursor.fetchall()]
        # As autovacuum does within a minute: the site's plans are from when these tables were empty, and read them whole.
        cursor.execute("ANALYZE")
    barrier = threading.Barrier(connections + 1)

    def one(own: list[Any]) -> None:
        with psycopg.connect(**keep, autocommit=True, prepare_threshold=2) as own_connection:
            barrier.wait()
            for battle in own:
                own_connection.execute(statement, {**shared, "battle": battle}).fetchone()

    threads = [threading.Thread(target=one, args=(ids[number::connections],)) for number in range(connections)]
    for thread in threads:
        thread.start()
    barrier.wait()
    started = time.perf_counter()
    for thread in threads:
        thread.join()
    return count / (time.perf_counter() - started)


SMALL_ARENA = """
CREATE TABLE battle (id TEXT PRIMARY KEY, a INTEGER, b INTEGER, voted INTEGER DEFAULT 0);
CREATE TABLE vote (id INTEGER PRIMARY KEY, battle TEXT, winner TEXT, at REAL);
CREATE TABLE rating (model INTEGER PRIMARY KEY, elo REAL);
"""


@contextlib.contextmanager
def small_arena(count: int) -> Iterator[tuple[str, Site, list[str]]]:
    """The shape of a small arena: its name, where it is, and ids of battles to vote on."""
    with tempfile.TemporaryDirectory() as folder:
        path, ids = Path(folder) / "arena.db", [uuid.uuid4().hex for _ in range(count)]
        with contextlib.closing(sqlite3.connect(path)) as setup:
            setup.executescript(SMALL_ARENA)
            setup.executemany("INSERT INTO rating VALUES (?, 1000)", [(n,) for n in range(MODELS)])
            pairs = [(name, *random.sample(range(MODELS), 2)) for name in ids]
            setup.executemany("INSERT INTO battle (id, a, b) VALUES (?, ?, ?)", pairs)
            setup.commit()
        local = threading.local()

        def cast(battle: str, winner: str) -> dict[str, Any]:
            db = getattr(local, "db", None)
            if db is None:
                db = local.db = sqlite3.connect(path, timeout=30)
            a, b, voted = db.execute("SELECT a, b, voted FROM battle WHERE id = ?", (battle,)).fetchone()
            if voted:
                return {"error": "voted already"}
            ratings = dict(db.execute("SELECT model, elo FROM rating WHERE model IN (?, ?)", (a, b)))
            step = 32 * ((winner == "left") - 1 / (1 + 10 ** ((ratings[b] - ratings[a]) / 400)))
            db.execute("UPDATE battle SET voted = 1 WHERE id = ?", (battle,))
            db.execute("INSERT INTO vote (battle, winner, at) VALUES (?, ?, ?)", (battle, winner, time.time()))
            db.executemany("UPDATE rating SET elo = elo + ? WHERE model = ?", [(step, a), (-step, b)])
            db.commit()
            return {"a": a, "b": b, "elo": [ratings[a] + step, ratings[b] - step]}

        name, close, port = _serve_small(cast)
        try:
            yield name, Site("127.0.0.1", port, "/"), ids
        finally:
            close()


def _serve_small(cast: Callable[[str, str], dict[str, Any]]) -> tuple[str, Callable[[], None], int]:
    try:
        from flask import Flask, jsonify, request
        from waitress.server import create_server
    except ImportError:
        pass
    else:
        app = Flask(__name__)
        app.post("/<battle>/vote/")(lambda battle: jsonify(cast(battle, request.form["outcome"])))
        server = create_server(app, host="127.0.0.1", port=0, threads=12)
        threading.Thread(target=server.run, daemon=True).start()
        return "Flask + SQLite", server.close, int(server.effective_port)

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            body = json.dumps(cast(self.path.split("/")[1], form["outcome"][0])).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *values: Any) -> None:
            pass

    plain = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=plain.serve_forever, daemon=True).start()
    return "http.server + SQLite", plain.shutdown, int(plain.server_port)


async def small_votes(site: Site, ids: list[str], at_once: int, seconds: float) -> Tally:
    tally, end = Tally(), time.perf_counter() + seconds

    async def one() -> None:
        browser = Browser(site)
        while time.perf_counter() < end and ids:
            browser.waiting = [f"/{ids.pop()}/"]
            await timed(tally, browser.vote())
        browser.close()

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(at_once)))
    tally.elapsed = time.perf_counter() - started
    return tally
