"""No mix of requests, trials, jobs, retries, parameters of providers and kills spends more than a key's budget.

Through real HTTP, with kill -9 of the gateway in the middle. The stated error: what was in flight when it was killed.
Its provider may have been asked before the call was recorded, so each lost request may have cost its price besides.

Short here; `SPENDING_EXAMPLES=50 bin/test tests/providers/gateway/test_spending.py` looks for longer.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from providers.gateway import budgets, jobs, signed_files
from providers.models import ApiKey, GatewayRequest
from providers.playground import trials
from tests.factories import picture

from .conftest import offered, serving

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]

EXAMPLES = int(os.environ.get("SPENDING_EXAMPLES", "1"))
PRICE = Decimal("0.01")
# Names by which a provider's own parameters would make more or larger images than were priced.
NATIVE = [{"num_images": 4}, {"num_outputs": 9}, {"batch_size": 3}, {"width": 2048, "height": 2048}, {"steps": 80}]
KINDS = [
    "image", "url", "edit", "stream", "native", "policy", "failure", "disconnect", "key retry", "counted retry", "job",
    "cancelled job", "trial",
]  # fmt: skip
BUDGETS = {"daily_budget": "day", "monthly_budget": "month", "total_budget": "total"}


@dataclass
class Spender:
    """Requests of one key, each from a thread of its own."""

    slug: str
    key: ApiKey
    secret: str
    period: str  # of its budget, as in budgets.Spent
    dice: Random
    sums: list[Decimal] = field(default_factory=list)  # of the ledger, after every request
    statuses: list[int] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)

    @property
    def spent(self) -> Decimal:
        spent: Decimal = getattr(budgets.spent(self.key), self.period)
        return spent

    def start(self, url: str, count: int) -> None:
        """So many requests at once, as different as that allows."""
        for number, kind in enumerate(self.dice.sample(KINDS, count)):
            body = {
                "model": self.slug, "prompt": f"A kite, number {number} of {url}", "n": self.dice.randrange(1, 4),
                "size": "64x64", "user": self.dice.choice(["ann", "bob", ""]),
            }  # fmt: skip
            arguments = (url, kind, body, Random(self.dice.random()))
            self.threads.append(threading.Thread(target=self._guarded, args=arguments))
            self.threads[-1].start()

    def join(self) -> None:
        for thread in self.threads:
            thread.join()
        self.threads.clear()

    def _guarded(self, *arguments) -> None:
        try:
            self._send(*arguments)
        except httpx.HTTPError:
            pass  # the gateway was killed, or this client has given up
        finally:
            self.sums.append(self.spent)
            connection.close()

    def _send(self, url: str, kind: str, body: dict[str, Any], dice: Random) -> None:
        headers = {"Authorization": f"Bearer {self.secret}"}
        body = body | {"response_format": "url" if kind == "url" else "b64_json"}
        timeout = 60.0
        match kind:
            case "stream":
                body |= {"stream": True, "partial_images": 2}
            case "native":
                body |= dice.choice(NATIVE)
            case "policy":
                body["prompt"] += " [sim:policy]"
            case "failure":
                body["prompt"] += " [sim:500]"
            case "disconnect":
                body["prompt"] += " [sim:slow=2]"
                timeout = 0.5
            case "job":
                headers["Prefer"] = "respond-async"
            case "cancelled job":
                self._cancelled(url, body, headers)
                return
            case "edit":
                self.statuses.append(self._edit(url, body, headers))
                return
            case "trial":
                form = {"prompt": body["prompt"], "model": [self.slug], "size": "64x64", "key": self.secret}
                Client().post("/playground/", form | {"action": "generate"})
                return
            case "key retry":
                headers["Idempotency-Key"] = body["prompt"]
                self._twice(url, body, headers)
                return
            case "counted retry":
                slow = body | {"prompt": body["prompt"] + " [sim:slow=2]"}
                self._ignoring(lambda: self._post(url, slow, headers, 0.5))
                body, headers = slow, headers | {"X-Stainless-Retry-Count": "1"}
        self.statuses.append(self._post(url, body, headers, timeout))

    def _twice(self, url: str, body: dict[str, Any], headers: dict[str, str]) -> None:
        """The same request at once, as a client whose proxy has retried it."""
        other = threading.Thread(target=lambda: self._ignoring(lambda: self._post(url, body, headers, 60.0)))
        other.start()
        try:
            self.statuses.append(self._post(url, body, headers, 60.0))
        finally:
            other.join()

    def _cancelled(self, url: str, body: dict[str, Any], headers: dict[str, str]) -> None:
        path = f"{url}/openai/v1/images/generations"
        job = httpx.post(path, json=body, headers=headers | {"Prefer": "respond-async"}, timeout=60)
        self.statuses.append(job.status_code)
        if job.status_code == 202:
            httpx.delete(f"{url}/openai/v1/images/jobs/{job.json()['id']}", headers=headers, timeout=60)

    def _edit(self, url: str, body: dict[str, Any], headers: dict[str, str]) -> int:
        form = {name: str(value) for name, value in body.items() if value}
        path = f"{url}/openai/v1/images/edits"
        return httpx.post(
            path, data=form, files={"image": picture("source", 64, 64)}, headers=headers, timeout=60
        ).status_code

    def _ignoring(self, send: Callable[[], int]) -> None:
        with contextlib.suppress(httpx.HTTPError):
            send()

    def _post(self, url: str, body: dict[str, Any], headers: dict[str, str], timeout: float) -> int:
        return httpx.post(
            f"{url}/openai/v1/images/generations", json=body, headers=headers, timeout=timeout
        ).status_code


def kill_all(pid: int) -> None:
    """kill -9 of the server and of its worker, which would go on without it."""
    workers = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for process in (pid, *map(int, workers)):
        os.kill(process, signal.SIGKILL)


def work() -> None:
    """What the workers do."""
    for pk in jobs.take_due():
        jobs.run(pk)
    for pk in trials.take_due():
        trials.run(pk)


@pytest.mark.parametrize("seed", range(EXAMPLES))
def test_no_mix_spends_more_than_the_budget_and_what_was_in_flight_at_a_kill(
    seed, simulator, simulated, settings, tmp_path
):
    dice = Random(seed)
    slug = f"spending-{seed}"
    offered(slug)
    budget, kind = dice.randrange(9, 16) * PRICE, dice.choice(list(BUDGETS))
    key, secret = ApiKey.make(slug, **{kind: budget}, requests_per_minute=6000)
    spender = Spender(slug, key, secret, BUDGETS[kind], dice)

    def made() -> int:
        """Images that the provider has made, or is making: it bills those."""
        endpoints: dict[str, dict[str, int]] = simulator.journal().get("openai", {})
        entries = [entry for endpoint, entry in endpoints.items() if endpoint.startswith(f"tests/{slug}-")]
        return sum(entry.get("done", 0) + entry.get("running", 0) for entry in entries)

    with serving(simulator, tmp_path) as (url, process):
        spender.start(url, 10)
        deadline = time.monotonic() + 60
        while made() < 2 and any(thread.is_alive() for thread in spender.threads):
            assert time.monotonic() < deadline
            time.sleep(0.01)
        kill_all(process.pid)
        spender.join()
    with serving(simulator, tmp_path) as (url, _):
        spender.start(url, len(KINDS))
        for thread in spender.threads:
            while thread.is_alive():
                work()
                thread.join(0.05)
        work()
    settings.GATEWAY_TIME_LIMIT = -15  # what still runs now is taken for lost
    signed_files.prune()
    rows = GatewayRequest.objects.filter(api_key=key)
    assert not rows.filter(status="running").exists()
    lost = sum(row.n for row in rows.filter(error_code="process_lost"))
    assert max(spender.sums) <= budget
    assert spender.spent <= budget
    assert made() * PRICE <= budget + lost * PRICE, (made(), lost)
    assert 402 in spender.statuses or spender.spent < budget
    assert budgets.recount(timezone.now().date()) == 0
