"""Where the services of one checkout keep their things, and who runs them."""

import hashlib
import os
import pwd
import secrets
import stat
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.services.processes import exclusive

CHECKOUT = Path(__file__).resolve().parents[2]


class ServiceError(Exception):
    """A service cannot be had. The message says what to do."""


@dataclass(frozen=True)
class Place:
    var: Path  # the checkout's own: lock, logs, secret key
    data: Path  # what the servers write
    sockets: Path
    account: pwd.struct_passwd | None  # who runs the servers for root
    temporary: bool = False

    @classmethod
    def of_checkout(cls) -> "Place":
        var = Path(os.environ.get("VAR_DIR") or CHECKOUT / "var").resolve()
        name = hashlib.sha256(os.fsencode(var)).hexdigest()[:8]
        # /tmp and not TMPDIR: two shells that differ in it must find the same server.
        sockets = Path(f"/tmp/arena-{os.geteuid()}-{name}")  # noqa: S108 – own() checks whose it is
        account = unprivileged()
        # Not /var/tmp where there is a choice: systemd clears that of whatever was not touched for 30 days.
        state = Path("/var/lib") if Path("/var/lib").is_dir() else Path("/var/tmp")  # noqa: S108 – the same
        return cls(var, state / f"arena-{name}" if account else var, sockets, account)

    @classmethod
    def throwaway(cls) -> "Place":
        home = Path(tempfile.mkdtemp(prefix="arena-", dir="/tmp"))
        return cls(home / "var", home, home, unprivileged(), temporary=True)

    def create(self) -> None:
        self.own(self.sockets)
        if self.account:
            self.own(self.data)
        (self.var / "log").mkdir(parents=True, exist_ok=True)
        if self.data != self.var:
            (self.var / "services.txt").write_text(f"PostgreSQL and Valkey keep their data in {self.data}\n")

    def own(self, path: Path) -> None:
        """Make a directory that only its owner enters – or refuse: below /tmp anybody could have been there first."""
        path.mkdir(mode=0o700, exist_ok=True)
        found, owner = path.lstat(), self.account.pw_uid if self.account else os.geteuid()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid not in (owner, os.geteuid()):
            raise ServiceError(f"{path} belongs to somebody else. Remove it, or set DATABASE_URL and REDIS_URL.")
        if found.st_uid == os.geteuid():  # never touch what `nobody` could meanwhile exchange for a link
            path.chmod(0o700)
            if self.account:
                os.chown(path, self.account.pw_uid, self.account.pw_gid)


def unprivileged() -> pwd.struct_passwd | None:
    """For root, the account that owns nothing and exists everywhere."""
    return pwd.getpwnam("nobody") if os.geteuid() == 0 else None


def secret_key(var: Path) -> str:
    """Django's SECRET_KEY of this checkout: made once, so that a restart logs nobody out."""
    path = var / "secret_key"
    var.mkdir(parents=True, exist_ok=True)
    with exclusive(var / "services.lock"):
        if not path.exists():
            fresh = path.with_suffix(".new")
            with open(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(secrets.token_urlsafe(50))
            fresh.replace(path)
    return path.read_text()
