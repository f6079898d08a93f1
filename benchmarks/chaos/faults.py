"""What is done to the site: nine kinds of kill -9, stops, full disks, a full and an empty Valkey, a provider that hangs."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import redis

from benchmarks.chaos.site import Disk, Site

Fault = Callable[[], AbstractContextManager[None]]  # the fault is over when the context ends


def _kill(pids: Callable[[], list[int]]) -> bool:
    """kill -9 of one of them; whether there was one."""
    for _ in range(200):  # the part may be starting at the moment
        if candidates := pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(random.choice(candidates), signal.SIGKILL)
                return True
        time.sleep(0.1)
    return False


def kills(site: Site) -> dict[str, Fault]:
    """The nine kinds, by name."""

    def main_of(name: str) -> Callable[[], list[int]]:
        return lambda: site.pids(name)[:1]

    victims: dict[str, Callable[[], list[int]]] = {
        "web, main process": main_of("web"),
        "web, a worker process": lambda: site.pids("web")[1:],
        "worker with beat": main_of("worker"),
        "Valkey": main_of("valkey"),
        "postmaster": lambda: site.pids("postmaster"),
        "Postgres, a backend": lambda: site.backends("arena arena"),
        "Postgres, walwriter": lambda: site.backends("walwriter"),
        "provider": main_of("provider"),
    }

    def fault(pids: Callable[[], list[int]]) -> Fault:
        @contextmanager
        def killed() -> Iterator[None]:
            _kill(pids)
            yield

        return killed

    @contextmanager
    def supervisor() -> Iterator[None]:
        os.kill(site.pids("supervisor")[0], signal.SIGKILL)
        site.await_end()
        yield
        site.start()

    return {f"kill: {name}": fault(pids) for name, pids in victims.items()} | {"kill: everything": supervisor}


def others(site: Site, seconds: float) -> dict[str, Fault]:
    """Faults that last `seconds`, by name; those that this machine does not allow are left out."""

    def stopped(pids: Callable[[], list[int]]) -> Fault:
        @contextmanager
        def fault() -> Iterator[None]:
            victims = pids()
            _signal(victims, signal.SIGSTOP)
            try:
                time.sleep(seconds)
                yield
            finally:
                _signal(victims, signal.SIGCONT)

        return fault

    def full(disk: Disk) -> Fault:
        @contextmanager
        def fault() -> Iterator[None]:
            disk.fill()
            try:
                time.sleep(seconds)
                yield
            finally:
                disk.empty()

        return fault

    @contextmanager
    def full_valkey() -> Iterator[None]:
        with _valkey(site) as valkey:
            before = valkey.config_get("maxmemory")["maxmemory"]
            valkey.config_set("maxmemory", "1")
            try:
                time.sleep(seconds)
                yield
            finally:
                valkey.config_set("maxmemory", before)

    @contextmanager
    def flush() -> Iterator[None]:
        with _valkey(site) as valkey:
            valkey.flushall()
        yield

    faults: dict[str, Fault] = {
        "stop: database": stopped(lambda: site.pids("postgres")),
        "stop: a web worker process": stopped(lambda: site.pids("web")[1:2]),
        "stop: worker with beat": stopped(lambda: site.pids("worker")),
        "stop: provider": stopped(lambda: site.pids("provider")),
        "full: Valkey": full_valkey,
        "flush: Valkey": flush,
    }
    if site.store.is_mounted:
        faults["full: store"] = full(site.store)
    if site.database.is_mounted:
        faults["full: database"] = full(site.database)
    return faults


def _signal(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)


def _valkey(site: Site) -> redis.Redis:
    return redis.Redis(unix_socket_path=str(site.place.sockets / "valkey.sock"))
