"""Images that are generated while visitors come: a worker with beat, and a provider that takes its time.

The provider answers OpenAI's wire format after `SECONDS` with an image of 1024 × 1024; the worker does with it what it
does with every image: decodes it, makes its sizes, stores them. All of it shares this machine with what is measured.
"""

from __future__ import annotations

import contextlib
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.load.database import environment_of
from benchmarks.programs import free_port, running, started

SECONDS = 4.0  # that the provider takes
SIDE = 1024  # pixels
PROVIDER, ENDPOINT = "bench", "bench"
EXTRA_SECONDS = 60.0  # for which there is work beyond the measurement


def planned(at_once: int, seconds: float) -> int:
    """How many images keep so many under way for so long."""
    return at_once + math.ceil(at_once / SECONDS * (seconds + EXTRA_SECONDS))


def plan(count: int) -> None:
    """Queue so many images, in a category of their own, so that the pairs of the measured one stay the same."""
    from arena import generation
    from arena.models import Category, Competition, Prompt
    from providers.models import ImageModel, Offering

    category = Category.objects.create(slug="made-meanwhile", name="Made meanwhile", mode="text-to-image")
    competition = Competition.objects.create(category=category, slug="made", title="Made", criterion="being there")
    models = list(ImageModel.objects.filter(slug__startswith="load-"))
    Offering.objects.bulk_create(
        Offering(image_model=model, provider=PROVIDER, mode="text-to-image", endpoint=ENDPOINT, price=0)
        for model in models
    )
    Prompt.objects.bulk_create(
        Prompt(competition=competition, text=f"A picture of the number {number}", position=number)
        for number in range(math.ceil(count / len(models)))
    )
    generation.plan_all(competition, models)


@contextlib.contextmanager
def under_way(name: str, at_once: int, seconds: float, folder: str) -> Iterator[None]:
    """So many images of the database `name` are being generated. Ends the benchmark when they are not, or no more."""
    from arena.models import Generation

    plan(planned(at_once, seconds))
    port = free_port()
    provider = [sys.executable, "-m", "benchmarks.gateway", "--provider", str(port)]
    site = environment_of(name) | {
        "OPENAI_COMPATIBLE_PROVIDERS": f"{PROVIDER}=http://127.0.0.1:{port}/v1", "BENCH_API_KEY": "none",
        "BENCH_CONCURRENCY": "0", "ALLOW_LOOPBACK_PROVIDERS": "1", "SIMULATOR_URL": "", "DATABASE_POOL": "8",
        "MEDIA_ROOT": folder, "VAR_DIR": folder,
    }  # fmt: skip
    worker = [sys.executable, "-m", "celery", "-A", "config", "worker", "-B", "-s", str(Path(folder, "schedule"))]
    worker += ["-P", "threads", "-c", str(at_once), "--without-gossip", "--without-mingle", "-l", "error"]
    made = Generation.objects.filter(status=Generation.Status.SUCCEEDED, prompt__competition__slug="made")
    running_now = Generation.objects.filter(status=Generation.Status.RUNNING)
    queued = Generation.objects.filter(status=Generation.Status.QUEUED)

    def is_busy() -> bool:
        return running_now.count() >= 0.9 * at_once and made.exists()

    with (
        running(provider, port, "", BENCH_DELAY=str(SECONDS), BENCH_SIDE=str(SIDE)),
        started(["nice", *worker], is_busy, without=(), **site),
    ):
        before, start = made.count(), time.monotonic()
        yield
        if not queued.exists():
            sys.exit("The images were all made before the measurement ended.")
        rate = (made.count() - before) / (time.monotonic() - start)
        print(f"images meanwhile: {running_now.count()} under way, {rate:.1f} a second")
