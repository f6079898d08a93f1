"""`python -m providers.samples.simulator`: serves until it is stopped. Imports no Django, to start at once."""

from __future__ import annotations

import argparse
import ipaddress
import signal
import sys
import threading
from pathlib import Path

from .server import Simulator

PORT = 8771


def is_allowed(host: str) -> bool:
    """Loopback addresses only: the simulator has no locks on its doors."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=PORT)
    parser.add_argument("--pace", type=float, default=1.0)
    parser.add_argument("--job-log", type=Path, help="a file that makes jobs survive this process")
    options = parser.parse_args(arguments)
    if not is_allowed(options.host):
        parser.error(f"--host {options.host}: use a loopback address.")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    try:
        simulator = Simulator(options.host, options.port, pace=options.pace, job_log=options.job_log)
    except OSError as error:
        parser.exit(1, f"Port {options.port} cannot be used: {error.strerror}. Choose another with --port.\n")
    with simulator:
        sys.stdout.write(f"Simulated providers at {simulator.url} (GET /journal says what was asked).\n")
        sys.stdout.flush()
        stop.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
