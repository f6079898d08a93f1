"""Voters who vote until they are stopped, and the ledger of what was acknowledged."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import time
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.load.browser import Browser

VOTES_OF_A_VOTER = 12
TIMEOUT = 45.0  # seconds a voter waits for an answer
PAUSE = 0.1  # seconds between two votes, and before a vote is sent again


@dataclass
class Ledger:
    votes: dict[str, str] = field(default_factory=dict)  # battle → outcome, as acknowledged
    times: list[tuple[float, float]] = field(default_factory=list)  # when it was sent (last), when acknowledged
    statuses: Counter[str] = field(default_factory=Counter)
    unexpected: list[str] = field(default_factory=list)  # 5xx that are not a 503 with Retry-After

    def acknowledge(self, battle: str, outcome: str, sent: float) -> None:
        self.votes[battle] = outcome
        self.times.append((sent, time.monotonic()))

    def since(self, moment: float) -> list[float]:
        """When votes were acknowledged that were sent after `moment`."""
        return [at for sent, at in reversed(self.times[-5000:]) if sent > moment][::-1]

    def longest_gap(self, start: float, end: float) -> float:
        """Seconds without an acknowledged vote between two moments."""
        times = [start, *(at for _, at in self.times if start < at < end), end]
        return max(later - earlier for earlier, later in itertools.pairwise(times))


class Voter:
    def __init__(self, browser: Browser, ledger: Ledger, *, htmx: bool) -> None:
        self.browser, self.ledger, self.htmx = browser, ledger, htmx
        self.browser.is_htmx = htmx

    async def vote_until(self, stop: asyncio.Event) -> None:
        cast = 0
        while not stop.is_set():
            if cast >= VOTES_OF_A_VOTER:
                self.browser.forget()
                cast = 0
            if not self.browser.waiting:
                status, text = await self._send("GET", self.browser.site.page)
                if status != 200 or not self._read(text):
                    await asyncio.sleep(PAUSE)
                    continue
            await self._cast(self.browser.waiting.pop(0), stop)
            cast += 1
            await asyncio.sleep(random.uniform(0, 2 * PAUSE))
        self.browser.close()

    def _read(self, text: str) -> bool:
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)
        battle = re.search(r'id="battle"[^>]*data-url="([^"]+)"', text)
        if token and battle:
            self.browser.token, self.browser.waiting = token[1], [battle[1]]
        return bool(token and battle)

    async def _cast(self, url: str, stop: asyncio.Event) -> None:
        """Send the vote until it is answered."""
        outcome = random.choice(("left", "right", "tie", "both_bad"))
        form = {"outcome": outcome} if self.htmx else {"outcome": outcome, "csrfmiddlewaretoken": self.browser.token}
        while not stop.is_set():
            sent = time.monotonic()
            status, text = await self._send("POST", f"{url}vote/", form)
            if status in (200, 302, 303):
                self.ledger.acknowledge(url.strip("/").rpartition("/")[2], outcome, sent)
                # Plain forms are led to the reveal; the next pair is on the voting page.
                self.browser.waiting = re.findall(r'<template[^>]*data-url="([^"]+)"', text) if self.htmx else []
                return
            if status and status < 500:
                self.browser.waiting = []  # expired, or somebody new: load the page
                return
            await asyncio.sleep(PAUSE)

    async def _send(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Status and text; 0 when the connection failed."""
        try:
            status, text = await asyncio.wait_for(self.browser.request(method, path, form), TIMEOUT)
        except (OSError, asyncio.IncompleteReadError, TimeoutError, ValueError) as error:
            self.browser.disconnect()
            self.ledger.statuses["no answer in time" if isinstance(error, TimeoutError) else "connection failed"] += 1
            return 0, ""
        self.ledger.statuses[str(status)] += 1
        if status >= 500 and not (status == 503 and "retry-after" in self.browser.head.lower()):
            self.ledger.unexpected.append(f"{method} {path}: {status} {text[:200]}")
        if "connection: close" in self.browser.head.lower():
            self.browser.disconnect()
        return status, text
