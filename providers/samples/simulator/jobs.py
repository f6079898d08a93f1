"""The work behind the wire formats: orders become jobs that wait, run, end or are cancelled, and a journal of them."""

from __future__ import annotations

import functools
import itertools
import secrets
import threading
import time
import uuid
from collections import Counter, OrderedDict
from concurrent.futures import Future, wait
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from .canvas import SHORTEST, Size
from .gallery import Commission, Gallery, Picture
from .job_log import JobLog
from .orders import Order
from .scenarios import Once, Scenario, share, without_scenario, work_seconds

MAX_JOBS = 4000  # jobs
State = Literal["queued", "running", "done", "cancelled"]


@functools.cache
def sample_slugs() -> tuple[str, ...]:
    from providers.samples.renderer import (
        SAMPLE_MODELS,  # loaded with the first order, so that the server is up at once
    )

    return tuple(model.slug for model in SAMPLE_MODELS)


def sample_model_of(endpoint: str) -> str:
    """The sample model behind an endpoint: its last part that names one, else always the same one for this endpoint."""
    slugs = sample_slugs()
    for part in reversed(endpoint.split("/")):
        if part in slugs:
            return part
    return slugs[int(share("style", endpoint) * len(slugs))]


@dataclass(slots=True, eq=False)
class SimulatedJob:
    """One order being worked on. Its state follows from the time; nothing has to run for it but the drawing."""

    id: str
    order: Order
    scenario: Scenario
    seed: int
    size: Size  # as delivered
    pictures: list[Future[Picture]]
    created: float
    created_at: datetime
    starts: float
    ends: float
    cancelled: float | None = None

    @property
    def megapixels(self) -> float:
        return self.size[0] * self.size[1] / 2**20 * self.order.n

    @property
    def work_seconds(self) -> float:
        return self.ends - self.starts

    @property
    def state(self) -> State:
        now = time.monotonic()
        if self.cancelled is not None:
            return "cancelled"
        if now < self.starts:
            return "queued"
        return "done" if now >= self.ends and all(picture.done() for picture in self.pictures) else "running"

    @property
    def ever_started(self) -> bool:
        return (self.cancelled if self.cancelled is not None else time.monotonic()) >= self.starts

    def moment(self, monotonic: float) -> str:
        """A point on our clock, written as the providers write times."""
        at = self.created_at + timedelta(seconds=monotonic - self.created)
        return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Workshop:
    """Takes orders, answers questions about jobs and keeps the journal. `pace` below 1 makes everything quicker.

    `drawn_side`: see `Gallery`. With a log, the jobs of an earlier process are known, too.
    """

    def __init__(self, pace: float = 1.0, drawn_side: int | None = None, log: JobLog | None = None) -> None:
        self.gallery = Gallery(drawn_side)
        self.once = Once()
        self.stopping = threading.Event()
        self._pace = pace
        self._jobs: OrderedDict[str, SimulatedJob] = OrderedDict()
        self._counts: dict[tuple[str, str], Counter[str]] = {}
        self._lock = threading.Lock()
        self._log = log or JobLog(None)
        self._earlier = self._log.jobs()
        for earlier in self._earlier.values():
            for event in ("asked", "created", *(["cancelled"] if earlier.is_cancelled else [])):
                self.note(earlier.order, event)

    def start(self, order: Order, *, job_id: str = "") -> SimulatedJob:
        """Takes the order: from here on the work is done, whether or not anyone hears of it."""
        seed = order.seed if order.seed is not None else secrets.randbelow(2**31)  # as the real ones draw theirs
        job = self._job(job_id or str(uuid.uuid4()), order, seed, datetime.now(UTC))
        self._log.accepted(job.id, order, seed, job.created_at)
        self.note(order, "created")
        return job

    def _job(self, job_id: str, order: Order, seed: int, created_at: datetime) -> SimulatedJob:
        scenario = Scenario.of(order.prompt)
        prompt, model = without_scenario(order.prompt), sample_model_of(order.endpoint)
        width, height = order.size
        if "wrong-size" in scenario:
            width, height = max(SHORTEST, width // 2), max(SHORTEST, height // 2)
        pictures = [
            self.gallery.order(
                Commission(model, prompt, width, height, seed + number, order.format, order.source, "nsfw" in scenario)
            )
            for number in range(order.n)
        ]
        created = time.monotonic() - (datetime.now(UTC) - created_at).total_seconds()
        seconds = work_seconds(model, prompt, width * height / 2**20) * self._pace
        starts = created + scenario.number("queue", 0.05 * self._pace)
        job = SimulatedJob(
            id=job_id, order=order.remembered(), scenario=scenario, seed=seed,
            size=(width, height), pictures=pictures, created=created, created_at=created_at, starts=starts,
            ends=starts + scenario.number("slow", seconds),
        )  # fmt: skip
        with self._lock:
            self._jobs[job.id] = job
            while len(self._jobs) > MAX_JOBS:
                self._jobs.popitem(last=False)
        return job

    def find(self, job_id: str) -> SimulatedJob | None:
        with self._lock:
            job, earlier = self._jobs.get(job_id), self._earlier.get(job_id)
        if job is None and earlier is not None:  # asked about again, it is drawn again
            job = self._job(job_id, earlier.order, earlier.seed, earlier.created_at)
            job.cancelled = time.monotonic() if earlier.is_cancelled else None
        return job

    def latest(self, most: int) -> list[SimulatedJob]:
        """Of all providers, the newest first."""
        with self._lock:
            return list(itertools.islice(reversed(self._jobs.values()), most))

    def wait(self, job: SimulatedJob, seconds: float | None = None) -> bool:
        """Waits until the job is done or cancelled, or for so many seconds. True when it is over."""
        end = None if seconds is None else time.monotonic() + seconds
        while job.state not in ("done", "cancelled") and not self.stopping.is_set():
            now = time.monotonic()
            if end is not None and now >= end:
                return False
            pause = 0.1 if end is None else min(0.1, end - now)  # a cancellation is noticed within this
            if now < job.ends:
                self.stopping.wait(min(pause, job.ends - now))
            else:
                wait(job.pictures, timeout=pause)
        return True

    def cancel(self, job: SimulatedJob) -> bool:
        """True when there was still something to cancel."""
        with self._lock:
            if job.state in ("done", "cancelled"):
                return False
            job.cancelled = time.monotonic()
        self._log.cancelled(job.id)
        self.note(job.order, "cancelled")
        return True

    def note(self, order: Order, event: str) -> None:
        """Counts an event in the journal: asked, refused, created, cancelled."""
        with self._lock:
            self._counts.setdefault((order.provider, order.endpoint), Counter())[event] += 1

    def journal(self) -> dict[str, dict[str, dict[str, int]]]:
        """Per wire format and endpoint: requests asked and refused, jobs created, running, done and cancelled."""
        events = ("asked", "refused", "created", "running", "done", "cancelled")
        with self._lock:
            pages: dict[str, dict[str, dict[str, int]]] = {}
            for (provider, endpoint), counts in self._counts.items():
                pages.setdefault(provider, {})[endpoint] = {event: counts[event] for event in events}
            for job in self._jobs.values():
                if (state := job.state) != "cancelled":
                    entry = pages[job.order.provider][job.order.endpoint]
                    entry["done" if state == "done" else "running"] += 1
        return pages

    def close(self) -> None:
        self.stopping.set()
        self.gallery.close()
