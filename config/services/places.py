"""Where the services of one checkout keep their things, and who runs them."""

import contextlib
import hashlib
import os
import pwd
import secrets
import stat
import tempfile
import time
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

    def knows_data(self) -> bool:
        """Whether the data were written for this checkout. For root they outlive it, and are named by its path alone.

        A new clone at the same path would get the old rows without their images, which lay in var/.
        """
        if not self.lends_data() or not any((self.data / name).exists() for name in ("postgres", "valkey")):
            return True
        if (theirs := word(self.data / "checkout")) is None:  # of a version that left no word
            return (self.var / "services.txt").exists()
        return theirs == word(self.var / "checkout")

    def mark_data(self) -> None:
        """Leave the same random word with the data and in var/: they belong together."""
        if not self.lends_data():
            return
        ours = word(self.var / "checkout") or secrets.token_hex(16)
        for home in (self.var, self.data):
            if word(home / "checkout") != ours:
                (home / "checkout").unlink(missing_ok=True)
                with open(os.open(home / "checkout", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    file.write(ours)
        (self.var / "services.txt").write_text(f"PostgreSQL and Valkey keep their data in {self.data}\n")

    def set_data_aside(self) -> Path:
        """Make room, and lose nobody's votes: where the data lie now."""
        aside = self.data.with_name(f"{self.data.name}-{time.strftime('%Y-%m-%d-%H%M%S')}")
        self.data.rename(aside)
        self.own(self.data)
        with contextlib.suppress(FileNotFoundError):
            (aside / "programs").rename(self.data / "programs")  # copies, which nobody needs twice
        return aside

    def lends_data(self) -> bool:
        """Whether the data lie apart from the checkout, because another account writes them."""
        return self.data != self.var and not self.temporary

    def own(self, path: Path) -> None:
        """Make a directory that only its owner enters – or refuse: below /tmp anybody could have been there first."""
        path.mkdir(mode=0o700, exist_ok=True)
        status, owner = path.lstat(), self.account.pw_uid if self.account else os.geteuid()
        if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (owner, os.geteuid()):
            raise ServiceError(f"{path} belongs to somebody else. Remove it, or set DATABASE_URL and REDIS_URL.")
        if status.st_uid == os.geteuid():  # never touch what `nobody` could meanwhile exchange for a link
            path.chmod(0o700)
            if self.account:
                os.chown(path, self.account.pw_uid, self.account.pw_gid)


def word(path: Path) -> str | None:
    """What the file says, if it is one: in a directory of `nobody` it could be a link to anywhere."""
    try:
        with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)) as file:
            return file.read(100)
    except OSError:
        return None


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
