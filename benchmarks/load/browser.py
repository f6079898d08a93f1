"""A voter's browser over one open connection, and what a measurement of it counted."""

from __future__ import annotations

import asyncio
import random
import re
import statistics
import sys
import time
import urllib.parse
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Site:
    host: str
    port: int
    page: str


@dataclass
class Tally:
    """What a measurement counted: milliseconds of each acknowledged request, and what was answered otherwise."""

    took: list[float] = field(default_factory=list)
    rejected: int = 0
    elapsed: float = 1.0  # seconds
    acknowledged: int | None = None  # votes, those that were not timed among them


class Browser:
    """A voter: cookies, one persistent connection, and the battles that pages and replies have named."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.cookies: dict[str, str] = {}
        self.token = ""
        self.waiting: list[str] = []
        self.is_htmx = True
        self.head = ""  # of the last response
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    def forget(self) -> None:
        """Become somebody new on the same connection."""
        self.cookies, self.token, self.waiting = {}, "", []

    async def request(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection(self.site.host, self.site.port, limit=2**22)
        assert self._reader is not None
        body = urllib.parse.urlencode(form or {}).encode()
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        head = f"{method} {path} HTTP/1.1\r\nHost: {self.site.host}:{self.site.port}\r\n"
        head += f"Cookie: {cookies}\r\n" if cookies else ""
        if method == "POST":
            head += f"HX-Request: true\r\nX-CSRFToken: {self.token}\r\n" if self.is_htmx else ""
            head += "Content-Type: application/x-www-form-urlencoded\r\n"
        self._writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        top = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        self.head = top
        length = re.search(r"(?i)content-length: (\d+)", top)
        content = b""
        if length:
            content = await self._reader.readexactly(int(length[1]))
        elif "chunked" in top.lower():
            while size := int((await self._reader.readuntil(b"\r\n")).strip(), 16):
                content += await self._reader.readexactly(size)
                await self._reader.readexactly(2)
            await self._reader.readexactly(2)
        for name, value in re.findall(r"(?im)^set-cookie: ([^=]+)=([^;\r]*)", top):
            if value.strip('"'):
                self.cookies[name] = value
            else:
                self.cookies.pop(name, None)
        return int(top.split(" ", 2)[1]), content.decode()

    async def load(self) -> int:
        """The voting page."""
        status, text = await self.request("GET", self.site.page)
        if status == 200:
            token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', text)
            battle = re.search(r'id="battle"[^>]*data-url="([^"]+)"', text)
            if token is None or battle is None:
                sys.exit(f"{self.site.page} shows no pair to vote on.")
            self.token, self.waiting = token[1], [battle[1]]
        elif status != 503:  # 503 is an entry that has enough to do
            sys.exit(f"{self.site.page} is answered with {status}: {text[:500]}")
        return status

    async def vote(self) -> int:
        """Answer the first pair that waits; its reply brings others."""
        url = self.waiting.pop(0)
        status, text = await self.request("POST", f"{url}vote/", {"outcome": random.choice(("left", "right", "tie"))})
        if status == 200:
            self.waiting = re.findall(r'<template[^>]*data-url="([^"]+)"', text)
        return status

    async def show(self) -> int:
        return (await self.request("POST", f"{self.waiting[0]}show/"))[0]

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    def disconnect(self) -> None:
        """The next request opens a connection of its own."""
        self.close()
        self._reader = self._writer = None


async def timed(tally: Tally, action: Any, expected: tuple[int, ...] = (200, 204)) -> bool:
    started = time.perf_counter()
    status = await action
    if status not in expected:
        tally.rejected += 1
        return False
    tally.took.append((time.perf_counter() - started) * 1000)
    return True


def p(values: list[float], percent: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1] if len(values) > 1 else sum(values)
