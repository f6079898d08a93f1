"""Programs that run while a benchmark does."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from urllib.request import urlopen

START_SECONDS = 180.0  # LiteLLM took 71 s on a busy machine


def with_services() -> None:
    """Start the running command again, on a PostgreSQL and Valkey that go with it, where no database is configured.

    For the start of `main`, before Django is set up.
    """
    if os.environ.get("DATABASE_URL"):
        return
    spec = sys.modules["__main__"].__spec__
    assert spec is not None  # started by `python -m`
    services = [sys.executable, "-m", "config.services", "run", "--temporary", "--"]
    environment = {"SECRET_KEY": secrets.token_urlsafe(50), **os.environ}
    os.execve(
        sys.executable,
        [*services, sys.executable, "-m", spec.name.removesuffix(".__main__"), *sys.argv[1:]],
        environment,
    )


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextlib.contextmanager
def running(
    command: list[str], port: int, path: str, *, without: tuple[str, ...] = (), **environment: str
) -> Iterator[int]:
    """The process while it serves; the port."""

    def answers() -> bool:
        with contextlib.suppress(OSError):
            if path:
                urlopen(f"http://127.0.0.1:{port}{path}", timeout=2).close()
            else:
                socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        return False

    with started(command, answers, without=without, **environment):
        yield port


@contextlib.contextmanager
def started(
    command: list[str], is_up: Callable[[], bool], *, without: tuple[str, ...] = (), **environment: str
) -> Iterator[None]:
    """The process, from when it is up."""
    inherited = {name: value for name, value in os.environ.items() if name not in without}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env={**inherited, **environment}, stdout=log, stderr=log)
        try:
            deadline = time.monotonic() + START_SECONDS
            while not is_up():
                if process.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    raise SystemExit(f"{command[:4]} does not answer:\n{log.read().decode()[-2000:]}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(10)
            process.kill()
