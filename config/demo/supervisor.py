"""Processes that shall run: watched, started again when they end, stopped in order.

No threads: the kernel ties a child to the thread that started it (config/services/processes.py), and there is nothing
to do but wait.
"""

import contextlib
import os
import select
import signal
import socket
import subprocess
import textwrap
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self, TextIO

from config.services.places import CHECKOUT, ServiceError
from config.services.processes import StrPath, open_log, rotate, spawn, tail
from config.services.servers import Server, State

FIRST_DELAY, LONGEST_DELAY = 0.2, 30.0  # seconds before a restart: 0.2, 0.4, 0.8 … 30
STEADY = 10.0  # seconds after which earlier crashes are forgotten
STOPPING = 15.0  # seconds to finish what is being done; leases make it safe to be killed then
REPORTING = 1.5  # seconds of silence before we say for whom we wait
WATCHING = 1.0  # seconds between two looks at a server that is not our child, whose end sends us no signal


class Stop(Exception):
    """Somebody pressed Ctrl-C, sent SIGTERM or closed the terminal."""


class Waiting:
    """Waiting that ends early when a child ends, and with Stop when we shall stop – there, and nowhere else."""

    def __enter__(self) -> Self:
        self.reader, self.writer = socket.socketpair()
        self.reader.setblocking(False)
        self.writer.setblocking(False)
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD)
        self.handlers = {number: signal.signal(number, lambda *_: None) for number in numbers}
        signal.set_wakeup_fd(self.writer.fileno(), warn_on_full_buffer=False)
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(-1)
        for number, handler in self.handlers.items():
            signal.signal(number, handler)
        self.reader.close()
        self.writer.close()

    def pause(self, seconds: float) -> None:
        if select.select([self.reader], [], [], seconds)[0] and set(self.reader.recv(4096)) - {signal.SIGCHLD}:
            raise Stop


def say(text: str, terminal: TextIO | None = None) -> None:
    """Write a line to the terminal and flush it: a pipe would hold it in a buffer."""
    print(text, file=terminal, flush=True)


@contextlib.contextmanager
def timed(step: str, terminal: TextIO | None = None) -> Iterator[None]:
    """One line of progress."""
    started = time.monotonic()
    yield
    say(f"  {step:<24}{time.monotonic() - started:6.1f} s", terminal)


class Child:
    """A process that shall run. After a crash it is started again, later with every crash, and never given up."""

    stop_signal: signal.Signals = signal.SIGTERM

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self.log = log
        self.crashes = 0
        self.started = 0.0
        self.log_size = 0
        self.due: float | None = None  # when to start it again; None while it runs

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        raise NotImplementedError

    def launch(self, waiting: Waiting) -> None:
        raise NotImplementedError

    def end(self) -> str | None:
        """How it ended; None while it runs."""
        status = self.process.poll() if self.process else None
        if status is None:
            return None
        return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with code {status}"

    def start(self, waiting: Waiting) -> None:
        self.started = time.monotonic()
        self.log_size = self.log.stat().st_size if self.log.exists() else 0
        self.launch(waiting)
        self.due = None

    def tend(self, waiting: Waiting) -> float:
        """Restart the child if that is due, rotate its log; return the seconds until the next look."""
        rotate(self.log)
        if self.due is None:
            end = self.end()
            if end is None:
                return WATCHING
            self.kill()
            crashed = self.process and self.process.returncode > 0
            self.plan_restart(end, tail(self.log, since=self.log_size) if crashed else "")
        remaining = (self.due or 0.0) - time.monotonic()
        if remaining > 0:
            return remaining
        try:
            self.start(waiting)
        except (ServiceError, OSError) as error:
            self.plan_restart("cannot be started", str(error))
        return 0.0

    def plan_restart(self, reason: str, details: str = "") -> None:
        now = time.monotonic()
        if now - self.started > STEADY:
            self.crashes = 0
        delay = min(FIRST_DELAY * 2 ** min(self.crashes, 10), LONGEST_DELAY)
        self.crashes += 1
        self.due = now + delay
        say(f"{self.name} {reason}; starting it again in {delay:.1f} s")
        if details:
            say(textwrap.indent(details, "    "))

    def kill(self) -> None:
        """Whatever is left of it: a web server that was killed leaves its own children behind, on its port."""
        if self.process:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # the latter for zombies, on macOS
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


class Program(Child):
    """A command of the site."""

    def __init__(self, name: str, command: Sequence[StrPath], environment: Mapping[str, str], logs: Path) -> None:
        super().__init__(name, logs / f"{name}.log")
        self.command = command
        self.environment = environment
        self.running: subprocess.Popen[bytes] | None = None

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self.running

    def launch(self, waiting: Waiting) -> None:
        with open_log(self.log) as log:
            # SIGTERM, should we die: a web server that is killed instead would leave its own children behind.
            self.running = spawn(
                self.command, environment=self.environment, output=log, cwd=CHECKOUT, death_signal=signal.SIGTERM
            )


class Service(Child):
    """PostgreSQL or Valkey, which may also be the child of another command of this checkout."""

    def __init__(self, server: Server) -> None:
        super().__init__(server.name, server.log)
        self.server = server
        self.stop_signal = server.stop_signal

    @property
    def process(self) -> subprocess.Popen[bytes] | None:
        return self.server.process

    def launch(self, waiting: Waiting) -> None:
        self.server.start(waiting.pause)

    def end(self) -> str | None:
        if self.process is None and self.server.state() is State.ABSENT:
            return "was stopped by the command that had started it"
        return super().end()


def supervise(children: Sequence[Child], waiting: Waiting) -> None:
    """Keep them running until Stop."""
    while True:
        waiting.pause(min(child.tend(waiting) for child in children))


def shut_down(groups: Sequence[Sequence[Child]], waiting: Waiting) -> None:
    """Stop one group after the other. A second Stop ends the waiting for a group and kills it."""
    for group in groups:
        for child in group:
            if child.process and child.end() is None:
                child.process.send_signal(child.stop_signal)
        started, reported = time.monotonic(), False
        with contextlib.suppress(Stop):
            while busy := [child.name for child in group if child.process and child.end() is None]:
                waited = time.monotonic() - started
                if waited > STOPPING:
                    break
                if waited > REPORTING and not reported:
                    say(f"Waiting up to {STOPPING:.0f} s for {', '.join(busy)}. Ctrl-C hurries.")
                    reported = True
                waiting.pause(0.1)
        for child in group:
            child.kill()
