"""What asking a provider costs us: `python -m benchmarks.adapters [--calls 300] [--in-flight 300] [--longest 20]`.

Three tables, each against the simulator in a process of its own, where the work takes no time unless a scenario says so:

    overhead    a generation through the adapter, and through routing with its record in Postgres, beside a bare httpx
                POST of the same body to the same address, taken in turns. Aim: 5 ms at the median. The image is tiny,
                so that image work stays apart.
    in flight   so many threads in this process, Django and all, each waiting for a provider that takes 1 s to
                --longest; the most that were under way at once, and the memory at the peak. Aim: 300, 400 MB.
    errors      every row of the error map asked for on every wire format. Aim: all.

Needs DATABASE_URL for a user who may create databases: routing is measured in a scratch database, dropped at the end.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx

from benchmarks.programs import with_services
from providers.adapters import ADAPTERS
from providers.adapters.base import Account, Deadline, new_client
from providers.adapters.clients import Clients
from providers.errors import ProviderError
from providers.request import ImageRequest, ProviderCall

PLACES = {"fal-run": "fal/run", "openai": "openai/v1", "gemini": "gemini/v1beta", "replicate": "replicate/v1"}
SMALL: dict[str, dict[str, Any]] = {
    "fal": {"image_size": {"width": 64, "height": 64}},
    "fal-run": {"image_size": {"width": 64, "height": 64}},
    "replicate": {"width": 64, "height": 64, "output_format": "png"},
    "openai": {"size": "64x64"},
    "bfl": {"width": 64, "height": 64},
    "gemini": {"aspectRatio": "1:1", "imageSize": "0.0625K"},
}
AT_ONCE = "[sim:slow=0] [sim:queue=0] [sim:data-uri]"
ROWS = {  # row of the error map → how to have it, and where it can be had
    "content_policy": ("policy", SMALL),
    "invalid_request": ("invalid", SMALL),
    "input_unreachable": ("input", SMALL),
    "auth": ("401", SMALL),
    "billing": ("402", SMALL),
    "not_found": ("404", SMALL),
    "rate_limited": ("429", SMALL),
    "timeout": ("slow=30", SMALL),
    "provider_error": ("500", SMALL),
    "network": ("reset", SMALL),
    "bad_output": ("no-image", SMALL),
    "cancelled": ("canceled", ("fal", "replicate")),  # the others have no word for it
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=300, help="generations of each kind for the overhead")
    parser.add_argument("--in-flight", type=int, default=300, help="threads that wait for slow providers")
    parser.add_argument("--longest", type=float, default=20, help="seconds the slowest provider takes")
    options = parser.parse_args()
    if not (10 <= options.calls <= 5000 and 1 <= options.in_flight <= 2000 and 1 <= options.longest <= 120):
        parser.error("--calls 10 to 5000, --in-flight 1 to 2000, --longest 1 to 120.")
    with_services()
    with simulator() as url, new_client() as http:
        measure_overhead(url, http, options.calls)
        fly(url, options.in_flight, options.longest)
        missing = ask_for_every_error(url, http)
    return 1 if missing else 0


@contextlib.contextmanager
def simulator() -> Iterator[str]:
    command = [sys.executable, "-m", "providers.samples.simulator", "--port", "0", "--pace", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            yield re.findall(r"http://\S+", process.stdout.readline())[0]
        finally:
            process.terminate()


def account(wire: str, url: str) -> Account:
    urls = {
        "fal": {place: f"{url}/fal/{place}" for place in ("run", "queue", "rest")},
        "fal-run": {"run": f"{url}/fal/run"},
        "bfl": {"base": f"{url}/bfl/v1"},
    }.get(wire) or {"base": f"{url}/{PLACES[wire]}"}
    return Account(wire, wire, wire.partition("-")[0], urls, api_key="simulated", simulated=True)


def generate(wire: str, url: str, http: httpx.Client, prompt: str, seconds: float = 60, **more: Any) -> Any:
    speaks_to = account(wire, url)
    call = ProviderCall("bench/model", {"prompt": prompt, **SMALL[wire], "seed": 1, **more})
    return ADAPTERS[speaks_to.adapter].generate(call, account=speaks_to, http=http, deadline=Deadline(seconds))


# Overhead ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def measure_overhead(url: str, http: httpx.Client, calls: int) -> None:
    print(f"Overhead: {calls} generations each, in turns; milliseconds at the median (p95)")
    for wire in PLACES:
        posts: list[httpx.Request] = []
        with httpx.Client(event_hooks={"request": [posts.append]}, trust_env=False) as listening:
            generate(wire, url, listening, f"a kite {AT_ONCE}")
        ours, bare = in_turns(
            calls,
            # mypy cannot infer lambdas whose defaults bind the loop's variables
            lambda wire=wire: generate(wire, url, http, f"a kite {AT_ONCE}"),  # type: ignore[misc]
            lambda post=posts[0]: repeat(http, post),  # type: ignore[misc]
        )
        report(f"adapter, {wire}", ours, bare)
    for name, is_billed in (("routing, openai", False), ("with a spend cap", True)):
        with routed(url, is_billed=is_billed) as route:
            ours, bare = in_turns(calls, route, lambda: repeat(http, openai_post(http, url)))
            report(name, ours, bare)
    print()


def repeat(http: httpx.Client, request: httpx.Request) -> None:
    http.send(http.build_request("POST", request.url, headers=request.headers, content=request.content)).json()


def openai_post(http: httpx.Client, url: str) -> httpx.Request:
    body = {"model": "bench/model", "prompt": f"a kite {AT_ONCE}", "size": "64x64", "seed": 1}
    headers = {"Authorization": "Bearer simulated"}
    return http.build_request("POST", f"{url}/openai/v1/images/generations", headers=headers, json=body)


def in_turns(calls: int, *kinds: Callable[[], Any]) -> list[list[float]]:
    """The milliseconds of each; first some that do not count, so that everything is loaded and connected."""
    times: list[list[float]] = [[] for _ in kinds]
    for number in range(calls + 10):
        for kind, milliseconds in zip(kinds, times, strict=True):
            started = time.perf_counter()
            kind()
            if number >= 10:
                milliseconds.append((time.perf_counter() - started) * 1000)
    return times


def report(name: str, ours: list[float], bare: list[float]) -> None:
    (p50, p95), (bare_p50, bare_p95) = (
        (statistics.median(times), statistics.quantiles(times, n=20)[-1]) for times in (ours, bare)
    )
    print(
        f"    {name:20} ours {p50:6.2f} ({p95:6.2f})   bare httpx {bare_p50:6.2f} ({bare_p95:6.2f})"
        f"   over it {p50 - bare_p50:+6.2f} ms   ratio {p50 / bare_p50:.2f}   {verdict(p50 - bare_p50 <= 5)}"
    )


@contextlib.contextmanager
def routed(url: str, *, is_billed: bool) -> Iterator[Callable[[], Any]]:
    """One generation through routing.generate: offerings read, the call recorded, in a scratch database.

    `is_billed`: as with a provider that takes money, whose cost is reserved before and settled after the call.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    os.environ.setdefault("DATABASE_POOL", "8")  # as a worker has it
    import django

    django.setup()
    from django.conf import settings
    from django.db import connection

    from providers import routing
    from providers.models import ImageModel, Lab, Offering
    from providers.routing import offering_calls, selection

    entry = {"name": "Simulator", "adapter": "openai", "urls": {"base": f"{url}/openai/v1"}, "api_key": "simulated"}
    # A billed one stands in for those that send bills, so that the cap has something to count.
    settings.PROVIDERS = {"bench": {**entry, "simulated": not is_billed}}
    settings.ALLOW_LOOPBACK_PROVIDERS = True
    settings.DAILY_SPEND_CAP = Decimal(1000)
    home = connection.creation.create_test_db(verbosity=0)
    try:
        lab = Lab.objects.create(slug="bench", name="Bench")
        model = ImageModel.objects.create(slug="bench", name="Bench", lab=lab, modes=["text-to-image"])
        size = {"family": "list", "field": "size", "sizes": ["64x64"]}
        Offering.objects.create(
            image_model=model, provider="bench", mode="text-to-image", endpoint="bench/model", price=Decimal("0.01"),
            parameters={"size": size, "accepts": [{"name": "seed", "type": "integer", "group": "core",
                                                   "behaviour": "passthrough"}]},
        )  # fmt: skip
        request = ImageRequest(f"a kite {AT_ONCE}", seed=1, size="64x64")
        yield lambda: routing.generate(model, request, "gateway", time_limit=30)
    finally:
        offering_calls.clients.close()
        selection.open_offerings.clear()
        connection.creation.destroy_test_db(home, verbosity=0)


