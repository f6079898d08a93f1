from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from benchmarks.chaos import faults, verdict
from benchmarks.chaos.site import Site
from benchmarks.chaos.voters import Ledger, Voter
from benchmarks.load import browser, database

KILLS = 60
AIM = 5.0  # seconds, on a quiet machine
RETURN_SECONDS = 120.0  # after which a site that has not come back never will
ENOUGH = 10  # acknowledged votes after a fault: the site is back


@dataclass
class Line:
    """All faults of a kind."""

    times: int = 0
    back: list[float] = field(default_factory=list)  # seconds from the end of the fault to the next vote
    gaps: list[float] = field(default_factory=list)  # seconds without a vote, the fault's own included
    parts: set[str] = field(default_factory=set)  # what /readyz said during the fault
    spans: list[tuple[datetime, datetime]] = field(default_factory=list)  # from its beginning to the next vote


def main() -> None:
    parser = argparse.ArgumentParser(description="Kill, stop and fill up the site while it is voted on.")
    parser.add_argument("--short", action="store_true", help="each kind of kill once, short faults")
    parser.add_argument("--kills", type=int, help=f"default: {KILLS}, or with --short one of each kind")
    parser.add_argument("--voters", type=int, default=12)
    parser.add_argument("--seconds", type=float, help="how long a stop or a full disk lasts; default 20, --short 4")
    parser.add_argument("--prompts", type=int, help="of which every sample model makes an image; default 6, --short 2")
    parser.add_argument("--only", default="", help="faults whose names begin so")
    parser.add_argument("--seed", default="chaos")
    options = parser.parse_args()
    random.seed(options.seed)
    seconds = options.seconds or (4.0 if options.short else 20.0)
    site = Site()
    try:
        started = time.monotonic()
        site.start()
        site.configure_django()
        database.fill()
        verdict.plan(options.prompts or (2 if options.short else 6))
        print(f"The site was up and filled after {time.monotonic() - started:.1f} s.", flush=True)
        kinds = faults.kills(site)
        number = options.kills if options.kills is not None else len(kinds) if options.short else KILLS
        names = [list(kinds)[n % len(kinds)] for n in range(number)]
        random.shuffle(names)
        other = faults.others(site, seconds)
        for missing in {"full: store", "full: database"} - set(other):
            print(f"Skipped, because this machine does not allow mounting: {missing}")
        script = [(name, (kinds | other)[name]) for name in [*names, *other] if name.startswith(options.only)]
        lines, ledger = asyncio.run(run(site, script, options.voters))
        settled = verdict.await_settled()
        sys.exit(report(lines, ledger, verdict.of(ledger), settled, site.stop()))
    finally:
        if site.process and site.process.poll() is None:
            site.stop()
        site.remove()


async def run(site: Site, script: list[tuple[str, faults.Fault]], voters: int) -> tuple[dict[str, Line], Ledger]:
    ledger, stop, lines = Ledger(), asyncio.Event(), dict[str, Line]()
    target = browser.Site("127.0.0.1", site.port, database.PAGE)
    people = [Voter(browser.Browser(target), ledger, htmx=n % 2 == 0) for n in range(voters)]
    tasks = [asyncio.create_task(voter.vote_until(stop)) for voter in people]
    await back(ledger, time.monotonic())
    chaos_started = time.monotonic()
    for number, (name, fault) in enumerate(script, 1):
        line = lines.setdefault(name, Line())
        start, began_at = time.monotonic(), datetime.now(UTC)
        end, parts = await asyncio.to_thread(suffer, site, fault, asks=not name.startswith("kill"))
        first = await back(ledger, end)
        line.times += 1
        line.back.append(first - end)
        line.spans.append((began_at, datetime.now(UTC)))
        line.gaps.append(ledger.longest_gap(start, max(first, start + 0.001)))
        line.parts |= {f"{part}: {state}" for part, state in parts.items() if state != "ok"}
        print(f"{number:>3}/{len(script)} {name:<30} back after {first - end:5.1f} s", flush=True)
        await asyncio.sleep(random.uniform(0.5, 1.5))
    print(f"The faults took {time.monotonic() - chaos_started:.0f} s.")
    stop.set()
    await asyncio.gather(*tasks)
    return lines, ledger


def suffer(site: Site, fault: faults.Fault, *, asks: bool) -> tuple[float, dict[str, str]]:
    """Let it happen; returns when it was over, and what /readyz said before that."""
    parts: dict[str, str] = {}
    context = fault()
    with context:
        if asks:
            parts = site.parts()
    return time.monotonic(), parts


async def back(ledger: Ledger, since: float) -> float:
    """When the first vote that was sent after `since` was acknowledged; comes back when there were several."""
    deadline = time.monotonic() + RETURN_SECONDS
    while len(times := ledger.since(since)) < ENOUGH:
        if time.monotonic() > deadline:
            sys.exit(f"The site has not come back within {RETURN_SECONDS:.0f} s. {dict(ledger.statuses)}")
        await asyncio.sleep(0.05)
    return times[0]


def report(lines: dict[str, Line], ledger: Ledger, end: verdict.Verdict, settled: float, code: int | None) -> int:
    print(f"\n{'fault':<30}{'times':>6}{'back after, worst':>19}{'longest gap':>13}   /readyz meanwhile")
    for name, line in lines.items():
        print(
            f"{name:<30}{line.times:>6}{max(line.back):>17.1f} s{max(line.gaps):>11.1f} s   {'; '.join(sorted(line.parts))}"
        )
    worst = max((max(line.back) for name, line in lines.items() if name != "kill: everything"), default=0.0)
    print(f"\nback after (everything aside), worst: {worst:.1f} s (aim on a quiet machine: {AIM:.0f} s)")
    print(f"votes: {end.acknowledged} acknowledged, {end.stored} stored, {len(end.lost)} lost, "
          f"{len(end.differing)} with another outcome, {end.doubled} doubled in tallies")  # fmt: skip
    print(f"images: {end.planned} planned, {end.images} there, {end.generations}, after {settled:.0f} s of peace; "
          f"{end.bought_again} bought again, {end.asked_again} asked for again where a provider has no jobs")  # fmt: skip
    for order in end.repeated:
        texts = [f"{at:%H:%M:%S}{_during(lines, at)}" for at in order.accepted_at]
        print(f"  {order.provider} {order.endpoint}: accepted at {', '.join(texts)}")
    print(f"files: {end.rows_without_file} rows without, {end.files_without_row} without a row, of which "
          f"{end.swept} swept")  # fmt: skip
    print(f"responses: {dict(sorted(ledger.statuses.items()))}; 5xx but 503 with Retry-After: {len(ledger.unexpected)}")
    for text in ledger.unexpected[:5]:
        print(f"  {text}")
    print(f"stopped with exit code {code}")
    return 0 if end.is_good and not ledger.unexpected and code == 0 else 1


def _during(lines: dict[str, Line], at: datetime) -> str:
    """The fault that it was then."""
    return "".join(f" ({name})" for name, line in lines.items() for start, end in line.spans if start <= at <= end)


if __name__ == "__main__":
    main()
