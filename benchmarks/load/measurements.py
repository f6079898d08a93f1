"""What is measured of the site: votes, showings, pairs, a mix of visitors, a voter's late votes."""

from __future__ import annotations

import asyncio
import random
import statistics
import sys
import time

from benchmarks.load.browser import Browser, Site, Tally, timed


async def votes(site: Site, at_once: int, seconds: float, per_voter: int = 20) -> Tally:
    """Votes of voters who have one behind them; a new one takes over after so many. Only votes are timed, and loading
    the first page and the first vote of a voter are done before the time begins or between."""
    tally, others = Tally(), Tally()
    browsers = [Browser(site) for _ in range(at_once)]

    async def prepare(browser: Browser) -> None:
        browser.forget()
        await browser.load()
        if not await timed(others, browser.vote()):
            sys.exit("The first vote of a new voter is rejected.")

    for browser in browsers:
        await prepare(browser)
    end = time.perf_counter() + seconds

    async def one(browser: Browser) -> None:
        cast = 1
        while time.perf_counter() < end:
            if not browser.waiting or cast >= per_voter * 10:
                await prepare(browser)
                cast = 1
            await timed(tally, browser.vote())
            cast += 1

    started = time.perf_counter()
    await asyncio.gather(*(one(browser) for browser in browsers))
    tally.elapsed = time.perf_counter() - started
    tally.acknowledged = len(tally.took) + len(others.took)
    for browser in browsers:
        browser.close()
    return tally


async def shows(site: Site, at_once: int, seconds: float) -> Tally:
    """Showings alone are timed; each needs a vote before it."""
    tally, others = Tally(), Tally()
    end, busy = time.perf_counter() + seconds, 0.0

    async def one() -> None:
        nonlocal busy
        browser = Browser(site)
        await browser.load()
        await timed(others, browser.vote())
        while time.perf_counter() < end and browser.waiting:
            await timed(tally, browser.show())
            await timed(others, browser.vote())
        browser.close()

    await asyncio.gather(*(one() for _ in range(at_once)))
    tally.elapsed = seconds
    tally.acknowledged = len(others.took)
    return tally


async def pairs(site: Site, at_once: int, seconds: float) -> Tally:
    tally, end = Tally(), time.perf_counter() + seconds

    async def one() -> None:
        browser = Browser(site)
        while time.perf_counter() < end:
            browser.forget()
            await timed(tally, browser.load())
        browser.close()

    started = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(at_once)))
    tally.elapsed = time.perf_counter() - started
    tally.acknowledged = 0
    return tally


async def mix(site: Site, rate: int, seconds: float) -> tuple[Tally, Tally]:
    """Visitors come when they come, whether the site keeps up or not; connections stay open between them."""
    pair, vote, tasks, idle = Tally(), Tally(), list[asyncio.Task[None]](), list[Browser]()

    async def visitor() -> None:
        browser = idle.pop() if idle else Browser(site)
        browser.forget()
        if await timed(pair, browser.load()):
            await timed(vote, browser.vote())
        idle.append(browser)

    started, due = time.perf_counter(), 0.0
    while due < seconds:
        due += random.expovariate(rate)
        await asyncio.sleep(max(0.0, started + due - time.perf_counter()))
        tasks.append(asyncio.create_task(visitor()))
    await asyncio.gather(*tasks)
    for browser in idle:
        browser.close()
    return pair, vote


async def late(site: Site) -> tuple[float, float]:
    """Median milliseconds of one voter's votes around the 20th and around the 200th."""
    browser, took = Browser(site), list[float]()
    await browser.load()
    for _ in range(220):
        tally = Tally()
        if not await timed(tally, browser.vote()):
            sys.exit("A vote of one voter in a row is rejected.")
        took += tally.took
    browser.close()
    return statistics.median(took[10:30]), statistics.median(took[190:210])
