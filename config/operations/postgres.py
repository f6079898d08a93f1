"""PostgreSQL's own programs, run on the site's database or on another one of the same server."""

from __future__ import annotations

import os
import shutil
import subprocess

from django.db import connection


class ProgramFailed(Exception):
    """A program of PostgreSQL is missing or ended with an error; the message has its last lines."""


def run(program: str, *arguments: str, database: str | None = None) -> str:
    """Run pg_dump, pg_restore or psql; return its output. The password is in its environment, not in its arguments."""
    settings = connection.settings_dict
    variables = {
        "PGHOST": settings["HOST"],
        "PGPORT": settings["PORT"],
        "PGUSER": settings["USER"],
        "PGPASSWORD": settings["PASSWORD"],
        "PGDATABASE": database or settings["NAME"],
        "PGSSLMODE": settings["OPTIONS"].get("sslmode", ""),
        "PGSSLROOTCERT": settings["OPTIONS"].get("sslrootcert", ""),
    }
    if shutil.which(program) is None:
        raise ProgramFailed(f"{program} was not found. Install PostgreSQL's client programs, of the server's version.")
    environment = os.environ | {name: str(value) for name, value in variables.items() if value}
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ProgramFailed(f"{program} failed:\n" + "\n".join(done.stderr.splitlines()[-10:]))
    return done.stdout
