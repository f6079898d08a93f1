"""What is left after all of it: the ledger against the rows, the rows against the files."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta

from benchmarks.chaos.voters import Ledger
from config.services.places import Place
from providers.samples.simulator.job_log import JobLog, LoggedJob

PROMPT = "Stones of the beach, number"
WITH_JOBS = ("fal", "replicate", "bfl")
SETTLE_SECONDS = 240.0  # in which what was cut off must be done


@dataclass(frozen=True)
class Repeated:
    """An order that a provider has accepted more than once."""

    provider: str
    endpoint: str
    accepted_at: list[datetime]


@dataclass(frozen=True)
class Verdict:
    acknowledged: int
    stored: int
    lost: list[str]
    differing: list[str]  # stored with another outcome
    doubled: int  # votes in the tallies beyond those that count; negative: too few
    planned: int
    generations: dict[str, int]
    images: int
    bought_again: int  # images at providers with jobs, which can be asked for again
    asked_again: int  # images at providers that answer in one request: what was under way is lost
    repeated: list[Repeated]  # the orders behind both numbers
    rows_without_file: int
    files_without_row: int
    swept: int

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.differing or self.doubled or self.rows_without_file) and (
            self.generations == {"succeeded": self.planned} and self.images == self.planned
        )


def plan(prompts: int) -> None:
    """Queue images of every sample model for new prompts, in a competition beside the one that is voted on."""
    from arena import generation
    from arena.models import Category, Competition, Prompt
    from providers import routing
    from providers.models import ImageModel

    category = Category.objects.exclude(slug="load").filter(mode="text-to-image").first()
    category = category or Category.objects.create(slug="chaos", name="Chaos", mode="text-to-image")
    facts = {"category": category, "title": "Chaos", "criterion": "being there", "is_published": True}
    competition, _ = Competition.objects.get_or_create(slug="chaos", defaults=facts)
    models = [model for model in ImageModel.objects.filter(origin="sample") if not model.slug.startswith("load-")]
    first = competition.prompts.count()
    for number in range(first, first + prompts):
        prompt = Prompt.objects.create(
            competition=competition, text=f"{PROMPT} {number} [sim:slow=0.7]", position=number
        )
        able = [m for m in models if routing.candidates(m, generation.request_for(prompt))]
        generation.plan(prompt, able)


def is_working() -> bool:
    """Whether images are being made."""
    from arena.models import Generation

    return Generation.objects.filter(prompt__competition__slug="chaos", status="running").exists()


def await_settled() -> float:
    """Until no generation is unfinished; returns the seconds."""
    from django.db import DatabaseError, connection

    from arena.models import Generation

    start = time.monotonic()
    while time.monotonic() - start < SETTLE_SECONDS:
        try:
            if not Generation.objects.unfinished().filter(prompt__competition__slug="chaos").exists():
                break
        except DatabaseError:
            connection.close()
        time.sleep(0.5)
    return time.monotonic() - start


def of(ledger: Ledger) -> Verdict:
    from django.core.files.storage import default_storage
    from django.db.models import F, Sum

    from arena import orphans
    from arena.models import Entry, Generation, Tally, Vote

    stored = {str(pk): outcome for pk, outcome in Vote.objects.values_list("battle_id", "outcome")}
    tallied = Tally.objects.aggregate(n=Sum("n"))["n"] or 0
    counted = Vote.objects.counted().exclude(left_model=F("right_model")).count()  # some votes exclude themselves
    planned = Generation.objects.filter(prompt__competition__slug="chaos")
    entries = Entry.objects.filter(generation__in=planned)
    named = {name for row in entries.values_list("image", "small", "thumbnail", "original") for name in row}
    names = {f"{folder}/{name}" for folder in orphans.COLUMNS for name in _listed(folder)}
    jobs = _jobs()
    bought = Counter(job.order.provider for job in jobs)
    made = Counter(entries.values_list("call__offering__provider", flat=True))
    again = {provider: number - made[f"simulated-{provider}"] for provider, number in bought.items()}
    return Verdict(
        acknowledged=len(ledger.votes),
        stored=len(stored),
        lost=[battle for battle in ledger.votes if battle not in stored],
        differing=[b for b, outcome in ledger.votes.items() if stored.get(b, outcome) != outcome],
        doubled=tallied - counted,
        planned=planned.count(),
        generations=dict(Counter(planned.values_list("status", flat=True))),
        images=entries.count(),
        bought_again=sum(number for provider, number in again.items() if provider in WITH_JOBS),
        asked_again=sum(number for provider, number in again.items() if provider not in WITH_JOBS),
        repeated=_repeated(jobs),
        rows_without_file=sum(not default_storage.exists(name) for name in named),
        files_without_row=len(names - named),
        swept=orphans.sweep(timedelta(0)),
    )


def _jobs() -> list[LoggedJob]:
    """What the providers' own ledger has of our prompts: jobs accepted and not cancelled."""
    jobs = JobLog(Place.of_checkout().var / "simulator-jobs.jsonl").jobs().values()
    return [job for job in jobs if job.order.prompt.startswith(PROMPT) and not job.is_cancelled]


def _repeated(jobs: list[LoggedJob]) -> list[Repeated]:
    times: dict[str, list[LoggedJob]] = {}
    for job in jobs:
        times.setdefault(job.order.key, []).append(job)
    return [
        Repeated(same[0].order.provider, same[0].order.endpoint, [job.created_at for job in same])
        for same in times.values()
        if len(same) > 1
    ]


def _listed(folder: str) -> list[str]:
    from django.core.files.storage import default_storage

    try:
        return list(default_storage.listdir(folder)[1])
    except FileNotFoundError:
        return []
