"""Votes per second: `python -m config.services run --temporary -- python -m benchmarks.load [--seconds 3] [--rounds 1]`.

Serves the pages of a database of its own – made up, dropped at the end – by granian with two workers, and votes on it
over open connections. Every acknowledged vote is counted and compared with the rows; one that is missing, or one too
many, ends the benchmark with an error. In the same run, interleaved:

    site            a vote as htmx sends it, reply and the next pairs included; at 1, 16 and 64 in flight
    show            what a browser sends when the next pair has come to the screen
    pair            the voting page of a visitor without cookies
    raw psycopg     the statement that stores a vote, on battles like these, 4 connections
    SQLite          a vote endpoint of the usual small arena: Flask and waitress where they are installed, else the
                    standard library's threading HTTP server; a row read, a row written, two ratings updated, one commit
    mix             so many new visitors a second (open loop, Poisson), each of whom loads a pair and votes
    late            a voter's 20th vote beside the 200th

All of it, the load too, shares this machine, so rates are floors: compare what stands in one run. Prints rates, their
ratio to raw psycopg, latencies, and CPU ms per request of the web processes and of Postgres (Linux). `--profile` prints
where a vote's time goes in Python instead.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.server
import json
import os
import random
import re
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

MODELS, PROMPTS = 8, 30
CATEGORY = "load"
PAGE = f"/arena/{CATEGORY}/"
TICK = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=1, help="medians of so many interleaved rounds are printed")
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--mix", type=int, default=200, help="new visitors a second; 0: no mix")
    parser.add_argument("--url", help="a running site to vote on instead; no raw psycopg, and no comparison with rows")
    parser.add_argument("--category", default=CATEGORY, help="with --url")
    parser.add_argument("--profile", action="store_true", help="print where a vote's Python time goes, and stop")
    options = parser.parse_args()
    if options.url:
        address = urllib.parse.urlsplit(options.url)
        measure_site(Site(address.hostname or "", address.port or 80, f"/arena/{options.category}/"), options)
        return
    with database() as name:
        if options.profile:
            profile()
            return
        with serving(name) as (port, pid):
            run(Site("127.0.0.1", port, PAGE), pid, options)


# The database ────────────────────────────────────────────────────────────────────────────────────────────────────────


@contextlib.contextmanager
def database() -> Iterator[str]:
    """A filled database beside the configured one, which Django uses meanwhile."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.conf import settings

    home = settings.DATABASES["default"]["NAME"]
    name = f"{home}_benchmark_load"
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    def recreate(*statements: str) -> None:
        connection.close()
        connection.settings_dict["NAME"] = home
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.close()
        connection.settings_dict["NAME"] = name

    recreate(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')
    try:
        print("filling a database …", file=sys.stderr)
        call_command("migrate", verbosity=0)
        fill()
        yield name
    finally:
        recreate(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def fill() -> None:
    """A category with images of every model on every prompt. Nobody loads their files here."""
    from django.utils import timezone

    from arena.models import Category, Competition, Entry, Generation, Prompt
    from providers.models import ImageModel, Lab

    now = timezone.now()
    category = Category.objects.create(slug=CATEGORY, name="Load", mode="text-to-image")
    competition = Competition.objects.create(
        category=category, slug="load", title="Load", criterion="nothing", is_published=True
    )
    lab = Lab.objects.create(slug="load", name="Load")
    models = [
        ImageModel.objects.create(
            slug=f"load-{n}", name=f"Model {n}", lab=lab, origin="sample", modes=["text-to-image"]
        )
        for n in range(MODELS)
    ]
    for number in range(PROMPTS):
        prompt = Prompt.objects.create(competition=competition, text=f"A picture of the number {number}")
        for model in models:
            done = Generation.objects.create(
                prompt=prompt, image_model=model, status="succeeded", attempt=1, started_at=now, finished_at=now
            )
            name = uuid.uuid4().hex
            Entry.objects.create(
                generation=done, prompt=prompt, image_model=model, width=1024, height=1024,
                image=f"b/{name}", small=f"s/{name}", thumbnail=f"public/{name}.webp", original=f"o/{name}",
            )  # fmt: skip


@contextlib.contextmanager
def serving(name: str) -> Iterator[tuple[int, int]]:
    """The site's pages on a free port; its port and the id of its process group."""
    from django.db import connection

    parts = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
    environment = {
        **os.environ,
        "DATABASE_URL": parts._replace(path=parts.path.rpartition("/")[0] + f"/{name}").geturl(),
        "ALLOWED_HOSTS": "127.0.0.1",
        "LOG_LEVEL": "ERROR",
        "DEBUG": "",
        # All voters are of one address, and look at nothing.
        "NETWORK_NEW_VOTERS": "0",
        "NETWORK_PREFIX_NEW_VOTERS": "0",
        "VOTE_NEEDS_IMAGES": "0",
        "VOTE_MIN_SECONDS": "0",
    }
    connection.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "2",
        "--no-ws", "--backlog", "4096", "--log-level", "error", "config.asgi:application",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as var:
        environment["VAR_DIR"] = var  # pages need their collected static files
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
        subprocess.run(collect, env=environment, check=True)
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            deadline = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if time.monotonic() > deadline or process.poll() is not None:
                    log.seek(0)
                    sys.exit(log.read().decode() or "The site does not start.")
                time.sleep(0.1)
            try:
                yield port, process.pid
            except SystemExit:
                log.seek(0)
                print(log.read().decode()[-4000:], file=sys.stderr)
                raise
        finally:
            process.terminate()
            process.wait(15)


# A browser ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass
class Site:
    host: str
    port: int
    page: str


@dataclass
class Tally:
    """What a measurement counted: milliseconds of each acknowledged request, and what was answered otherwise."""

    took: list[float] = field(default_factory=list)
    rejected: int = 0
    elapsed: float = 1.0  # seconds
    acknowledged: int | None = None  # votes, those that were not timed among them


class Browser:
    """A voter: cookies, one persistent connection, and the battles that pages and replies have named."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cookies: dict[str, str] = {}
        self.token = ""
        self.waiting: list[str] = []
        self.is_htmx = True
        self.head = ""  # of the last response
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    def forget(self) -> None:
        """Become somebody new on the same connection."""
        self.cookies, self.token, self.waiting = {}, "", []

    async def request(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self.site.host, self.site.port, limit=2**22)
        assert self._reader is not None
        body = urllib.parse.urlencode(form or {}).encode()
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.site.host}:{self.site.port}\r\n"
        head += f"Cookie: {cookies}\r\n" if cookies else ""
        if method == "POST":
            head += f"HX-Request: true\r\nX-CSRFToken: {self.token}\r\n" if self.is_htmx else ""
            head += "Content-Type: application/x-www-form-urlencoded\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        top = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.head = top
        length = re.search(r"(?i)content-length: (\d+)", top)
        content = b""
        if length:
            content = await self._reader.readexactly(int(length[1]))
        elif "chunked" in top.lower():
            while size := int((await self._reader.readuntil(b"\r\n")).strip(), 16):
                content += await self._reader.readexactly(size)
                await self._reader.readexactly(2)
            await self._reader.readexactly(2)
        for name, value in re.findall(r"(?im)^set-cookie: ([^=]+)=([^;\r]*)", top):
            if value.strip('"'):
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return int(top.split(" ", 2)[1]), content.decode()

    async def load(self) -> int:
        """The voting page."""
        status, text = await self.request("GET", self.site.page)
        if status == 200:
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)
            battle = re.search(r'id="battle"[^>]*data-url="([^"]+)"', text)
            if token is None or battle is None:
                sys.exit(f"{self.site.page} shows no pair to vote on.")
            self.token, self.waiting = token[1], [battle[1]]
        elif status != 503:  # 503 is an entry that has enough to do
            sys.exit(f"{self.site.page} is answered with {status}: {text[:500]}")
        return status

    async def vote(self) -> int:
        """Answer the first pair that waits; its reply brings others."""
        url = self.waiting.pop(0)
        status, text = await self.request("POST", f"{url}vote/", {"outcome": random.choice(("left", "right", "tie"))})
        if status == 200:
            self.waiting = re.findall(r'<template[^>]*data-url="([^"]+)"', text)
        return status

    async def show(self) -> int:
        return (await self.request("POST", f"{self.waiting[0]}show/"))[0]

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def disconnect(self) -> None:
        """The next request opens a connection of its own."""
        self.close()
        self._reader = self._writer = None


async def timed(tally: Tally, action: Any, expected: tuple[int, ...] = (200, 204)) -> bool:
    started = time.perf_counter()
    status = await action
    if status not in expected:
        tally.rejected += 1
        return False
    tally.took.append((time.perf_counter() - started) * 1000)
    return True


async def votes(site: Site, at_once: int, seconds: float, per_voter: int = 20) -> Tally:
    """Votes of voters who have one behind them; a new one takes over after so many. Only votes are timed, and loading
    the first page and the first vote of a voter are done before the time begins or between."""
    tally, others = Tally(), Tally()
    browsers = [Browser(site) for _ in range(at_once)]

    async def prepare(browser: Browser) -> None:
        browser.forget()
        await browser.load()
        if not await timed(others, browser.vote()):
            sys.exit("The first vote of a new voter is rejected.")

    for browser in browsers:
        await prepare(browser)
    end = time.perf_counter() + seconds

    async def one(browser: Browser) -> None:
        cast = 1
        while time.perf_counter() < end:
            if not browser.waiting or cast >= per_voter * 10:
                await prepare(browser)
                cast = 1
            await timed(tally, browser.vote())
            cast += 1

    started = time.perf_counter()
    await asyncio.gather(*(one(browser) for browser in browsers))
    tally.elapsed = time.perf_counter() - started
    tally.acknowledged = len(tally.took) + len(others.took)
    for browser in browsers:
        browser.close()
    return tally


async def shows(site: Site, at_once: int, seconds: float) -> Tally:
    """Showings alone are timed; each needs a vote before it."""
    tally, others = Tally(), Tally()
    end, busy = time.perf_counter() + seconds, 0.0

    async def one() -> None:
        nonlocal busy
        browser = Browser(site)
        await browser.load()
        await timed(others, browser.vote())
        while time.perf_counter() < end and browser.waiting:
            await timed(tally, browser.show())
            await timed(others, browser.vote())
        browser.close()

    await asyncio.gather(*(one() for _ in range(at_once)))
    tally.elapsed = seconds
    tally.acknowledged = len(others.took)
    return tally


async def pairs(site: Site, at_once: int, seconds: float) -> Tally:
    tally, end = Tally(), time.perf_counter() + seconds

    async def one() -> None:
        browser = Browser(site)
        while time.perf_counter() < end:
            browser.forget()
            await timed(tally, browser.load())
        browser.close()

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(at_once)))
    tally.elapsed = time.perf_counter() - started
    tally.acknowledged = 0
    return tally


async def mix(site: Site, rate: int, seconds: float) -> tuple[Tally, Tally]:
    """Visitors come when they come, whether the site keeps up or not; connections stay open between them."""
    pair, vote, tasks, idle = Tally(), Tally(), list[asyncio.Task[None]](), list[Browser]()

    async def visitor() -> None:
        browser = idle.pop() if idle else Browser(site)
        browser.forget()
        if await timed(pair, browser.load()):
            await timed(vote, browser.vote())
        idle.append(browser)

    started, due = time.perf_counter(), 0.0
    while due < seconds:
        due += random.expovariate(rate)
        await asyncio.sleep(max(0.0, started + due - time.perf_counter()))
        tasks.append(asyncio.create_task(visitor()))
    await asyncio.gather(*tasks)
    for browser in idle:
        browser.close()
    return pair, vote


async def late(site: Site) -> tuple[float, float]:
    """Median milliseconds of one voter's votes around the 20th and around the 200th."""
    browser, took = Browser(site), list[float]()
    await browser.load()
    for _ in range(220):
        tally = Tally()
        if not await timed(tally, browser.vote()):
            sys.exit("A vote of one voter in a row is rejected.")
        took += tally.took
    browser.close()
    return statistics.median(took[10:30]), statistics.median(took[190:210])


# Beside it ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def raw(count: int, connections: int = 4) -> float:
    """Votes a second by the statement alone, on battles of new voters."""
    import psycopg
    from django.db import connection

    from arena import voting

    parameters = connection.get_connection_params()
    keep = {key: parameters[key] for key in ("dbname", "user", "password", "host", "port") if key in parameters}
    statement, shared = voting._CAST_VOTE, voting.parameters("left")
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


# What it took ────────────────────────────────────────────────────────────────────────────────────────────────────────


def children(parent: int) -> list[int]:
    pids = []
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError):
            if int(status.read_text().rpartition(")")[2].split()[1]) == parent:
                pids.append(int(status.parent.name))
    return pids


def cpu(pids: list[int]) -> float:
    """Milliseconds of CPU these processes have used, those that ended left out."""
    total = 0
    for pid in pids:
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return 1000 * total / TICK


def postmaster() -> int | None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        with contextlib.suppress(OSError):
            return int(Path(f"/proc/{cursor.fetchone()[0]}/stat").read_text().rpartition(")")[2].split()[1])
    return None


def stored() -> int:
    from arena.models import Vote

    return int(Vote.objects.count())


def p(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else sum(values)


def measure_site(site: Site, options: argparse.Namespace) -> None:
    print(f"{'':<26}{'per s':>9}{'p50 ms':>9}{'p95 ms':>9}")
    for at_once in options.at_once:
        tally = asyncio.run(votes(site, at_once, options.seconds))
        rate = len(tally.took) / tally.elapsed
        print(f"{f'vote, {at_once} in flight':<26}{rate:>9.0f}{p(tally.took, 50):>9.1f}{p(tally.took, 95):>9.1f}")


def run(site: Site, pid: int, options: argparse.Namespace) -> None:
    web, server = [pid, *children(pid)], postmaster()
    rows: dict[str, list[tuple[float, ...]]] = {}

    def measure(name: str, action: Callable[[], Tally]) -> None:
        print(f"measuring: {name}", file=sys.stderr)
        before, web_before = stored(), cpu(web)
        backends = children(server) if server else []
        database_before = cpu(backends)
        tally = action()
        requests = len(tally.took) + tally.rejected
        used = (cpu(web) - web_before) / max(1, requests), (cpu(backends) - database_before) / max(1, requests)
        if tally.acknowledged is not None:
            new = stored() - before
            if new != tally.acknowledged or tally.rejected:
                sys.exit(f"{name}: {tally.acknowledged} acknowledged, {new} stored, {tally.rejected} rejected")
        rate = len(tally.took) / tally.elapsed
        rows.setdefault(name, []).append((rate, p(tally.took, 50), p(tally.took, 95), *used))

    asyncio.run(votes(site, 4, 1.0))  # connections, plans and caches as they are after a while
    raws = []
    for _ in range(options.rounds):
        raws.append(raw(max(400, int(600 * options.seconds))))
        for at_once in options.at_once:
            measure(
                f"vote, {at_once} in flight", lambda at_once=at_once: asyncio.run(votes(site, at_once, options.seconds))
            )
        measure("show and vote, 16: show", lambda: asyncio.run(shows(site, 16, options.seconds)))
        measure("pair, 16 in flight", lambda: asyncio.run(pairs(site, 16, options.seconds)))
        with small_arena(100_000) as (name, small, ids):
            tally = asyncio.run(small_votes(small, ids, 16, options.seconds))
            rate = len(tally.took) / tally.elapsed
            rows.setdefault(f"{name}, 16", []).append((rate, p(tally.took, 50), p(tally.took, 95), 0.0, 0.0))
    reference = statistics.median(raws)
    print(f"{'':<28}{'per s':>8}{'of raw':>8}{'p50 ms':>9}{'p95 ms':>9}{'web CPU ms':>12}{'Postgres CPU ms':>17}")
    print(f"{'raw psycopg, 4 connections':<28}{reference:>8.0f}{1:>8.2f}")
    for name, measured in rows.items():
        rate, half, most, web_ms, database_ms = (statistics.median(column) for column in zip(*measured, strict=True))
        print(
            f"{name:<28}{rate:>8.0f}{rate / reference:>8.3f}{half:>9.1f}{most:>9.1f}{web_ms:>12.2f}{database_ms:>17.2f}"
        )
    if options.mix:
        before = stored()
        pair, vote = asyncio.run(mix(site, options.mix, options.seconds))
        if stored() - before != len(vote.took) or pair.rejected or vote.rejected:
            sys.exit(f"mix: {len(vote.took)} acknowledged, {stored() - before} stored")
        print(f"mix of {options.mix} a second: pair p50 {p(pair.took, 50):.1f} p95 {p(pair.took, 95):.1f} ms, "
              f"vote p50 {p(vote.took, 50):.1f} p95 {p(vote.took, 95):.1f} ms")  # fmt: skip
    early, end = asyncio.run(late(site))
    print(f"one voter, ms a vote: 20th {early:.1f}, 200th {end:.1f}, ratio {end / early:.2f}")
    print("every acknowledged vote is a row, and every row was acknowledged")


def profile() -> None:
    """Where a vote's Python time goes, in this process and without a server."""
    import cProfile
    import pstats

    from django.conf import settings
    from django.test import Client

    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    waiting = re.findall(r'data-url="([^"]+)"', client.get(PAGE).content.decode())
    profiler = cProfile.Profile()
    for number in range(320):
        if number == 20:
            profiler.enable()
        reply = client.post(f"{waiting[0]}vote/", {"outcome": "tie"}, headers={"HX-Request": "true"})
        waiting = re.findall(r'<template[^>]*data-url="([^"]+)"', reply.content.decode())
    profiler.disable()
    pstats.Stats(profiler).sort_stats("tottime").print_stats(30)


if __name__ == "__main__":
    main()