# In flight ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def fly(url: str, threads: int, longest: float) -> None:
    """Half of them poll a queue, half hold a connection open. One picture, drawn once, of a usual size."""
    larger: dict[str, dict[str, Any]] = {
        "fal": {"image_size": {"width": 1024, "height": 1024}},
        "openai": {"size": "1024x1024"},
    }
    rng = random.Random(1)
    waits = [rng.uniform(1, longest) for _ in range(threads)]
    clients, lock, now, most, failures = Clients(), threading.Lock(), 0, 0, []

    def one(number: int) -> None:
        nonlocal now, most
        wire = ("fal", "openai")[number % 2]
        with lock:
            now += 1
            most = max(most, now)
        try:
            with clients.borrowed() as http:
                generate(wire, url, http, f"a kite [sim:slow={waits[number]:.2f}]", 2 * longest + 60, **larger[wire])
        except ProviderError as error:
            failures.append(error)
        finally:
            with lock:
                now -= 1

    workers = [threading.Thread(target=one, args=(number,)) for number in range(threads)]
    started, busy = time.monotonic(), time.process_time()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    clients.close()
    elapsed, busy = time.monotonic() - started, time.process_time() - busy
    print(f"In flight: {threads} threads, providers that take 1 s to {longest:g} s, 1024×1024")
    print(
        f"    at most {most} under way, {threads - len(failures)} images, {len(failures)} failed;"
        f" {elapsed:.1f} s for a slowest of {max(waits):.1f} s (ratio {elapsed / max(waits):.2f}),"
        f" {1000 * busy / threads:.0f} ms of processor each   {verdict(most >= min(300, threads) and not failures)}"
    )
    if peak := peak_memory():
        print(f"    {peak} MB of memory at the peak   {verdict(peak <= 400)}")
    print()


