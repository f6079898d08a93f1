"""Hostile clients beside voters: `python -m benchmarks.attack`.

Serves the pages of a database of its own, as benchmarks.load does. New visitors come all the time (open loop), load a
pair and vote; that is measured calm, then during each attack, and the two are compared: the slowest answer that any of
them got (aim: 2 s), and the p95 (aim for 500 half-sent bodies: at most twice the calm one). Attackers come from many IP
addresses of 127.0.0.0/8, so that the bounds for one address do not protect the site here. Linux only.

    --only NAME     attacks whose names contain this
    --soak SECONDS  instead: all attacks in turn, three rounds in so long; the web processes' memory after each attack

The exit code is 1 when a visitor's request fails, or when the last round of a soak takes a tenth more memory on average
than the one before: the same attacks, so that the dearest of them does not decide.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import itertools
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from benchmarks.load import database, measurements
from benchmarks.load.browser import Site, p
from benchmarks.load.processes import children
from benchmarks.memory import megabytes
from benchmarks.programs import with_services

AIM_MS, AIM_RATIO = 2000.0, 2.0
TIMEOUT = 30.0  # seconds a visitor waits
CLEAN_SECONDS = 1.0  # between attacks
ROUNDS = 3  # of a soak; the first also fills caches
_addresses = itertools.cycle(f"127.0.{n // 200}.{n % 200 + 2}" for n in range(2000))


def head(method: str, path: str, *fields: str) -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", *fields, "", ""]).encode("latin1")


def multipart(parts: int) -> bytes:
    body = (
        b"".join(b'--x\r\nContent-Disposition: form-data; name="n%d"\r\n\r\n1\r\n' % n for n in range(parts)) + b"--x--"
    )
    fields = ("Content-Type: multipart/form-data; boundary=x", f"Content-Length: {len(body)}")
    return head("POST", "/playground/", *fields) + body


def posted(path: str, body: bytes, *fields: str) -> bytes:
    return head("POST", path, f"Content-Length: {len(body)}", *fields) + body


@dataclass(frozen=True)
class Attack:
    """`clients` connections that send `first`. `then`: what is sent on every second; `again`: the same request is sent
    again and again, each answer read."""

    clients: int
    first: tuple[bytes, ...]
    then: bytes = b""
    again: bool = False
    reads: bool = True


PAGE, API = "/battles/00000000-0000-0000-0000-000000000000/vote/", "/openai/v1/images/generations"
COOKIE = "Cookie: csrftoken=" + "a" * 32
HALF = (head("POST", PAGE, "Content-Length: 100000", COOKIE) + b"a", head("POST", API, "Content-Length: 60000") + b"{")
FORM = "Content-Type: application/x-www-form-urlencoded"
BOMB = gzip.compress(b"a" * 50_000_000)
ATTACKS = {
    "500 half-sent bodies": Attack(500, HALF),
    "500 trickling bodies": Attack(500, HALF, then=b"a"),
    "300 half-sent chunked bodies": Attack(300, (head("POST", PAGE, "Transfer-Encoding: chunked", COOKIE) + b"5\r\nab",)),
    "300 heads that trickle": Attack(300, (b"GET / HTTP/1.1\r\nHost: a\r\n",), then=b"X: y\r\n"),
    "700 idle connections": Attack(700, (b"",)),
    "300 Expect: 100-continue": Attack(300, (head("POST", PAGE, "Content-Length: 9", "Expect: 100-continue", COOKIE),)),
    "50 that do not read": Attack(50, (head("GET", "/models/") * 20,), reads=False),
    "h2c upgrade": Attack(8, (head("GET", "/healthz", "Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA"),), again=True),
    "HTTP/2 prefaces": Attack(100, (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",)),
    "TLS hellos": Attack(100, (bytes.fromhex("16030100c8010000c40303") + b"a" * 190,)),
    "60,000 spaces in a header": Attack(8, (head("GET", "/robots.txt", "X: a" + " " * 60_000 + "b"),), again=True),
    "400 cookies": Attack(4, (head("GET", "/", "Cookie: " + "; ".join(f"c{n}={'v' * 20}" for n in range(400))),), again=True),
    "a query of 20,000 parameters": Attack(4, (head("GET", "/models/?" + "&".join(f"q{n}" for n in range(9000))),), again=True),
    "a form of 100,000 fields": Attack(4, (posted(PAGE, b"&".join(b"a%d=1" % n for n in range(100_000)), FORM, COOKIE),), again=True),
    "10,000 parts of multipart": Attack(4, (multipart(10_000),), again=True),
    "a compressed body": Attack(4, (posted(API, BOMB, "Content-Encoding: gzip", "Content-Type: application/json"),), again=True),
    "absolute-form and encoded URLs": Attack(4, (head("GET", "http://127.0.0.1/%6dodels/"), head("GET", "//%2e%2e/%2e%2e/etc/passwd")), again=True),
    "JSON 10,000 deep": Attack(4, (posted(API, b"[" * 10_000, "Content-Type: application/json", "Authorization: Bearer ia_x"),), again=True),
    "two Content-Lengths": Attack(4, (head("POST", PAGE, "Content-Length: 3", "Content-Length: 4") + b"abc",), again=True),
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--rate", type=int, default=20, help="new visitors a second")
    parser.add_argument("--only", default="")
    parser.add_argument("--soak", type=float, help="seconds")
    options = parser.parse_args()
    with_services()
    attacks = {name: attack for name, attack in ATTACKS.items() if options.only in name}
    with database.database() as name, database.serving(name) as (port, pid):
        site = Site("127.0.0.1", port, database.PAGE)
        if options.soak:
            sys.exit(asyncio.run(soak(site, pid, attacks, options.soak, options.rate)))
        sys.exit(asyncio.run(compare(site, attacks, options.seconds, options.rate)))


async def compare(site: Site, attacks: dict[str, Attack], seconds: float, rate: int) -> int:
    await measurements.mix(site, rate, seconds)  # caches and plans as they are after a while
    failed = 0
    print(f"{'':<32}{'calm p95':>10}{'p95':>8}{'ratio':>7}{'slowest':>9}  ms   what attackers were answered")
    for name, attack in attacks.items():
        calm, _ = await visitors(site, rate, seconds)
        async with attackers(site, attack) as answers:
            hit, rejected = await visitors(site, rate, seconds)
        ratio = p(hit, 95) / p(calm, 95)
        late = " TOO LATE" if max(hit) > AIM_MS else ""
        late += " TOO SLOW" if "half-sent" in name and ratio > AIM_RATIO else ""
        failed += rejected
        text = f"{name:<32}{p(calm, 95):>10.0f}{p(hit, 95):>8.0f}{ratio:>7.2f}{max(hit):>9.0f}{late}"
        print(
            f"{text}       {dict(answers.most_common(4))}" + (f"; {rejected} visitors failed" if rejected else ""),
            flush=True,
        )
        await asyncio.sleep(CLEAN_SECONDS)
    return 1 if failed else 0


async def soak(site: Site, pid: int, attacks: dict[str, Attack], seconds: float, rate: int) -> int:
    """All attacks in turn, `ROUNDS` times, visitors all the time. Returns the exit code."""
    start, failed, rounds = time.monotonic(), 0, list[float]()
    step = max(2.0, seconds / (ROUNDS * len(attacks)))
    print(f"{'seconds':>8}{'PSS MB':>9}{'p95 ms':>9}{'slowest':>9}")
    for _ in range(ROUNDS):
        memory = []
        for attack in attacks.values():
            async with attackers(site, attack):
                took, rejected = await visitors(site, rate, step)
            failed += rejected
            memory.append(sum(megabytes(process)[0] for process in [pid, *children(pid)]))
            print(f"{time.monotonic() - start:>8.0f}{memory[-1]:>9.0f}{p(took, 95):>9.0f}{max(took):>9.0f}", flush=True)
        rounds.append(sum(memory) / len(memory))
    before, last = rounds[-2:]
    print(
        f"rounds: {' → '.join(f'{mean:.0f}' for mean in rounds)} MB on average ({last / before - 1:+.1%}); {failed} visitors failed"
    )
    return 1 if failed or last > 1.1 * before else 0


async def visitors(site: Site, rate: int, seconds: float) -> tuple[list[float], int]:
    """Milliseconds of every request, and how many were not answered as they should."""
    try:
        pair, vote = await asyncio.wait_for(measurements.mix(site, rate, seconds), seconds + TIMEOUT)
    except (TimeoutError, OSError, asyncio.IncompleteReadError) as error:
        print(f"  a visitor was not answered: {error!r}")
        return [1000 * TIMEOUT], 1
    return pair.took + vote.took or [0.0], pair.rejected + vote.rejected


@asynccontextmanager
async def attackers(site: Site, attack: Attack) -> AsyncIterator[Counter[str]]:
    answers: Counter[str] = Counter()
    tasks = [asyncio.create_task(attacker(site, attack, n, answers)) for n in range(attack.clients)]
    await asyncio.sleep(0.5)
    try:
        yield answers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def attacker(site: Site, attack: Attack, number: int, answers: Counter[str]) -> None:
    """One connection after the other, until it is cancelled."""
    text = attack.first[number % len(attack.first)]
    while True:
        writer = None
        try:
            source = (next(_addresses), 0)
            reader, writer = await asyncio.open_connection(site.host, site.port, local_addr=source)
            writer.write(text)
            if attack.again:
                await writer.drain()
            if not attack.reads:
                await asyncio.sleep(3600)
            answer = b"HTTP/1.1 100"
            while answer.startswith(b"HTTP/1.1 100"):  # it is invited to go on, and does not
                answer = await _answer(reader, writer, attack)
            words = answer.split(b" ", 2)
            answers[words[1].decode() if len(words) > 1 else "closed"] += 1
            await asyncio.sleep(0 if attack.again else 1)
        except (OSError, ValueError):
            answers["closed"] += 1
            await asyncio.sleep(0.2)
        finally:
            if writer is not None:
                writer.close()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, attack: Attack) -> bytes:
    """The beginning of what comes back, however long that takes; what trickles goes on meanwhile."""
    answer = asyncio.ensure_future(reader.read(64))
    try:
        while not (await asyncio.wait({answer}, timeout=1.0))[0]:
            if attack.then:
                writer.write(attack.then)
        return answer.result()
    finally:
        answer.cancel()


if __name__ == "__main__":
    main()
