"""`.env.example`, the settings and the documents name the same variables, and a wrong or weak one stops the start."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import ssl
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.core.exceptions import ImproperlyConfigured
from kombu import Connection

import config.settings

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / ".env.example"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
# Set by our own programs, by nobody else.
INTERNAL = {"ARENA_DEMO", "ARENA_PROCESS"}
# One pattern for the variables of every provider.
PATTERNS = {f"{{}}_{limit}": f"FAL_{limit}" for limit in ("CONCURRENCY", "RATE", "BURST", "PAUSE")}
REQUIRED = {"SECRET_KEY": "0123456789abcdef" * 3, "DATABASE_URL": "postgresql://arena@127.0.0.1:1/arena"}


def read_by_settings() -> set[str]:
    """Names in calls like env("NAME"), and patterns like {}_RATE where the name is put together."""
    names = set()
    for path in (ROOT / "config").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id.startswith("env")):
                continue
            match node.args[:1]:
                case [ast.Constant(value=str(name))]:
                    names.add(name)
                case [ast.JoinedStr(values=parts)]:
                    names.add("".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in parts))
    return names


def in_example() -> dict[str, str]:
    """Variables and their values as `docker --env-file` reads them: everything behind the first equals sign."""
    lines = [line for line in EXAMPLE.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def load(**variables: str) -> SimpleNamespace:
    """The settings and their parts, imported with these variables and no others; for others they stay as they were."""
    with pytest.MonkeyPatch.context() as patch:
        for name in os.environ:
            patch.delenv(name)
        for name, value in variables.items():
            patch.setenv(name, value)
        for path in (ROOT / "config").glob("*settings.py"):
            patch.setattr(config, path.stem, getattr(config, path.stem))
            patch.delitem(sys.modules, f"config.{path.stem}")
        return SimpleNamespace(**vars(importlib.import_module("config.settings")))


def test_every_variable_is_in_the_example_and_every_one_in_the_example_is_read():
    read = {PATTERNS.get(name, name) for name in read_by_settings()} - INTERNAL
    assert len(read) > 50
    assert read - set(in_example()) == set()
    assert set(in_example()) - read == set()


def test_a_shell_systemd_and_docker_read_the_example_alike():
    """A shell and systemd remove quotes, Docker does not: our settings do it then. No comment stands behind a value."""
    dump = ["sh", "-c", 'set -a; . "$0"; exec "$@"', str(EXAMPLE), sys.executable, "-c"]
    dump.append("import json, os; print(json.dumps(dict(os.environ)))")
    shell = json.loads(subprocess.check_output(dump, env={"PATH": os.environ["PATH"]}, text=True))
    for name, value in in_example().items():
        quoted = re.fullmatch(r'"([^"$`\\]*)"', value)
        assert quoted or re.fullmatch(r"[\w.:/,@-]*", value), f"{name}={value}: quote it"
        assert shell[name] == (quoted[1] if quoted else value)
    assert load(**in_example() | REQUIRED).SITE_NAME == "Image Arena"


def test_an_empty_variable_is_one_that_is_not_set():
    emptied, unset = load(**dict.fromkeys(in_example(), "") | REQUIRED), load(**REQUIRED)
    assert emptied.CELERY_BROKER_URL == "redis://127.0.0.1:6379/0"
    for name, value in vars(unset).items():
        if name.isupper() and name not in ("PROVIDERS", "LOGGING"):
            assert getattr(emptied, name) == value, name


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("SECRET_KEY", "", "SECRET_KEY is not set"),
        ("SECRET_KEY", "short", "SECRET_KEY is too weak"),
        ("SECRET_KEY", "a" * 64, "SECRET_KEY is too weak"),
        ("DATABASE_URL", "", "DATABASE_URL is not set"),
        ("DATABASE_URL", "sqlite:///x", "DATABASE_URL is not a URL that begins with postgresql://"),
        ("DATABASE_URL", "abc", "DATABASE_URL is not a URL"),
        ("REDIS_URL", "amqp://guest@host", "REDIS_URL is not a URL that begins with redis://"),
        ("REDIS_URL", "redis://[::", "REDIS_URL is not a URL"),
        ("EMAIL_URL", "smtp://:25", "EMAIL_URL is not a URL .* has a host"),
        ("ALERT_WEBHOOK_URL", "hooks.example/abc", "ALERT_WEBHOOK_URL is not a URL"),
        ("OPENAI_BASE_URL", "https://host:port/v1", "OPENAI_BASE_URL is not a URL"),
        ("HTTPS", "perhaps", "is not a yes or no"),
        ("DATABASE_POOL", "-1", "DATABASE_POOL=-1 is not from 0"),
        ("GATEWAY_RATE", "0", "GATEWAY_RATE=0 is not from 1"),
        ("PAGE_THREADS", "9" * 20, "is not from 1 to"),
        ("DAILY_SPEND_CAP", "nan", "is not an amount"),
        ("UNKNOWN_PRICE_CEILING", "1e400", "is not an amount from 0 to 1000"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,proxy", "'proxy' is not a network"),
        ("LOG_LEVEL", "loud", "LOG_LEVEL='loud' is none of DEBUG"),
    ],
)
def test_a_wrong_or_weak_value_stops_the_start_with_a_sentence(name, value, message):
    with pytest.raises(ImproperlyConfigured, match=message):
        load(**REQUIRED | {name: value})


def test_whatever_stands_in_a_variable_stops_the_start_with_a_sentence_or_not_at_all():
    """Not with an error of a library, which names neither the variable nor what to write."""
    for name in in_example():
        for value in ("-1", "9" * 30, "http://[::", "https://h:x"):
            try:
                load(**REQUIRED | {name: value})
            except ImproperlyConfigured as error:
                assert name in str(error), (name, value)  # noqa: PT017 - the other outcome is that nothing is raised


def test_a_url_with_a_secret_in_it_is_not_repeated():
    with pytest.raises(ImproperlyConfigured) as error:
        load(**REQUIRED | {"ALERT_WEBHOOK_URL": "ftp://hooks.example/s3cret"})
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    ("url", "broker"),
    [
        ("rediss://h:6380/1", "rediss://h:6380/1?ssl_cert_reqs=required"),
        ("rediss://h/1?ssl_ca_certs=/ca.pem", "rediss://h/1?ssl_ca_certs=/ca.pem&ssl_cert_reqs=required"),
        ("rediss://h/1?ssl_cert_reqs=none", "rediss://h/1?ssl_cert_reqs=none"),
        ("unix:///run/valkey.sock?db=2", "redis+socket:///run/valkey.sock?virtual_host=2"),
    ],
)
def test_celery_verifies_the_certificate_of_its_broker_as_the_cache_does(url, broker):
    loaded = load(**REQUIRED, REDIS_URL=url)
    assert {"REDIS_URL": url, "CELERY_BROKER_URL": broker}.items() <= vars(loaded).items()
    if broker.endswith("required"):
        assert Connection(broker).ssl["ssl_cert_reqs"] is ssl.CERT_REQUIRED


def test_documents_name_no_setting_that_does_not_exist():
    code = "\n".join(path.read_text() for path in ROOT.glob("[!.]*/**/*.py"))
    known = set(in_example()) | INTERNAL | set(re.findall(r"\b[A-Z][A-Z0-9_]+\b", code))
    for document in DOCUMENTS:
        for span in re.findall(r"`([^`\n]+)`", document.read_text()):
            for name in re.findall(r"(?<![\w<])[A-Z][A-Z0-9]*_[A-Z0-9_]+\b", span):
                assert name in known, f"{document.name} names {name}"


def test_statements_and_locks_are_bounded_by_the_kind_of_process():
    for process, bounds in (("web", "20s 5s 30s"), ("worker", "300s 30s 300s"), ("command", "")):
        options = load(**REQUIRED, ARENA_PROCESS=process).DATABASES["default"]["OPTIONS"]
        assert " ".join(re.findall(r"=(\d+s)", options["options"])) == bounds
        assert options["connect_timeout"] == 5


def test_a_worker_waits_for_no_connection_with_a_job_in_its_hands():
    """What a provider has accepted is bought again where the worker dies before it is stored."""
    options = load(**REQUIRED, DATABASE_POOL="8", ARENA_PROCESS="worker").DATABASES["default"]["OPTIONS"]
    assert options["pool"]["min_size"] == options["pool"]["max_size"] == 8


def test_behind_a_pooler_nothing_outlives_a_transaction():
    database = load(**REQUIRED, DATABASE_POOLER="1", ARENA_PROCESS="web").DATABASES["default"]
    assert database["DISABLE_SERVER_SIDE_CURSORS"]
    assert database["OPTIONS"]["prepare_threshold"] is None
    assert not database["OPTIONS"]["server_side_binding"]
    assert "options" not in database["OPTIONS"]


def test_the_reference_of_settings_is_the_current_one():
    from config.operations import settings_reference

    page = settings_reference.page()
    assert (ROOT / settings_reference.TARGET).read_text() == page, "run manage.py settings_reference"
    for name in in_example():
        assert f"| `{name}` |" in page
