"""Child processes that cannot outlive us, and locks that cannot outlive their holder. Standard library only."""

import contextlib
import ctypes
import fcntl
import os
import pwd
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO

StrPath = str | Path
Pause = Callable[[float], None]  # how to wait: time.sleep, or something that listens for Ctrl-C meanwhile

LOG_LIMIT = 5 * 1024 * 1024
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None


def spawn(
    argv: Sequence[StrPath],
    *,
    environment: Mapping[str, str],
    output: IO[bytes] | int | None,
    errors: IO[bytes] | None = None,  # where they do not go the same way
    cwd: Path | None = None,
    account: pwd.struct_passwd | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
    foreground: bool = False,
) -> subprocess.Popen[bytes]:
    """Start a child which the kernel ends when we end, even by kill -9 (Linux only: other systems cannot do that).

    Unless it is in the foreground it has a process group of its own, so a Ctrl-C reaches us alone and the order of
    stopping is ours. It stays in our session: Linux divides the processors between sessions first (sched_autogroup),
    and `nice` counts within one only.
    Call it from the main thread: for the kernel "the parent died" means that the thread which forked has ended.
    """
    parent = os.getpid()

    def bind_to_parent() -> None:  # runs in the child after its change of user, which would undo the binding
        if LIBC:
            LIBC.prctl(PR_SET_PDEATHSIG, death_signal)
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return subprocess.Popen(
        argv,
        env=environment,
        cwd=cwd,
        stdin=None if foreground else subprocess.DEVNULL,
        stdout=output,
        stderr=errors or output,
        process_group=None if foreground else 0,
        preexec_fn=bind_to_parent,
        umask=0o077 if account else -1,
        user=account.pw_uid if account else None,
        group=account.pw_gid if account else None,
        extra_groups=[] if account else None,
    )


def started_with(pid: int) -> str:
    """What a process was started with; empty when it is gone, and for a zombie."""
    if sys.platform != "linux":
        listing = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
        return subprocess.run(listing, capture_output=True, text=True, check=False).stdout
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(errors="replace")
    except OSError:
        return ""


def open_log(path: Path) -> IO[bytes]:
    """A log to append to; what has grown beyond a few megabytes is set aside first."""
    rotate(path)
    return path.open("ab")


def rotate(path: Path) -> None:
    """Set aside what has grown beyond a few megabytes. Processes that append to the log go on at its new beginning."""
    with contextlib.suppress(FileNotFoundError):
        if path.stat().st_size > LOG_LIMIT:
            shutil.copyfile(path, path.with_name(f"{path.name}.1"))
            os.truncate(path, 0)


def tail(log: Path, lines: int = 10, since: int = 0) -> str:
    """The last lines of a log, of what was written after the first `since` bytes."""
    with log.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(since if since <= size else 0, size - 64 * 1024))  # it may have been set aside since
        return "\n".join(file.read().decode(errors="replace").splitlines()[-lines:])


@contextlib.contextmanager
def exclusive(path: Path, pause: Pause = time.sleep) -> Iterator[None]:
    """Wait for a lock file and hold it. The kernel frees it however its holder ends."""
    with path.open("a") as lock:
        while not try_lock(lock):
            pause(0.02)
        yield


def try_lock(file: IO[str]) -> bool:
    """Take the lock if it is free; False if another process or file object holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
