"""What runs on the hosts: PostgreSQL, Valkey, an S3 server, and the site's own processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.many_machines.network import NETWORK, Host
from config.services.places import CHECKOUT, Place
from config.services.processes import StrPath, open_log, spawn
from config.services.servers import Postgres, Server, Valkey

STORE_KEY, STORE_SECRET, BUCKET = "arena", "secret-of-the-store", "images"
STOP_SECONDS = 60.0


class OnHost(Server):
    """A server of bin/demo, on a host of its own and reached over the network."""

    host: Host

    def spawn(self, command: Sequence[StrPath]) -> subprocess.Popen[bytes]:
        account = self.place.account
        assert account  # only root makes hosts
        drop = ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", *command]
        with open_log(self.log) as log:
            environment = {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"}
            return spawn(self.host.command(drop), environment=environment, output=log, cwd=self.place.data)


class Database(OnHost, Postgres):
    def __init__(self, place: Place, host: Host) -> None:
        super().__init__(place)
        self.host = host

    @property
    def url(self) -> str:
        return f"postgresql://arena@{self.host.address}/arena"

    def prepare(self, pause: object = None) -> None:
        super().prepare(pause)  # type: ignore[arg-type]
        with (self.data / "pg_hba.conf").open("a") as rules:
            rules.write(f"host all all {NETWORK}.0/24 trust\n")

    def command(self) -> list[StrPath]:
        return [*super().command(), f"--listen_addresses={self.host.address}"]

    def restore(self, dump: Path) -> None:
        """Begin with what pg_dump wrote in its custom format."""
        program = self.program.with_name("pg_restore")
        subprocess.run([program, "--no-owner", "--no-privileges", "--dbname", self.url, dump], check=True)


class Broker(OnHost, Valkey):
    def __init__(self, place: Place, host: Host) -> None:
        super().__init__(place)
        self.host = host

    @property
    def url(self) -> str:
        return f"redis://{self.host.address}:6379/0"

    def command(self) -> list[StrPath]:
        return [*super().command(), "--port", "6379", "--bind", self.host.address, "--protected-mode", "no"]


class Machine:
    """A process of the site on a host, started again as systemd would."""

    def __init__(self, host: Host, command: Sequence[str], environment: Mapping[str, str], home: Path) -> None:
        self.host, self.argv, self.environment = host, command, environment
        self.log = home / "log" / f"{host.name}.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self.log.parent.mkdir(exist_ok=True)
        with open_log(self.log) as log:
            argv = self.host.command(self.argv)
            self.process = spawn(argv, environment=self.environment, output=log, cwd=CHECKOUT)

    def kill(self) -> None:
        """kill -9 of every process on the host that belongs to it."""
        assert self.process
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        """SIGTERM, as a deploy does."""
        assert self.process
        self.process.terminate()
        self.process.wait(STOP_SECONDS)


def store(host: Host, home: Path) -> Machine:
    """An S3 server with an empty bucket."""
    (home / "s3" / BUCKET).mkdir(parents=True)
    command = [str(Path(sys.executable).with_name("rclone")), "serve", "s3", str(home / "s3")]
    command += ["--addr", f"{host.address}:9000", "--config", "/dev/null", "--auth-key", f"{STORE_KEY},{STORE_SECRET}"]
    command += ["--vfs-cache-mode", "off", "--dir-cache-time", "1ms", "--log-level", "ERROR"]
    return Machine(host, command, dict(os.environ), home)


def store_url(host: Host) -> str:
    return f"s3://{STORE_KEY}:{STORE_SECRET}@{host.address}:9000/{BUCKET}?tls=0"


def page(host: Host, environment: Mapping[str, str], home: Path) -> Machine:
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "1", "--no-ws"]
    command += ["--host", host.address, "--port", "8000", "--backlog", "4096", "--log-level", "warning"]
    return Machine(host, [*command, "config.asgi:application"], environment, home)


def worker(host: Host, environment: Mapping[str, str], home: Path) -> Machine:
    command = ["nice", sys.executable, "-m", "celery", "-A", "config", "worker", "-P", "threads", "-c", "4"]
    command += ["--without-gossip", "--without-mingle", "-l", "warning", "--hostname", f"worker@{host.name}"]
    return Machine(host, command, {**environment, "DATABASE_POOL": "4", "ARENA_PROCESS": "worker"}, home)


def beat(host: Host, environment: Mapping[str, str], home: Path) -> Machine:
    command = [sys.executable, "-m", "celery", "-A", "config", "beat", "-s", str(home / f"{host.name}.schedule")]
    return Machine(host, [*command, "--pidfile=", "-l", "warning"], {**environment, "ARENA_PROCESS": "worker"}, home)


def provider(host: Host, home: Path) -> Machine:
    """Simulated providers listen on loopback alone: each worker's host has its own."""
    command = ["nice", sys.executable, "-m", "providers.samples.simulator", "--port", "8100", "--pace", "0.5"]
    return Machine(host, command, {**os.environ, "MALLOC_ARENA_MAX": "1"}, home)
