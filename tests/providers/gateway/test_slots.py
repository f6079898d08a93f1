"""A request has its slot until none of its threads works any more, and nothing that they return is lost."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.conf import settings

from providers.gateway import slots
from providers.gateway.slots import RequestSlot
from tests.config.processes import eventually

from . import free_slots


def with_slot(use: Callable[[RequestSlot], Awaitable[object]]) -> object:
    """What `use` returns in an event loop of its own: Playwright keeps one in this thread."""

    async def run() -> object:
        slot = slots.take()
        assert slot is not None
        try:
            return await use(slot)
        finally:
            slot.release()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(run())).result()


def test_a_slot_is_taken_until_the_last_thread_of_its_request_has_ended():
    ends = threading.Event()

    async def use(slot: RequestSlot) -> object:
        slot.start(ends.wait, 30)
        return await slot.run(lambda: "result")

    assert with_slot(use) == "result"
    assert free_slots.count() == settings.GATEWAY_THREADS - 1
    ends.set()
    eventually(lambda: free_slots.count() == settings.GATEWAY_THREADS)


def test_there_is_no_slot_beyond_the_setting():
    taken = free_slots.take_all()
    try:
        assert len(taken) == settings.GATEWAY_THREADS
        assert slots.take() is None
    finally:
        for slot in taken:
            slot.release()


def test_an_error_of_the_work_is_raised_where_its_result_is_awaited():
    async def use(slot: RequestSlot) -> object:
        return await slot.run(int, "seven")

    with pytest.raises(ValueError, match="seven"):
        with_slot(use)
    eventually(lambda: free_slots.count() == settings.GATEWAY_THREADS)


def test_a_result_that_nobody_awaits_any_more_is_discarded_while_the_slot_is_taken():
    ends, discarded = threading.Event(), []

    async def use(slot: RequestSlot) -> object:
        work = slot.run(ends.wait, 30, discard=lambda result: discarded.append((result, free_slots.count())))
        work.cancel()
        ends.set()
        while not discarded:
            await asyncio.sleep(0.001)
        return None

    with_slot(use)
    assert discarded == [(True, settings.GATEWAY_THREADS - 1)]
    eventually(lambda: free_slots.count() == settings.GATEWAY_THREADS)


def test_a_result_that_comes_after_the_end_of_its_event_loop_is_discarded():
    ends, discarded = threading.Event(), threading.Event()

    async def use(slot: RequestSlot) -> object:
        slot.run(ends.wait, 30, discard=lambda result: discarded.set())
        return None

    with_slot(use)
    ends.set()
    assert discarded.wait(30)
    eventually(lambda: free_slots.count() == settings.GATEWAY_THREADS)