def peak_memory() -> int | None:
    """In MB, of this process, by Linux' own account."""
    try:
        (kilobytes,) = re.findall(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    except (OSError, ValueError):
        return None
    return int(kilobytes) // 1024


# Errors ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def ask_for_every_error(url: str, http: httpx.Client) -> list[str]:
    """The rows that some wire format gives another name."""
    print(f"Errors: rows of the error map, on {', '.join(SMALL)}")
    wrong = []
    for row, (scenario, wires) in ROWS.items():
        results = {wire: outcome_of(wire, url, http, scenario) for wire in wires}
        others = {wire: outcome for wire, outcome in results.items() if outcome != row}
        wrong += [row] if others else []
        print(f"    {row:18} {len(results) - len(others)} of {len(results)} wire formats {others or ''}".rstrip())
    print(f"    {len(ROWS) - len(wrong)} of {len(ROWS)} rows   {verdict(not wrong)}")
    return wrong


def outcome_of(wire: str, url: str, http: httpx.Client, scenario: str) -> str:
    try:
        generate(wire, url, http, f"a kite [sim:{scenario}]", seconds=0.5 if scenario.startswith("slow") else 20)
    except ProviderError as error:
        return error.outcome
    return "ok"


def verdict(good: bool) -> str:
    return "✓" if good else "✗"


if __name__ == "__main__":
    sys.exit(main())
