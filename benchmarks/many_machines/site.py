"""The site on many machines, and the voters whom a load balancer would send to its page hosts."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis

from benchmarks.chaos.voters import Ledger, Voter
from benchmarks.load import database
from benchmarks.load.browser import Browser, Site
from benchmarks.many_machines import machines
from benchmarks.many_machines.network import Host
from config.heartbeats import LEADER
from config.services.places import CHECKOUT, Place, unprivileged

WAIT_SECONDS = 120.0  # seconds after which what has not happened never will
# Short leases, so that what a worker held when it was cut off is due again while we watch.
TIMES = {"GENERATION_TIME_LIMIT": "15", "GENERATION_LEASE_GRACE": "2", "GENERATION_BACKOFF": "1"}
TIMES |= {"GENERATION_ATTEMPTS": "30", "GENERATION_CHARGED_BACKOFF": "5"}
# All voters are of one address, and look at nothing.
LIMITS = dict.fromkeys(
    ("NETWORK_NEW_VOTERS", "NETWORK_PREFIX_NEW_VOTERS", "VOTE_NEEDS_IMAGES", "VOTE_MIN_SECONDS"), "0"
)


class Balanced(Browser):
    """Each request goes to either page host; after a failure the next one goes to another."""

    def __init__(self, sites: list[Site]) -> None:
        super().__init__(sites[0])
        self.sites = sites

    async def request(self, method: str, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        if random.random() < 0.3:
            self.disconnect()
        return await super().request(method, path, form)

    def disconnect(self) -> None:
        super().disconnect()
        self.site = random.choice([site for site in self.sites if site is not self.site])


class Arena:
    """Two page hosts, two workers, two beats, a database, a broker and an object store, each on a host of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        data = home / "data"
        place = Place(home / "var", data, home / "sockets", unprivileged())
        names = ("page-1", "page-2", "worker-1", "worker-2", "beat-1", "beat-2", "database", "broker", "store")
        self.hosts = {name: Host(name, 11 + number) for number, name in enumerate(names)}
        self.database = machines.Database(place, self.hosts["database"])
        self.broker = machines.Broker(place, self.hosts["broker"])
        self.store = machines.store(self.hosts["store"], home)
        os.environ |= TIMES | LIMITS | {
            "DATABASE_URL": self.database.url, "REDIS_URL": self.broker.url,
            "STORAGE_URL": machines.store_url(self.hosts["store"]), "SECRET_KEY": secrets.token_urlsafe(50),
            "SIMULATOR_URL": "http://127.0.0.1:8100", "VAR_DIR": str(home / "var"), "LOG_LEVEL": "WARNING",
            "ALLOWED_HOSTS": ",".join(self.hosts[name].address for name in ("page-1", "page-2")),
            "DJANGO_SETTINGS_MODULE": "config.settings", "ARENA_PROCESS": "", "DEBUG": "", "MALLOC_ARENA_MAX": "2",
        }  # fmt: skip
        environment = dict(os.environ)
        kinds = {"page": machines.page, "worker": machines.worker, "beat": machines.beat}
        self.machines = {
            name: kinds[kind](host, environment, home)
            for name, host in self.hosts.items()
            if (kind := name.partition("-")[0]) in kinds
        }
        self.providers = [machines.provider(self.hosts[name], home) for name in ("worker-1", "worker-2")]

    def start(self, dump: Path | None) -> None:
        """Everything, the second beat last; comes back when both page hosts are ready.

        `dump` is of a migrated database without rows, which is quicker than to migrate.
        """
        for host in self.hosts.values():
            host.create()
        self.store.start()
        self.database.start()
        self.broker.start()
        static = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
        collecting = subprocess.Popen(static, cwd=CHECKOUT)
        import django
        from django.core.management import call_command

        django.setup()
        if dump:
            self.database.restore(dump)
        else:
            call_command("migrate", verbosity=0)
        call_command("load_catalog", verbosity=0)
        database.fill()
        if collecting.wait():
            sys.exit("collectstatic has failed.")
        for machine in [*self.providers, *self.machines.values()]:
            if machine.host.name != "beat-2":
                machine.start()
        for name in ("page-1", "page-2"):
            self.await_page(name)
        eventually(self.leader, "a beat leads")
        self.machines["beat-2"].start()

    def await_page(self, name: str) -> None:
        eventually(lambda: self.answers(name, "/readyz"), f"{name} is ready", self.logs)

    def answers(self, name: str, path: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://{self.hosts[name].address}:8000{path}", timeout=10) as reply:
                return int(reply.status) == 200
        except OSError:
            return False

    def leader(self) -> bytes | None:
        """The token of the beat that leads."""
        with redis.Redis.from_url(self.broker.url, socket_timeout=5) as valkey:
            return bytes(token) if (token := valkey.get(LEADER)) else None

    def logs(self) -> str:
        return "\n".join(
            f"── {path.name}\n{path.read_text(errors='replace')[-2500:]}" for path in sorted(self.home.glob("log/*"))
        )


class Crowd:
    """Voters who vote until the end of the context, in a thread of their own: processes are started by the main one."""

    def __init__(self, arena: Arena, voters: int) -> None:
        self.ledger, self._end = Ledger(), threading.Event()
        sites = [Site(arena.hosts[name].address, 8000, database.PAGE) for name in ("page-1", "page-2")]
        self._voters = [Voter(Balanced(sites), self.ledger, htmx=n % 2 == 0) for n in range(voters)]
        self._thread = threading.Thread(target=asyncio.run, args=(self._vote(),))

    async def _vote(self) -> None:
        stop = asyncio.Event()
        tasks = [asyncio.create_task(voter.vote_until(stop)) for voter in self._voters]
        while not self._end.is_set():
            await asyncio.sleep(0.1)
        stop.set()
        await asyncio.gather(*tasks)

    def __enter__(self) -> Crowd:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def await_votes(self, number: int) -> None:
        """Until so many more are acknowledged that were sent from now on."""
        start = time.monotonic()
        eventually(lambda: len(self.ledger.since(start)) >= number, f"{number} votes are acknowledged")


def eventually(condition: Callable[[], Any], what: str, explain: Callable[[], str] = str) -> float:
    """Wait for a condition; returns the seconds. Ends the run where it never comes true."""
    start = time.monotonic()
    while not condition():
        if time.monotonic() - start > WAIT_SECONDS:
            sys.exit(f"Not within {WAIT_SECONDS:.0f} s: {what}.\n{explain()}")
        time.sleep(0.05)
    return time.monotonic() - start
