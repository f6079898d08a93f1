"""Where the server programs are: in a wheel of this environment, or on the machine."""

import importlib.util
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from pathlib import Path

from config.services.processes import StrPath, spawn


def find(
    package: str, pattern: str, on_machine: Iterable[Path], data: Path, account: pwd.struct_passwd | None
) -> Path | None:
    """The first program that runs: of the wheel, of a copy of the wheel that `account` can reach, of the machine."""

    def candidates() -> Iterator[Path]:
        spec = importlib.util.find_spec(package)  # looks for the package without running any of it
        if spec and spec.origin:
            home = Path(spec.origin).parent
            for program in home.glob(pattern):
                yield program
                if account:
                    yield copy_package(home, data, account) / program.relative_to(home)
        yield from on_machine

    return next((program for program in candidates() if runs(program, account)), None)


def runs(program: Path, account: pwd.struct_passwd | None) -> bool:
    command: list[StrPath] = [program, "--version"]
    try:
        return not spawn(command, environment={}, output=subprocess.DEVNULL, cwd=Path("/"), account=account).wait()
    except OSError:
        return False


def copy_package(home: Path, data: Path, account: pwd.struct_passwd) -> Path:
    """An environment below /root is closed to `nobody`: give it a copy instead of opening somebody's directories."""
    target = data / "programs" / home.name / str(home.stat().st_mtime_ns)
    if not target.exists():
        shutil.rmtree(target.parent, ignore_errors=True)  # of an older version, or of an interrupted copy
        fresh = target.with_suffix(".new")
        for part in (home, home.with_name(f"{home.name}.libs")):  # where a wheel puts the libraries it links to
            if part.is_dir():
                shutil.copytree(part, fresh / part.name, ignore=shutil.ignore_patterns("include", "__pycache__"))
        for path in (target.parent.parent, target.parent, fresh, *fresh.rglob("*")):
            os.chown(path, account.pw_uid, account.pw_gid)
        fresh.rename(target)
    return target / home.name


def postgres_on_machine() -> Iterator[Path]:
    if path := shutil.which("postgres"):
        yield Path(path).resolve()  # initdb lies beside the file, not always beside a link to it
    if config := shutil.which("pg_config"):
        bindir = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=False).stdout.strip()
        if bindir:
            yield Path(bindir, "postgres")
    for pattern in ("usr/lib/postgresql/*", "opt/homebrew/opt/postgresql*", "usr/local/opt/postgresql*"):
        yield from sorted(Path("/").glob(f"{pattern}/bin/postgres"), reverse=True)  # the newest version first


def valkey_on_machine() -> Iterator[Path]:
    """Redis will do where it is what the machine has: nothing here needs what only one of the two can."""
    yield from (Path(path).resolve() for name in ("valkey-server", "redis-server") if (path := shutil.which(name)))
