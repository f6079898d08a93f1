"""What bin/demo does before the site starts – in one process, because starting Django takes longer than most of it.

    python -m config.demo.prepare [--no-seed]

Every step is idempotent. Its name and duration go to the terminal, its own output to standard error.
"""

import hashlib
import os
import secrets
import sys
from pathlib import Path

import django
from django.conf import settings
from django.core.management import call_command

from config.demo.supervisor import timed


def main(arguments: list[str]) -> None:
    terminal = os.fdopen(os.dup(sys.stdout.fileno()), "w")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # commands print, and programs that they start

    with timed("Django", terminal):
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        django.setup()
    with timed("database schema", terminal):
        call_command("migrate", interactive=False)
        create_admin(Path(settings.VAR_DIR, "admin_login"))
    with timed("static files", terminal):
        collect_static(Path(settings.STATIC_ROOT))
    with timed("catalogue of models", terminal):
        call_command("load_catalog")
    if "--no-seed" not in arguments:
        with timed("sample competitions", terminal):
            call_command("seed_demo")


def create_admin(note: Path) -> None:
    """Somebody who may enter /admin/. The password is random: a demo can be opened to a network with --host."""
    from django.contrib.auth.models import User

    if not User.objects.filter(is_superuser=True).exists():
        password = secrets.token_urlsafe(9)
        with open(os.open(note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            file.write(f"user admin, password {password}")
        User.objects.create_superuser("admin", password=password)


def collect_static(root: Path) -> None:
    """Hash and compress the static files, unless all are as they were: it takes seconds."""
    stamp, sources = root / ".sources", static_sources()
    if not stamp.exists() or stamp.read_text() != sources:
        call_command("collectstatic", interactive=False)
        stamp.write_text(sources)


def static_sources() -> str:
    from django.contrib.staticfiles.finders import get_finders

    digest = hashlib.sha256(Path("config", "storage.py").read_bytes())  # how they are hashed is part of what they are
    for finder in get_finders():
        for path, storage in finder.list(None):
            status = os.stat(storage.path(path))
            digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    return digest.hexdigest()


if __name__ == "__main__":
    main(sys.argv[1:])
