"""Runs the simulator until it is stopped."""

from __future__ import annotations

import os
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from providers.samples.simulator.__main__ import PORT, is_allowed

# Drawing takes and gives back megabytes all the time; with one arena and mmap the C library really gives them back.
SMALL = {"MALLOC_ARENA_MAX": "1", "MALLOC_MMAP_THRESHOLD_": "131072"}


class Command(BaseCommand):
    help = "Serves simulated providers on this machine: fal, Replicate and OpenAI on the wire, sample images inside."
    requires_system_checks: list[str] = []  # it needs no database, and has to be up at once

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="a loopback address (127.0.0.1)")
        parser.add_argument("--port", type=int, default=PORT, help=f"{PORT}; 0 takes a free one")
        parser.add_argument("--pace", type=float, default=1.0, help="below 1 the simulated work is quicker")

        parser.add_argument("--job-log", default="", help="a file that makes jobs survive this process")

    def handle(self, *args: Any, host: str, port: int, pace: float, job_log: str, **options: Any) -> None:
        if not is_allowed(host):
            raise CommandError(f"--host {host}: the simulator has no locks on its doors. Use a loopback address.")
        # Django is 40 MB that the simulator has no use for, so it takes over this process instead of living in it.
        program = [sys.executable, "-m", "providers.samples.simulator"]
        arguments = ["--host", host, "--port", str(port), "--pace", str(pace)]
        arguments += ["--job-log", job_log] if job_log else []
        os.execve(  # noqa: S606 – no shell, and nothing of it comes from outside
            sys.executable, [*program, *arguments], os.environ | SMALL
        )
