"""What Dockerfile, compose.yaml, units and documents start exists, with these options, and gets known variables."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.test_settings import in_example

ROOT = Path(__file__).parents[1]
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text())
DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text()
UNITS = sorted((ROOT / "docs" / "systemd").glob("*.service"))
OURS = {"VAR_DIR", "MALLOC_ARENA_MAX", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "RES_OPTIONS"}


def commands() -> list[list[str]]:
    """Every command line that starts granian or Celery."""
    raw = [service["command"] for service in COMPOSE["services"].values() if "command" in service]
    raw += [shlex.split(re.findall(r"^ExecStart=(.*)$", unit.read_text(), re.MULTILINE)[0]) for unit in UNITS]
    raw.append(yaml.safe_load(re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)[0]))
    raw += [shlex.split(line) for line in re.findall(r"`(?:\w+=\S+ )*((?:granian|celery) [^`]*)`", DEPLOYMENT)]
    lines = [[Path(line[0]).name, *line[1:]] for line in raw]
    return [line for line in lines if line[0] in ("granian", "celery")]


@pytest.mark.parametrize("program", ["granian", "celery worker", "celery beat"])
def test_every_option_exists(program):
    name, *part = program.split()
    module = ["-m", name, *(["-A", "config"] if part else []), *part]
    shown = subprocess.run([sys.executable, *module, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = [line for line in commands() if line[0] == name and all(word in line for word in part)]
    assert len(lines) >= 3
    for line in lines:
        for option in line[line.index(part[0]) + 1 if part else 1 :]:
            if option.startswith("-"):
                assert re.search(rf"(?<![\w-]){option}\b", shown.stdout), f"{program} has no {option}"
    for line in lines:
        if name == "granian":
            assert line[-1] == "config.asgi:application"


def test_web_processes_are_started_with_the_same_options_everywhere():
    """But for the address: what bounds a hostile client in one place does so in the others."""
    options = set()
    for line in commands():
        if line[0] == "granian":
            at = line.index("--host")
            options.add((*line[:at], *line[at + 2 :]))
    assert len(options) == 1


def test_containers_get_only_variables_that_are_read():
    for name, service in COMPOSE["services"].items():
        if service.get("image") == "image-arena":
            assert set(service["environment"]) <= set(in_example()), name
    environment = re.findall(
        r"\b([A-Z_]{3,})=", "".join(re.findall(r"(?ms)^ENV .*?[^\\]$", (ROOT / "Dockerfile").read_text()))
    )
    assert set(environment) - {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE"} == OURS


def test_glibc_is_set_alike_in_containers_units_and_by_the_book():
    """Without these settings a soak of hostile forms took an eighth more memory with every round, and a silent name
    server held a request for 10 s."""
    settings = re.search(r"MALLOC_ARENA_MAX=[^`]+RES_OPTIONS=[\w:]+", DEPLOYMENT)
    assert settings is not None
    places = [ROOT / "Dockerfile", *(unit for unit in UNITS if "beat" not in unit.name)]
    assert len(places) == 3
    for place in places:
        assert settings[0] in place.read_text(), place.name


def test_an_empty_var_dir_in_the_env_file_leads_to_the_volumes_of_the_containers():
    """`env_file` takes the place of the image's own variables, and .env.example names each with an empty value."""
    assert "VAR_DIR" in in_example()
    assert "RUN ln -s /var/lib/arena /app/var\n" in (ROOT / "Dockerfile").read_text()
    volumes = [volume.split(":")[1] for volume in COMPOSE["services"]["web"]["volumes"]]
    assert all(Path(volume).is_relative_to("/var/lib/arena") for volume in volumes)


def test_the_image_can_back_up_the_database_beside_it():
    """pg_dump refuses a server that is later than itself."""
    client = re.search(r"\bpostgresql-client-(\d+)\b", (ROOT / "Dockerfile").read_text())
    server = re.fullmatch(r"postgres:(\d+)", COMPOSE["services"]["postgres"]["image"])
    assert client is not None
    assert server is not None
    assert int(server[1]) <= int(client[1])


def test_every_process_restarts_and_has_time_to_end():
    services = COMPOSE["services"]
    assert {"web", "worker", "beat", "postgres", "valkey", "proxy"} < set(services)
    assert all(service["restart"] == "always" for name, service in services.items() if name != "prepare")
    for unit in UNITS:
        text = unit.read_text()
        assert "Restart=always" in text
        assert "User=arena" in text
        # systemd's 1,024 are fewer than the connections that granian takes, or a worker's threads open.
        assert "beat" in unit.name or int(re.findall(r"^LimitNOFILE=(\d+)$", text, re.MULTILINE)[0]) >= 16384
    assert "USER 10001" in (ROOT / "Dockerfile").read_text()


def test_the_production_lock_leaves_out_the_demo_and_nothing_else():
    def names(text: str) -> set[str]:
        return set(re.findall(r"^([A-Za-z0-9._-]+)==", text, re.MULTILINE))

    shown = subprocess.run([ROOT / "bin" / "requirements"], capture_output=True, text=True, check=True).stdout
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    demo = {re.split(r"[=<>\[]", line)[0] for line in project["optional-dependencies"]["demo"]}
    assert names((ROOT / "requirements.txt").read_text()) - names(shown) == demo
    assert {re.split(r"[=<>\[]", line)[0] for line in project["dependencies"]} <= names(shown)
    assert shown.count("--hash=") >= len(names(shown))
