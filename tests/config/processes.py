"""How the tests of this folder start, await and kill real processes."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from config.services.places import CHECKOUT, Place

# The surrounding run sets these; the last is what tests of the browser need, and no process that a test starts.
SITE = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "VAR_DIR", "SIMULATOR_URL", "DJANGO_ALLOW_ASYNC_UNSAFE"}


def clean_environment(**more: str) -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name not in SITE} | more


def eventually(condition: Callable[[], object], seconds: float = 15, every: float = 0.01) -> None:
    """Wait for a condition instead of sleeping for as long as it might take; `every` is the pause between two looks."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(every)


def is_running(pid: int) -> bool:
    """Zombies do not count: who kills a parent cannot reap its children."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def remove(place: Place) -> None:
    for path in {place.data, *set_aside(place), place.sockets}:
        shutil.rmtree(path, ignore_errors=True)


def set_aside(place: Place) -> list[Path]:
    """What another checkout at the same path left."""
    return sorted(place.data.parent.glob(f"{place.data.name}-*"))


def checkout_below(folder: Path) -> "Checkout":
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv("VAR_DIR", str(folder / "a clone" / "var"))  # the space has broken others
        return Checkout(Place.of_checkout())


class Checkout:
    """One checkout's var/ directory, and commands run on its services."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.environment = clean_environment(VAR_DIR=str(place.var))

    def start(self, *command: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, "-m", "config.services", "run", "--", *command],
            cwd=CHECKOUT,
            env=self.environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, *command: str) -> str:
        with self.start(*command) as process:
            output, _ = process.communicate(timeout=60)
        assert process.returncode == 0, output
        return output

    @contextmanager
    def up(self) -> Iterator["subprocess.Popen[str]"]:
        """The services run for as long as a command does that waits for the end of its input."""
        with self.start("sh", "-c", "echo up; exec cat") as process:
            assert process.stdin
            assert process.stdout
            line = process.stdout.readline()
            assert line == "up\n", line + process.stdout.read()
            yield process
            process.stdin.close()
            process.wait(timeout=30)

    def connect(self) -> psycopg.Connection:
        return psycopg.connect(f"host={self.place.sockets} user=arena dbname=arena", autocommit=True)

    def valkey(self) -> redis.Redis:
        return redis.Redis(unix_socket_path=str(self.place.sockets / "valkey.sock"))

    def postmaster(self) -> int:
        return int((self.place.data / "postgres" / "postmaster.pid").read_text().splitlines()[0])

    def answers(self) -> bool:
        try:
            with self.connect():
                return True
        except psycopg.OperationalError:
            return False
