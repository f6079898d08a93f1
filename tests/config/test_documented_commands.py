"""The commands of docs/deployment.md, run as they are written, in a folder that looks like a server's."""

from __future__ import annotations

import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

from config.services.places import CHECKOUT
from providers.models import Offering
from tests.config.processes import clean_environment
from tests.providers.gateway.conftest import database_url

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
DEPLOYMENT = CHECKOUT / "docs" / "deployment.md"
# What needs the network, and what asks for a password.
ELSEWHERE = ("python3 -m venv", ".venv/bin/python manage.py createsuperuser")


def documented(heading: str) -> list[str]:
    """The lines of the first block of shell commands below a heading."""
    section = DEPLOYMENT.read_text().partition(f"\n## {heading}\n")[2]
    return section.partition("```sh\n")[2].partition("```")[0].splitlines()


def server(folder: Path) -> Path:
    """The checkout with an env file filled in, and an environment of packages that is there already."""
    for path in CHECKOUT.iterdir():
        if path.name not in (".env", ".venv", "var"):
            (folder / path.name).symlink_to(path)
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    values = {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "DATABASE_URL": f'"{database_url()}"',
        "REDIS_URL": f'"{settings.REDIS_URL}"',
        "VAR_DIR": f'"{folder / "var"}"',
        "HTTPS": "1",
        "ALLOWED_HOSTS": "arena.example.org",
    }
    text = (CHECKOUT / ".env.example").read_text()
    lines = [line for line in text.splitlines() if line.partition("=")[0] not in values]
    assert len(lines) == len(text.splitlines()) - len(values)
    lines += [f"{name}={value}" for name, value in values.items()]
    (folder / ".env").write_text("\n".join(lines) + "\n")
    return folder


def test_a_server_is_set_up_by_the_commands_as_they_are_written(tmp_path: Path):
    lines = documented("Once, without containers")
    commands = [line for line in lines if not line.startswith(ELSEWHERE)]
    assert len(lines) - len(commands) == len(ELSEWHERE)
    assert [line.split()[2] for line in commands[1:]] == ["check", "migrate", "collectstatic", "load_catalog"]
    done = subprocess.run(
        ["sh", "-e", "-c", "\n".join(commands)],
        cwd=server(tmp_path), env=clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "System check identified no issues" in done.stdout + done.stderr
    assert (tmp_path / "var" / "static" / "staticfiles.json").exists()
    assert Offering.objects.exists()
