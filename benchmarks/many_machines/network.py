"""Hosts as network namespaces of Linux, on one bridge, in a world that ends with the process that made it.

Everything is in a network, mount and process namespace of our own: nothing of it has a name outside, no address can be
reached from outside, and the kernel removes all of it – processes too – when we end, by kill -9 as well.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

NETWORK = "10.77.0"
OURS = f"{NETWORK}.1"  # the address of this process on the bridge
BRIDGE = "lan"
NAMES = Path("/run/netns")  # where `ip` keeps them; ours are in a file system of our own there
ISOLATE = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]


def obstacle() -> str:
    """Why this machine cannot do it; empty when it can."""
    if sys.platform != "linux" or os.geteuid() != 0:
        return "network namespaces need Linux and root"
    if missing := [program for program in ("ip", "unshare", "setpriv", "mount") if shutil.which(program) is None]:
        return f"not on this machine: {', '.join(missing)}"
    script = "ip link add lan type bridge && ip link add one type veth peer name other && mkdir -p /run/netns"
    tried = subprocess.run([*ISOLATE, "sh", "-c", script], capture_output=True, text=True, check=False)
    return tried.stderr.strip() if tried.returncode else ""


def isolated(module: str, arguments: Sequence[str]) -> None:
    """Run a module in a world of its own, in place of this process."""
    os.execvp(ISOLATE[0], [*ISOLATE, sys.executable, "-m", module, *arguments])


def create_bridge(home: Path) -> None:
    """The network of the hosts, and a file system in memory for what they write: both end with us."""
    home.mkdir(exist_ok=True)
    for path in (NAMES, home):
        _run("mount", "-t", "tmpfs", "tmpfs", str(path))
    home.chmod(0o711)  # the database's account has to reach its folder
    _run("ip", "link", "set", "lo", "up")
    _run("ip", "link", "add", BRIDGE, "type", "bridge")
    _run("ip", "address", "add", f"{OURS}/24", "dev", BRIDGE)
    _run("ip", "link", "set", BRIDGE, "up")


@dataclass(frozen=True)
class Host:
    """A machine with one address on the bridge."""

    name: str  # at most 15 characters: it is also the name of the bridge's port
    number: int  # the last part of the address

    @property
    def address(self) -> str:
        return f"{NETWORK}.{self.number}"

    def create(self) -> None:
        _run("ip", "netns", "add", self.name)
        _run("ip", "link", "add", self.name, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _run("ip", "link", "set", self.name, "master", BRIDGE, "up")
        _run("ip", "-n", self.name, "address", "add", f"{self.address}/24", "dev", "eth0")
        for device in ("lo", "eth0"):
            _run("ip", "-n", self.name, "link", "set", device, "up")

    def command(self, argv: Sequence[str | Path]) -> list[str | Path]:
        """The command that runs this one on the host."""
        return ["ip", "netns", "exec", self.name, *argv]

    def cut_off(self) -> None:
        """Pull the cable: packets vanish, and neither side notices."""
        _run("ip", "link", "set", self.name, "down")

    def join(self) -> None:
        _run("ip", "link", "set", self.name, "up")


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True)
