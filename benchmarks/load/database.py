"""A database of its own, filled with images, and the site that serves it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.parse
import uuid
from collections.abc import Iterator

MODELS, PROMPTS = 8, 30
CATEGORY = "load"
PAGE = f"/arena/{CATEGORY}/"


@contextlib.contextmanager
def database() -> Iterator[str]:
    """A filled database beside the configured one, which Django uses meanwhile."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    import django
    from django.conf import settings

    home = settings.DATABASES["default"]["NAME"]
    name = f"{home}_benchmark_load"
    django.setup()
    from django.core.management import call_command
    from django.db import connection

    def recreate(*statements: str) -> None:
        connection.close()
        connection.settings_dict["NAME"] = home
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)
        connection.close()
        connection.settings_dict["NAME"] = name

    recreate(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)', f'CREATE DATABASE "{name}"')
    try:
        print("filling a database …", file=sys.stderr)
        call_command("migrate", verbosity=0)
        fill()
        yield name
    finally:
        recreate(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def fill() -> None:
    """A category with images of every model on every prompt. Nobody loads their files here."""
    from django.utils import timezone

    from arena.models import Category, Competition, Entry, Generation, Prompt
    from providers.models import ImageModel, Lab

    now = timezone.now()
    category = Category.objects.create(slug=CATEGORY, name="Load", mode="text-to-image")
    competition = Competition.objects.create(
        category=category, slug="load", title="Load", criterion="nothing", is_published=True
    )
    lab = Lab.objects.create(slug="load", name="Load")
    models = [
        ImageModel.objects.create(
            slug=f"load-{n}", name=f"Model {n}", lab=lab, origin="sample", modes=["text-to-image"]
        )
        for n in range(MODELS)
    ]
    for number in range(PROMPTS):
        prompt = Prompt.objects.create(competition=competition, text=f"A picture of the number {number}")
        for model in models:
            done = Generation.objects.create(
                prompt=prompt, image_model=model, status="succeeded", attempt=1, started_at=now, finished_at=now
            )
            name = uuid.uuid4().hex
            Entry.objects.create(
                generation=done, prompt=prompt, image_model=model, width=1024, height=1024,
                image=f"b/{name}", small=f"s/{name}", thumbnail=f"public/{name}.webp", original=f"o/{name}",
            )  # fmt: skip


def environment_of(name: str) -> dict[str, str]:
    """Variables of the processes that work on this database."""
    parts = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
    return {
        **os.environ,
        "DATABASE_URL": parts._replace(path=parts.path.rpartition("/")[0] + f"/{name}").geturl(),
        "ALLOWED_HOSTS": "127.0.0.1",
        "LOG_LEVEL": "ERROR",
        "DEBUG": "",
        # As docs/deployment.md says: glibc gives back what large requests have taken.
        "MALLOC_ARENA_MAX": "2",
        "MALLOC_MMAP_THRESHOLD_": "262144",
        "MALLOC_TRIM_THRESHOLD_": "262144",
        # All voters are of one address, and look at nothing.
        "NETWORK_NEW_VOTERS": "0",
        "NETWORK_PREFIX_NEW_VOTERS": "0",
        "VOTE_NEEDS_IMAGES": "0",
        "VOTE_MIN_SECONDS": "0",
    }


@contextlib.contextmanager
def serving(name: str) -> Iterator[tuple[int, int]]:
    """The site's pages on a free port; its port and the id of its process group."""
    from django.db import connection

    environment = environment_of(name)
    connection.close()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "2",
        "--no-ws", "--backlog", "4096", "--log-level", "error", "config.asgi:application",
    ]  # fmt: skip
    with tempfile.TemporaryFile() as log, tempfile.TemporaryDirectory() as var:
        environment["VAR_DIR"] = var  # pages need their collected static files
        collect = [sys.executable, "manage.py", "collectstatic", "--noinput", "--verbosity", "0"]
        subprocess.run(collect, env=environment, check=True)
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, process_group=0)
        try:
            deadline = time.monotonic() + 60
            while True:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                    break
                if time.monotonic() > deadline or process.poll() is not None:
                    log.seek(0)
                    sys.exit(log.read().decode() or "The site does not start.")
                time.sleep(0.1)
            try:
                yield port, process.pid
            except SystemExit:
                log.seek(0)
                print(log.read().decode()[-4000:], file=sys.stderr)
                raise
        finally:
            process.terminate()
            process.wait(15)


def stored() -> int:
    from arena.models import Vote

    return int(Vote.objects.count())
