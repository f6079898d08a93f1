"""Votes per second: `python -m benchmarks.load [--seconds 3] [--rounds 1]`.

Serves the pages of a database of its own – made up, dropped at the end – by granian with two workers, and votes on it
over open connections. Every acknowledged vote is counted and compared with the rows; one that is missing, or one too
many, ends the benchmark with an error. In the same run, interleaved:

    site            a vote as htmx sends it, reply and the next pairs included; at 1, 16 and 64 in flight
    show            what a browser sends when the next pair has come to the screen
    pair            the voting page of a visitor without cookies
    raw psycopg     the statement that stores a vote, on battles like these, 4 connections
    SQLite          a vote endpoint of the usual small arena: Flask and waitress where they are installed, else the
                    standard library's threading HTTP server; a row read, a row written, two ratings updated, one commit
    mix             so many new visitors a second (open loop, Poisson), each of whom loads a pair and votes; who used the
                    processors meanwhile; then half as many, until the p95 of a vote is within 25 ms
    --generations N the mix alone, calm and while a worker has N images under way (aim: 100 a second, 48 images, 60 ms)
    late            a voter's 20th vote beside the 200th

All of it, the load too, shares this machine, so rates are floors: compare what stands in one run. Prints rates, their
ratio to raw psycopg, latencies, and CPU ms per request of the web processes and of Postgres (Linux). `--profile` prints
where a vote's time goes in Python instead.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable
from functools import partial

from benchmarks.load import generations
from benchmarks.load.browser import Site, Tally, p
from benchmarks.load.database import CATEGORY, PAGE, database, serving, stored
from benchmarks.load.measurements import late, mix, pairs, shows, votes
from benchmarks.load.processes import children, cpu, postmaster
from benchmarks.load.profiler import profile
from benchmarks.load.references import raw, small_arena, small_votes
from benchmarks.programs import with_services

AIM = 25.0  # milliseconds: p95 of a vote in the mix


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=1, help="medians of so many interleaved rounds are printed")
    parser.add_argument("--at-once", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--mix", type=int, default=200, help="new visitors a second; 0: no mix")
    parser.add_argument("--generations", type=int, default=0, metavar="N", help="the mix alone, beside N images")
    parser.add_argument("--url", help="a running site to vote on instead; no raw psycopg, and no comparison with rows")
    parser.add_argument("--category", default=CATEGORY, help="with --url")
    parser.add_argument("--profile", action="store_true", help="print where a vote's Python time goes, and stop")
    options = parser.parse_args()
    if options.url:
        address = urllib.parse.urlsplit(options.url)
        measure_site(Site(address.hostname or "", address.port or 80, f"/arena/{options.category}/"), options)
        return
    with_services()
    with database() as name:
        if options.profile:
            profile()
            return
        with serving(name) as (port, pid):
            site = Site("127.0.0.1", port, PAGE)
            if options.generations:
                beside_generations(name, site, options)
            else:
                run(site, pid, options)


def measure_site(site: Site, options: argparse.Namespace) -> None:
    print(f"{'':<26}{'per s':>9}{'p50 ms':>9}{'p95 ms':>9}")
    for at_once in options.at_once:
        tally = asyncio.run(votes(site, at_once, options.seconds))
        rate = len(tally.took) / tally.elapsed
        print(f"{f'vote, {at_once} in flight':<26}{rate:>9.0f}{p(tally.took, 50):>9.1f}{p(tally.took, 95):>9.1f}")


def beside_generations(name: str, site: Site, options: argparse.Namespace) -> None:
    print_mix(site, options.mix, options.seconds)  # connections, plans and caches as they are after a while
    calm = print_mix(site, options.mix, options.seconds)
    with (
        tempfile.TemporaryDirectory() as folder,
        generations.under_way(name, options.generations, options.seconds, folder),
    ):
        busy = print_mix(site, options.mix, options.seconds)
    print(
        f"p95 of a vote beside {options.generations} images: {busy:.1f} ms, {busy / calm:.2f} times what it is without"
    )


def print_mix(site: Site, rate: int, seconds: float) -> float:
    """The p95 of its votes, in ms."""
    before = stored()
    pair, vote = asyncio.run(mix(site, rate, seconds))
    if stored() - before != len(vote.took) or pair.rejected or vote.rejected:
        sys.exit(f"mix: {len(vote.took)} acknowledged, {stored() - before} stored, "
                 f"{pair.rejected + vote.rejected} rejected")  # fmt: skip
    print(f"mix of {rate} a second: pair p50 {p(pair.took, 50):.1f} p95 {p(pair.took, 95):.1f} ms, "
          f"vote p50 {p(vote.took, 50):.1f} p95 {p(vote.took, 95):.1f} ms")  # fmt: skip
    return p(vote.took, 95)


def find_mix(site: Site, rate: int, seconds: float, web: list[int]) -> None:
    """The mix at this rate, and at half of it again and again until the aim is met."""
    server = postmaster()
    while rate:
        parts = {"web": web, "Postgres": children(server) if server else [], "this client": [os.getpid()]}
        before, started = {name: cpu(pids) for name, pids in parts.items()}, time.perf_counter()
        most = print_mix(site, rate, seconds)
        elapsed = 1000 * (time.perf_counter() - started)
        shares = (f"{name} {(cpu(pids) - before[name]) / elapsed:.2f}" for name, pids in parts.items())
        print(f"  of {os.cpu_count()} processors: {', '.join(shares)}")
        if most <= AIM:
            print(f"p95 of a vote is within {AIM:.0f} ms at {rate} pairs and votes a second")
            return
        rate //= 2
    print(f"p95 of a vote is within {AIM:.0f} ms at no rate")


def _voted(site: Site, at_once: int, seconds: float) -> Tally:
    return asyncio.run(votes(site, at_once, seconds))


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
            measure(f"vote, {at_once} in flight", partial(_voted, site, at_once, options.seconds))
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
        find_mix(site, options.mix, options.seconds, web)
    early, end = asyncio.run(late(site))
    print(f"one voter, ms a vote: 20th {early:.1f}, 200th {end:.1f}, ratio {end / early:.2f}")
    print("every acknowledged vote is a row, and every row was acknowledged")


if __name__ == "__main__":
    main()
