"""What the gateway adds to a provider, beside asking the provider directly and beside LiteLLM's proxy, in one run.

    python -m benchmarks.gateway [--seconds N] [--processes N] [--litellm PATH/bin/litellm] [--pages]

It needs DATABASE_URL, REDIS_URL and SECRET_KEY (migrated; rows of its own are added and removed). The provider is a
process on this machine that answers OpenAI's wire format after 50 ms with an image of 200 KB in base64. Rounds are
interleaved, so that a slow phase of the machine meets all alike. LiteLLM comes from an environment of its own:

    python -m venv var/litellm && var/litellm/bin/pip install 'litellm[proxy]'

`bare` hands on with our server and our HTTP client and does nothing else: what no gateway of these parts goes below.
All have the same number of processes: a gateway is meant to have one a core.

Aims: a third of LiteLLM's overhead at 1 in flight, twice its throughput at 50. `--pages`: 64 hanging calls to the
gateway leave the battle page's p95 within 1.3 times what it is without them.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.programs import free_port, running, with_services

DELAY, SIZE = 0.05, 200_000  # seconds, bytes
MASTER_KEY = "sk-" + "0123456789abcdef" * 4  # LiteLLM does not start without one
PROMPT = {"prompt": "A red kite", "size": "1024x1024", "response_format": "b64_json"}


# The provider ────────────────────────────────────────────────────────────────────────────────────────────────────────


def image() -> bytes:
    from io import BytesIO

    from PIL import Image

    side = int((SIZE / 3) ** 0.5)
    out = BytesIO()
    noise = Image.frombytes("RGB", (side, side), random.Random(7).randbytes(side * side * 3))
    (noise.resize((SIDE, SIDE), Image.Resampling.BICUBIC) if SIDE else noise).save(out, "PNG")
    return out.getvalue()


async def provider(port: int) -> None:
    body = json.dumps({"created": 1, "data": [{"b64_json": base64.b64encode(image()).decode()}]}).encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await read_message(reader)
                await asyncio.sleep(DELAY)
                writer.write(head + body)
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(answer, "127.0.0.1", port, backlog=512) as server:
        await server.serve_forever()


async def read_message(reader: asyncio.StreamReader) -> int:
    """The status of an answer, 0 for a request; its body is read to the end."""
    head = await reader.readuntil(b"\r\n\r\n")
    first = head.split(b" ", 2)[1]
    fields = dict(line.lower().split(b":", 1) for line in head.split(b"\r\n")[1:] if b":" in line)
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        while length := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
            await reader.readexactly(length + 2)
        await reader.readexactly(2)
    elif length := int(fields.get(b"content-length", b"0")):
        await reader.readexactly(length)
    return int(first) if first.isdigit() else 0


# Load ────────────────────────────────────────────────────────────────────────────────────────────────────────────────


async def load(port: int, path: str, body: bytes | None, headers: str, at_once: int, seconds: float) -> list[float]:
    """Milliseconds of each answer; anything but 200 ends the benchmark."""
    method = "POST" if body is not None else "GET"
    content = body or b""
    request = (
        f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}Content-Type: application/json\r\n"
        f"Content-Length: {len(content)}\r\n\r\n"
    ).encode() + content
    end, took = time.perf_counter() + seconds, list[float]()

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**22)
        while time.perf_counter() < end:
            started = time.perf_counter()
            writer.write(request)
            status = await read_message(reader)
            if status != 200:
                raise SystemExit(f"port {port}{path} answered {status}")
            took.append((time.perf_counter() - started) * 1000)
        writer.close()

    await asyncio.gather(*(one() for _ in range(at_once)))
    return took


def p(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else values[0]


# The servers ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def granian(port: int, processes: int, application: str) -> list[str]:
    asgi = [sys.executable, "-m", "granian", "--interface", "asgi", "--no-ws"]
    return [*asgi, "--workers", str(processes), "--port", str(port), application]


def bare(upstream: int, processes: int) -> contextlib.AbstractContextManager[int]:
    port, address = free_port(), f"http://127.0.0.1:{upstream}/v1/images/generations"
    command = granian(port, processes, "benchmarks.passthrough:application")
    return running(command, port, "", BENCH_UPSTREAM=address)


def gateway(upstream: int, media: str, processes: int = 1) -> contextlib.AbstractContextManager[int]:
    port = free_port()
    return running(
        granian(port, processes, "config.asgi:application"),
        port, "/healthz", OPENAI_COMPATIBLE_PROVIDERS=f"bench=http://127.0.0.1:{upstream}/v1", BENCH_API_KEY="none",
        ALLOW_LOOPBACK_PROVIDERS="1", BENCH_CONCURRENCY="0", GATEWAY_RATE="1000000", DATABASE_POOL="8", MEDIA_ROOT=media, SIMULATOR_URL="",
        PYTHONWARNINGS="ignore",
    )  # fmt: skip


def litellm(program: str, upstream: int, folder: str, processes: int) -> contextlib.AbstractContextManager[int]:
    port, config = free_port(), Path(folder, "litellm.yaml")
    parameters = {"model": "openai/bench", "api_base": f"http://127.0.0.1:{upstream}/v1", "api_key": "none"}
    model = {"model_name": "bench", "litellm_params": parameters, "model_info": {"mode": "image_generation"}}
    config.write_text(json.dumps({"model_list": [model], "litellm_settings": {"drop_params": True}}))
    return running(
        [program, "--config", str(config), "--port", str(port), "--host", "127.0.0.1", "--telemetry", "False",
         "--num_workers", str(processes)],
        port, "/health/liveliness", without=("DATABASE_URL", "REDIS_URL"), LITELLM_LOCAL_MODEL_COST_MAP="True",
        LITELLM_MASTER_KEY=MASTER_KEY,
    )  # fmt: skip


@contextlib.contextmanager
def rows() -> Iterator[str]:
    """A model, its offering and a key; the key."""
    import django

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    if not connection.introspection.table_names():  # a database of its own: see with_services
        call_command("migrate", verbosity=0)
    from providers.models import ApiKey, Call, GatewayRequest, ImageModel

    model = ImageModel.objects.create(slug="benchmark", name="Benchmark", modes=["text-to-image"])
    model.offerings.create(provider="bench", mode="text-to-image", endpoint="bench", price="0.01")
    key, secret = ApiKey.make("benchmark")
    try:
        yield secret
    finally:
        Call.objects.filter(offering__image_model=model).delete()
        GatewayRequest.objects.filter(api_key=key).delete()
        key.spending.all().delete()
        key.delete()
        model.offerings.all().delete()
        model.delete()


def compare(options: argparse.Namespace, upstream: int, secret: str, folder: str) -> None:
    with contextlib.ExitStack() as stack:
        ours = stack.enter_context(gateway(upstream, folder, options.processes))
        least = stack.enter_context(bare(upstream, options.processes))
        authorised = f"Authorization: Bearer {secret}\r\n"
        targets = {
            "direct": (upstream, "/v1/images/generations", "bench", ""),
            "bare": (least, "/v1/images/generations", "bench", ""),
            "gateway": (ours, "/openai/v1/images/generations", "benchmark", authorised),
        }
        if options.litellm:
            theirs = stack.enter_context(litellm(options.litellm, upstream, folder, options.processes))
            targets["litellm"] = (theirs, "/v1/images/generations", "bench", f"Authorization: Bearer {MASTER_KEY}\r\n")
        for at_once in (1, 50):
            took: dict[str, list[float]] = {name: [] for name in targets}
            for round_ in range(-1, options.rounds):
                for name, (port, path, model, headers) in targets.items():
                    body = json.dumps({"model": model, **PROMPT}).encode()
                    seconds = options.seconds / options.rounds if round_ >= 0 else 1.5  # the first is for warming up
                    durations = asyncio.run(load(port, path, body, headers, at_once, seconds))
                    took[name] += durations if round_ >= 0 else []
            report(at_once, took, options.seconds)


def report(at_once: int, took: dict[str, list[float]], seconds: float) -> None:
    print(f"\n{at_once} in flight")
    base = p(took["direct"], 50)
    for name, values in took.items():
        rate = len(values) / seconds
        over = f"  overhead p50 {p(values, 50) - base:6.1f} ms" if name != "direct" else ""
        print(f"  {name:8} p50 {p(values, 50):7.1f} ms  p95 {p(values, 95):7.1f} ms  {rate:6.1f}/s{over}")
    if "litellm" in took:
        less = (p(took["gateway"], 50) - base) / (p(took["litellm"], 50) - base)
        more = len(took["gateway"]) / len(took["litellm"])
        print(f"  gateway ÷ litellm: overhead {less:.2f} (aim at 1 in flight: 0.33), rate {more:.2f} (aim at 50: 2)")


def pages(options: argparse.Namespace, upstream: int, secret: str, folder: str) -> None:
    """The battle page with and without 64 hanging calls. Needs a published competition with images: bin/demo's."""
    from arena.models import Category

    category = Category.objects.filter(competitions__is_published=True).first()
    path = f"/arena/{category.slug}/" if category else "/"
    port = free_port()
    web = [sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "2"]
    with (
        gateway(upstream, folder) as ours,
        running([*web, "--no-ws", "--port", str(port), "config.asgi:application"], port, "/healthz", DEBUG="1"),
    ):
        authorised = f"Authorization: Bearer {secret}\r\n"
        body = json.dumps({"model": "benchmark", **PROMPT}).encode()

        async def measure(hanging: int) -> list[float]:
            # One request each, which hangs for longer than the pages are asked; the next round waits for its end.
            calls = asyncio.create_task(
                load(ours, "/openai/v1/images/generations", body, authorised, hanging, seconds=0.5)
            )
            await asyncio.sleep(1)
            durations = await load_pages(port, path, options.seconds)
            assert calls.done() == (not hanging), "the calls did not hang"
            await calls
            return durations

        took: dict[int, list[float]] = {0: [], 64: []}
        for _ in range(3):
            for hanging in took:
                took[hanging] += asyncio.run(measure(hanging))
    print(f"\n{path}, 30 a second")
    for hanging, values in took.items():
        print(f"  {hanging:2} hanging calls  p50 {p(values, 50):6.1f} ms  p95 {p(values, 95):6.1f} ms  ({len(values)})")
    print(f"  p95 ratio {p(took[64], 95) / p(took[0], 95):.2f} (aim 1.3)")


