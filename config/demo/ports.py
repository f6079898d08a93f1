"""The demo's port: finding one, reserving it, checking whether a server answers there."""

import contextlib
import errno
import socket
from collections.abc import Iterator
from pathlib import Path

from config.services.places import ServiceError

DEFAULT = 8000
LOOPBACK = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 – where we reach what listens everywhere


@contextlib.contextmanager
def reserved(host: str, requested: int | None) -> Iterator[int]:
    """A port that stays ours: the requested one, or the first from 8000 that is free.

    Granian shares its port with any program that is willing to (SO_REUSEPORT), so two demos on one port would not
    notice and each answer half of the requests. Hence we look without that option, then hold the port with it – without
    listening, so every connection still goes to Granian.
    """
    for port in [requested] if requested is not None else range(DEFAULT, DEFAULT + 100):
        try:
            with bound(host, port, socket.SO_REUSEADDR):
                pass
            holder = bound(host, port, socket.SO_REUSEPORT)
        except OSError as error:
            if requested is None and error.errno == errno.EADDRINUSE:
                continue
            raise ServiceError(f"Port {port} of {host} cannot be used: {error.strerror}") from error
        with holder:
            yield holder.getsockname()[1]  # 0 asks for any
        return
    raise ServiceError(f"None of the hundred ports from {DEFAULT} is free. Choose one with --port.")


def bound(host: str, port: int, option: int) -> socket.socket:
    """A socket with this option at this port. Raises OSError where it is taken."""
    opened = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    try:
        opened.setsockopt(socket.SOL_SOCKET, option, 1)
        opened.bind((host, port))
    except OSError:
        opened.close()
        raise
    return opened


def number(text: str) -> int:
    """A port from text. Raises ValueError for anything else."""
    if not 0 <= int(text) <= 65535:
        raise ValueError
    return int(text)


def any_free() -> int:
    with bound("127.0.0.1", 0, socket.SO_REUSEADDR) as probe:
        port: int = probe.getsockname()[1]
        return port


def stored(file: Path) -> int:
    """The port that the file names, if it is still free; else another one, which it names from now on."""
    with contextlib.suppress(OSError, ValueError, OverflowError):
        port = int(file.read_text())
        with bound("127.0.0.1", port, socket.SO_REUSEADDR):
            return port
    port = any_free()
    file.write_text(str(port))
    return port


def url(host: str, port: int) -> str:
    name = LOOPBACK.get(host, host)
    return f"http://[{name}]:{port}/" if ":" in name else f"http://{name}:{port}/"


def answers(host: str, port: int, path: str) -> bool:
    """Whether a GET succeeds. By hand, because urllib would ask a proxy and stay in memory with 8 MB."""
    try:
        with socket.create_connection((LOOPBACK.get(host, host), port), timeout=5) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            return int(connection.recv(64).split()[1]) < 400
    except (OSError, ValueError, IndexError):
        return False
