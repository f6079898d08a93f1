"""The site under test: bin/demo in a folder of its own, and which of its processes is which."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from benchmarks.memory import command, tree
from config.demo import ports
from config.services.places import CHECKOUT, Place

START_SECONDS = 600.0
STORE_MB, DATABASE_MB = 400, 900


class Disk:
    """A small file system in memory that can be filled up."""

    def __init__(self, path: Path, megabytes: int) -> None:
        path.mkdir(parents=True, exist_ok=True)
        self.path, self.ballast = path, path / ".ballast"
        options = ["-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path)]
        self.is_mounted = os.geteuid() == 0 and not subprocess.run(["mount", *options], capture_output=True).returncode

    def fill(self) -> None:
        """Leave no free byte."""
        size, step = 0, 64 << 20
        with self.ballast.open("wb") as file:
            while step >= 512:
                try:
                    os.posix_fallocate(file.fileno(), size, step)
                    size += step
                except OSError:
                    step //= 2

    def empty(self) -> None:
        self.ballast.unlink(missing_ok=True)

    def unmount(self) -> None:
        if self.is_mounted:
            subprocess.run(["umount", "--lazy", str(self.path)], check=False)


# Short leases, so that what a killed worker held is due again while we watch.
SHORT_LEASES = {
    "GENERATION_TIME_LIMIT": "15", "GENERATION_LEASE_GRACE": "2", "GENERATION_BACKOFF": "1", "GENERATION_ATTEMPTS": "30",
    "GENERATION_CHARGED_BACKOFF": "5",
}  # fmt: skip


class Site:
    """`settings` are those it starts with, beside what lets our voters vote."""

    def __init__(self, settings: Mapping[str, str] = SHORT_LEASES) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="arena-chaos-"))
        self.port = ports.any_free()
        for name in ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "MEDIA_ROOT"):
            os.environ.pop(name, None)
        os.environ |= {
            **settings, "VAR_DIR": str(self.home / "var"), "ARENA_PROCESS": "", "NETWORK_NEW_VOTERS": "0",
            "NETWORK_PREFIX_NEW_VOTERS": "0", "VOTE_NEEDS_IMAGES": "0", "VOTE_MIN_SECONDS": "0",
        }  # fmt: skip
        self.environment = dict(os.environ)
        self.place = Place.of_checkout()
        self.store = Disk(self.home / "var" / "media", STORE_MB)
        self.database = Disk(self.place.data, DATABASE_MB)
        self.process: subprocess.Popen[bytes] | None = None
        self.log = (self.home / "demo.log").open("ab")

    def start(self) -> None:
        """Start bin/demo and come back when it serves pages."""
        arguments = ["-m", "config.demo", "--port", str(self.port), "--no-seed"]
        self.process = subprocess.Popen(
            [sys.executable, *arguments], cwd=CHECKOUT, env=self.environment, stdout=self.log, stderr=self.log,
            start_new_session=True,
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if time.monotonic() > deadline or self.process.poll() is not None:
                sys.exit((self.home / "demo.log").read_text()[-4000:])
            time.sleep(0.1)

    def is_ready(self) -> bool:
        return ports.answers("127.0.0.1", self.port, "/readyz")

    def parts(self) -> dict[str, str]:
        """What /readyz says."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=10) as reply:
                return dict(json.load(reply))
        except urllib.error.HTTPError as error:
            with contextlib.suppress(ValueError):
                return dict(json.load(error))
            return {"readyz": str(error)}
        except OSError as error:
            return {"readyz": str(error)}

    def configure_django(self) -> None:
        """Let this process read the site's rows."""
        sockets = self.place.sockets
        os.environ |= {
            "DATABASE_URL": f"postgresql://arena@{quote(str(sockets), safe='')}/arena",
            "REDIS_URL": f"unix://{sockets}/valkey.sock?db=0",
            "SECRET_KEY": (self.place.var / "secret_key").read_text(),
            "DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "ERROR",
            "SIMULATOR_URL": "http://127.0.0.1:1",  # known, so that its offerings are candidates; called by the worker
        }  # fmt: skip
        import django

        django.setup()

    def pids(self, name: str) -> list[int]:
        """Processes of a part of the site; none while it is being started again."""
        assert self.process is not None
        if name == "supervisor":
            return [self.process.pid]
        if name == "postmaster":
            with contextlib.suppress(OSError, ValueError):
                return [int((self.place.data / "postgres" / "postmaster.pid").read_text().splitlines()[0])]
            return []
        if name == "postgres":
            return [pid for main in self.pids("postmaster") for pid in _tree(main)]
        programs = {
            "web": "config.asgi", "worker": "config.demo.worker", "provider": "providers.samples.simulator",
            "valkey": "valkey",
        }  # fmt: skip
        return [pid for pid in _tree(self.process.pid)[1:] if programs[name] in _command(pid)]

    def backends(self, kind: str) -> list[int]:
        """Postgres' processes by what they call themselves in the list of processes."""
        return [pid for pid in self.pids("postgres") if kind in _command(pid)]

    def stop(self) -> int | None:
        """SIGTERM; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            return None

    def await_end(self) -> None:
        """After the supervisor's death: until nothing of it is left on the port."""
        assert self.process is not None
        self.process.wait()
        deadline = time.monotonic() + 30
        while ports.answers("127.0.0.1", self.port, "/healthz") and time.monotonic() < deadline:
            time.sleep(0.05)

    def remove(self) -> None:
        self.log.close()
        for disk in (self.store, self.database):
            disk.unmount()
        for path in (self.home, self.place.data, self.place.sockets):
            shutil.rmtree(path, ignore_errors=True)


def _tree(pid: int) -> list[int]:
    try:
        return tree(pid)
    except OSError:
        return [pid]


def _command(pid: int) -> str:
    try:
        return command(pid)
    except OSError:
        return ""