async def load_pages(port: int, path: str, seconds: float) -> list[float]:
    """30 arrivals a second, whatever the answers take. Redirects count: they are the battle being drawn."""
    request = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode()
    took = list[float]()

    async def one() -> None:
        started = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        status = await read_message(reader)
        writer.close()
        if status >= 400:
            raise SystemExit(f"{path} answered {status}")
        took.append((time.perf_counter() - started) * 1000)

    tasks = []
    for _ in range(int(seconds * 30)):
        tasks.append(asyncio.create_task(one()))
        await asyncio.sleep(1 / 30)
    await asyncio.gather(*tasks)
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=12, help="for each target and number in flight")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--processes", type=int, default=1, help="of each gateway")
    parser.add_argument("--litellm", help="the program of LiteLLM's proxy")
    parser.add_argument("--pages", action="store_true", help="measure the battle page beside 64 hanging calls instead")
    parser.add_argument("--provider", type=int, help=argparse.SUPPRESS)  # the port of the provider's own process
    options = parser.parse_args()
    if options.provider:
        asyncio.run(provider(options.provider))
        return
    with_services()
    upstream = free_port()
    me = [sys.executable, "-m", "benchmarks.gateway", "--provider", str(upstream)]
    with (
        tempfile.TemporaryDirectory() as folder,
        running(me, upstream, "", BENCH_DELAY=f"{options.seconds + 5}" if options.pages else f"{DELAY}"),
        rows() as secret,
    ):
        (pages if options.pages else compare)(options, upstream, secret, folder)


DELAY = float(os.environ.get("BENCH_DELAY", DELAY))
SIDE = int(os.environ.get("BENCH_SIDE", 0))  # pixels of the provider's image; 0: as many as are SIZE bytes of noise

if __name__ == "__main__":
    main()
