"""The site under granian, as in production, in a process of its own."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
from pathlib import Path

import httpx

from config.demo import ports
from config.services.places import CHECKOUT
from tests.config.processes import eventually
from tests.providers.gateway.conftest import database_url

# One process, with a deadline for bodies that a test sets.
PROGRAM = """
import os, sys
from config.entry import bodies
bodies.BODY_SECONDS = float(os.environ["BODY_SECONDS"])
from granian.cli import entrypoint
sys.exit(entrypoint())
"""


LONG = "120"  # longer than any client of these tests waits: whatever is answered was not waiting for a slow client


class Site:
    def __init__(self, log: Path, **environment: str) -> None:
        self.port = ports.any_free()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = (log / f"{self.port}.log").open("w+")
        command = [sys.executable, "-c", PROGRAM, "--interface", "asgi", "--workers", "1", "--no-ws", "--http", "1"]
        command += ["--port", str(self.port), "--backlog", "4096", "--http1-header-read-timeout", "60000"]
        self.process = subprocess.Popen(
            [*command, "config.asgi:application"],
            cwd=CHECKOUT,
            env=os.environ
            | {"DATABASE_URL": database_url(), "PYTHONUNBUFFERED": "1", "BODY_SECONDS": LONG, "DEBUG": "1"}
            | environment,
            stdout=self.log,
            stderr=self.log,
        )
        eventually(lambda: self.process.poll() is not None or ports.answers("127.0.0.1", self.port, "/healthz"), 60)
        assert self.process.poll() is None, self.output()

    def output(self) -> str:
        self.log.flush()
        self.log.seek(0)
        return self.log.read()

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(30)
        self.log.close()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def send(self, *texts: bytes) -> bytes:
        """What comes back on one connection, until it is closed or has the whole response."""
        with self.connect() as client:
            for text in texts:
                client.sendall(text)
            client.settimeout(10)
            received = b""
            with contextlib.suppress(TimeoutError, ConnectionError):
                while part := client.recv(65536):
                    received += part
                    head, end, body = received.partition(b"\r\n\r\n")
                    length = dict(
                        line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
                    ).get(b"content-length")
                    if end and length is not None and len(body) >= int(length):
                        break
            return received

    def assert_others_are_served(self) -> None:
        """A reader of a page, a client of the API and a probe are answered, long before slow clients give up."""
        with httpx.Client(base_url=self.url, timeout=30) as client:
            assert client.get("/robots.txt").status_code == 200
            assert client.get("/healthz").text == "ok"
            assert client.get("/openai/v1/openapi.json").status_code == 200
