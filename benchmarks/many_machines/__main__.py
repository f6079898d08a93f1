"""Many machines, proven: hosts as network namespaces of this one, and what happens when they fail.

    python -m benchmarks.many_machines            every fault for 40 s, which is longer than a lease
    python -m benchmarks.many_machines --short    the same with faults of 2 s

Two page hosts, two workers, two beats, PostgreSQL, Valkey and an S3 server, each on a host with an address of its own.
Voters vote through both page hosts all the time, as through a load balancer, and images are generated. Meanwhile a
worker is cut off, a page host is killed, the broker is restarted, the beat that leads is killed, and at last every
process of the site is stopped and started, one after the other, as in a rolling update. The exit code is 1 when a vote
is lost or doubled, a tally differs, an image is missing or any response is a 5xx. Connections to a host that is down may
fail: the load balancer, here the voter, tries the other one.

Linux and root only. Nothing is left, by kill -9 neither: see network.py.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.chaos import verdict
from benchmarks.many_machines import network
from benchmarks.many_machines.site import Arena, Crowd, eventually

HOME = Path(tempfile.gettempdir()) / "arena-many-machines"  # an empty folder outside: a file system is mounted on it
ENOUGH = 12  # acknowledged votes before and after each fault


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--seconds", type=float, help="how long a fault lasts; default 40, with --short 2")
    parser.add_argument("--voters", type=int, help="default 6, with --short 3")
    parser.add_argument(
        "--dump", type=Path, help="pg_dump -Fc of a migrated database without rows: quicker to begin with"
    )
    parser.add_argument("--isolated", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not options.isolated:
        if obstacle := network.obstacle():
            sys.exit(f"Skipped: {obstacle}")
        network.isolated("benchmarks.many_machines", [*sys.argv[1:], "--isolated"])
    random.seed("many machines")
    network.create_bridge(HOME)
    arena = Arena(HOME)
    started = time.monotonic()
    arena.start(options.dump)
    print(f"{len(arena.hosts)} hosts were up and filled after {time.monotonic() - started:.1f} s.", flush=True)
    with Crowd(arena, options.voters or (3 if options.short else 6)) as crowd:
        crowd.await_votes(ENOUGH)
        for name, fault in faults(arena, options.seconds or (2.0 if options.short else 40.0)).items():
            verdict.plan(1)
            eventually(verdict.is_working, "images are being made", arena.logs)
            start = time.monotonic()
            fault()
            over = time.monotonic()
            crowd.await_votes(ENOUGH)
            gap = crowd.ledger.longest_gap(start, time.monotonic())
            print(f"{name:<28}{over - start:>6.1f} s, without a vote at most {gap:.1f} s", flush=True)
        settled = verdict.await_settled()
    code = report(crowd, verdict.of(crowd.ledger), settled)
    if code:
        print(arena.logs())
    sys.exit(code)


def faults(arena: Arena, seconds: float) -> dict[str, Callable[[], None]]:
    """What is done to the site, in this order."""
    running = arena.machines

    def worker_cut_off() -> None:
        arena.hosts["worker-1"].cut_off()
        time.sleep(seconds)
        arena.hosts["worker-1"].join()

    def page_host_killed() -> None:
        running["page-1"].kill()
        time.sleep(seconds)
        running["page-1"].start()
        arena.await_page("page-1")

    def broker_restarted() -> None:
        arena.broker.stop()
        time.sleep(seconds)
        arena.broker.start()

    def leading_beat_killed() -> None:
        first = arena.leader()
        running["beat-1"].kill()
        eventually(lambda: arena.leader() not in (first, None), "the second beat leads", arena.logs)
        second = arena.leader()
        running["beat-1"].start()
        time.sleep(seconds)
        if arena.leader() != second:
            sys.exit("A beat that started has taken the lead from one that lives.")

    def rolling_update() -> None:
        for name, machine in running.items():
            machine.stop()
            machine.start()
            if name.startswith("page"):
                arena.await_page(name)

    return {
        "a worker cut off": worker_cut_off,
        "a page host killed": page_host_killed,
        "the leading beat killed": leading_beat_killed,
        "the broker restarted": broker_restarted,
        "a rolling update": rolling_update,
    }


def report(crowd: Crowd, end: verdict.Verdict, settled: float) -> int:
    """Print what is left of it; returns the exit code."""
    statuses = dict(sorted(crowd.ledger.statuses.items()))
    errors = {status: count for status, count in statuses.items() if status.startswith("5")}
    print(f"votes: {end.acknowledged} acknowledged, {end.stored} stored, {len(end.lost)} lost, "
          f"{len(end.differing)} with another outcome, {end.doubled} doubled in tallies")  # fmt: skip
    print(f"images: {end.planned} planned, {end.images} there, {end.generations}, {settled:.0f} s after the last fault; "
          f"{end.bought_again} bought again; {end.rows_without_file} without a file")  # fmt: skip
    print(f"responses: {statuses}; 5xx: {errors or 'none'}")
    return 0 if end.is_good and end.acknowledged and end.planned and not errors else 1


if __name__ == "__main__":
    main()
