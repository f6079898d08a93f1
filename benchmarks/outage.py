"""What an outage of all providers leaves behind: `python -m benchmarks.outage [--seconds 300] [--only hang]`.

bin/demo, with its own worker and timings, asks five providers that take money as far as the site knows: the simulator
in this process, under the names and limits of fal, Replicate, OpenAI, Black Forest Labs and Gemini. While images are
under way, all of them hang, answer 503, or answer 200 with garbage, each for `--seconds`; then they work again and
nobody does anything. The report says how many of the planned images exist at the end, how often the provider's own
ledger has the one that was bought most, how many attempts at one image may have been charged, and whether the progress
that voters are shown ever went back. The exit code is 1 when an image is missing, one was bought or may have been
charged more than twice, or progress went back. Linux only; with 300 seconds it takes about half an hour.
"""

from __future__ import annotations

import argparse
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.chaos.site import Site
from providers.samples.simulator.http import SimulatorReply, html_reply
from providers.samples.simulator.job_log import JobLog
from providers.samples.simulator.server import Simulator

PROVIDERS = ("fal", "replicate", "openai", "bfl", "gemini")
SETTLE_SECONDS = 1500.0  # after an outage; later nothing comes
MOST_PAID = 2


@dataclass(frozen=True)
class Outcome:
    planned: int
    there: int
    settled: float  # seconds after the end of the outage
    most_bought: int
    most_charged: int
    went_back: int

    @property
    def is_good(self) -> bool:
        return (
            self.there == self.planned and max(self.most_bought, self.most_charged) <= MOST_PAID and not self.went_back
        )


class Progress:
    """Watches what voters are shown."""

    def __init__(self) -> None:
        self.went_back = 0
        self._before: dict[int, tuple[int, int]] = {}

    def look(self) -> None:
        from arena.generation import progress

        now = {category: (shown.done, shown.of) for category, shown in progress.of_all().items()}
        for category, (done, of) in now.items():
            before = self._before.get(category, (0, 0))
            self.went_back += done < before[0] or of < before[1]
        self._before |= now


def main() -> None:
    parser = argparse.ArgumentParser(description="All providers fail for a while.")
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--prompts", type=int, default=3, help="for a model of every provider, before each outage")
    parser.add_argument("--only", default="", help="hang, error or garbage")
    options = parser.parse_args()
    over = threading.Event()
    kinds: dict[str, Callable[[], SimulatorReply]] = {
        "hang": lambda: SimulatorReply(reset=over.wait()),
        "error": lambda: html_reply(503),
        "garbage": lambda: SimulatorReply(200, b"\x00\xff<<{garbage" * 50, {"Content-Type": "application/json"}),
    }
    bad = []
    site = Site({})
    log = Path(site.home, "jobs.jsonl")
    with Simulator(drawn_side=64, job_log=log) as simulator:
        site.environment |= asked_at(simulator.url)
        try:
            site.start()
            site.configure_django()
            for kind in [kind for kind in kinds if kind.startswith(options.only)]:
                outcome = suffer(simulator, kinds[kind], over, options.seconds, options.prompts, kind, log)
                print(f"{kind}: {outcome}", flush=True)
                bad += [] if outcome.is_good else [kind]
        finally:
            site.stop()
            site.remove()
    sys.exit(1 if bad else 0)


def asked_at(url: str) -> dict[str, str]:
    """Settings under which the simulator is five providers that send bills."""
    urls = {
        "FAL_RUN_URL": "fal/run", "FAL_QUEUE_URL": "fal/queue", "FAL_REST_URL": "fal/rest", "FAL_API_URL": "fal/api",
        "BFL_BASE_URL": "bfl/v1", "REPLICATE_BASE_URL": "replicate/v1", "OPENAI_BASE_URL": "openai/v1",
        "GEMINI_BASE_URL": "gemini/v1beta",
    }  # fmt: skip
    keys = ("FAL_KEY", "REPLICATE_API_TOKEN", "OPENAI_API_KEY", "BFL_API_KEY", "GEMINI_API_KEY")
    return {name: f"{url}/{path}" for name, path in urls.items()} | {
        **dict.fromkeys(keys, "simulated"), "ALLOW_LOOPBACK_PROVIDERS": "1",
    }  # fmt: skip


def suffer(
    simulator: Simulator,
    outage: Callable[[], SimulatorReply],
    over: threading.Event,
    seconds: float,
    prompts: int,
    name: str,
    log: Path,
) -> Outcome:
    from arena.models import Entry, Generation

    over.clear()
    plan(name, prompts)
    planned = Generation.objects.filter(prompt__competition__slug=f"outage-{name}")
    progress = Progress()
    _watch(progress, 60, lambda: planned.filter(status="running").exists())
    simulator.answer_all_with(outage)
    _watch(progress, seconds, lambda: False)
    simulator.answer_all_with(None)
    over.set()
    settled = _watch(progress, SETTLE_SECONDS, lambda: not planned.unfinished().exists())
    jobs = [job for job in JobLog(log).jobs().values() if not job.is_cancelled and f"outage {name}" in job.order.prompt]
    return Outcome(
        planned.count(),
        Entry.objects.filter(generation__in=planned).count(),
        round(settled),
        max(Counter(job.order.key for job in jobs).values(), default=0),
        max(planned.values_list("charged_attempts", flat=True)),
        progress.went_back,
    )


def plan(name: str, prompts: int) -> None:
    """Queue images for new prompts, some of every provider."""
    from arena import generation
    from arena.models import Category, Competition, Prompt
    from providers.models import Offering

    category = Category.objects.filter(mode="text-to-image").first()
    category = category or Category.objects.create(slug="outage", name="Outage", mode="text-to-image")
    competition = Competition.objects.create(
        slug=f"outage-{name}", category=category, title=name, criterion="being there", is_published=True
    )
    texts = [f"A stone, outage {name} {number} [sim:slow=2]" for number in range(prompts)]
    made = [Prompt.objects.create(competition=competition, text=text, position=n) for n, text in enumerate(texts)]
    for provider in PROVIDERS:
        offering = Offering.objects.active().filter(mode="text-to-image", provider=provider).first()
        if offering is not None:
            generation.plan_check(made, offering.image_model, provider)


def _watch(progress: Progress, seconds: float, is_over: Callable[[], bool]) -> float:
    """Look once a second until it is over; returns the seconds that took, `seconds` at most."""
    start = time.monotonic()
    while time.monotonic() - start < seconds and not is_over():
        progress.look()
        time.sleep(1)
    return time.monotonic() - start


if __name__ == "__main__":
    main()
