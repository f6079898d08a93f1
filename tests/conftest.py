"""Every test: its own media folder, no memory of earlier tests' entries, real Postgres and Valkey."""

from __future__ import annotations

import asyncio
import functools
import gc
import itertools
import os
import secrets
import ssl
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, cast

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before numpy: every core has its test, a second thread only spins

import httpx
import pytest
from django.conf import settings as django_settings
from django.db import connection, transaction
from django.test import TransactionTestCase
from hypothesis import settings as hypothesis_settings

from arena import blinding, context_processors, pairing
from arena.battles import competition_choice
from leaderboard import page_cache
from providers import cache
from providers.admission import valkey
from providers.routing import offering_calls, selection
from providers.samples.simulator import Simulator
from tests import pseudo_language, template_database
from tests.shared_rows import SharedRows

# A busy machine is no failure, and what CI tries today it tries tomorrow: new examples are found at the desk.
hypothesis_settings.register_profile(
    "arena", deadline=None, database=None, derandomize=os.environ.get("CI") == "true", print_blob=True
)
hypothesis_settings.load_profile("arena")

# Calls go on unlimited, and cached values are misses, when Valkey does not answer in time. Here it answers, but the
# machine may have other work too.
valkey.TIMEOUT = 20.0
CACHE_OPTIONS: dict[str, Any] = cast(Any, django_settings.CACHES["default"])["OPTIONS"]
CACHE_OPTIONS |= {"socket_timeout": 20.0, "socket_connect_timeout": 20.0}


# What a process keeps for a few seconds is over at once: no test depends on how quick the one before it was.
SHORT_LIVED = (
    blinding._veiled,
    competition_choice.open_competitions,
    context_processors.voting_categories,
    pairing.pools,
    selection.open_offerings,
)


SETTINGS: dict[str, Any] = {
    # Django's default, which a deployment has, takes a third of a second for each password.
    "PASSWORD_HASHERS": ["django.contrib.auth.hashers.MD5PasswordHasher"],
    # Tests vote within milliseconds and without looking; those about that switch it on again.
    "VOTE_NEEDS_IMAGES": False,
    "VOTE_MIN_SECONDS": Decimal(0),
}


def pytest_collection_finish() -> None:
    """What is loaded stays: the search for garbage need not look through modules and four thousand tests each time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)


@pytest.fixture(scope="session")
def _media_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    parent = tmp_path_factory.mktemp("media")
    return (parent / str(number) for number in itertools.count())


@pytest.fixture(autouse=True)
def _own_settings(settings, _media_folders: Iterator[Path]) -> None:
    settings.MEDIA_ROOT = next(_media_folders)  # there as soon as a file is stored
    for name, value in SETTINGS.items():
        setattr(settings, name, value)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None, django_db_blocker: Any) -> None:
    """What pytest-django then creates is a copy, in which only the latest changes are left to migrate: none."""
    with django_db_blocker.unblock():
        connection.settings_dict["TEST"]["TEMPLATE"] = template_database.prepare()


@pytest.fixture(autouse=True, scope="session")
def _rows_are_deleted_not_tables_truncated() -> Iterator[None]:
    """What empties the tables after a test with transactions of its own.

    Django's flush truncates every table, which gives each of its indexes a new file, and then creates content types,
    permissions and groups again: a hundred times the time of deleting a test's few rows. And it closes the connection:
    the next one has to learn what each table is, a third of what such tests take in Postgres.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(TransactionTestCase, "_fixture_teardown", lambda _: delete_rows())
        patch.setattr(TransactionTestCase, "_should_reload_connections", lambda _: has_event_loop())
        yield


def has_event_loop() -> bool:
    """Django keeps the connections of a thread with an event loop, as Playwright has one, apart from those without;
    what destroys the databases in the end would not find them.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


@functools.cache
def tables_of_tests() -> list[str]:
    """All tables that have a model, but for what is created after migrations."""
    names = connection.introspection.django_table_names(only_existing=True, include_views=False)
    of_migrations = {
        "django_content_type",
        "auth_permission",
        "auth_group",
        "auth_group_permissions",
        "arena_givenright",
    }
    return sorted(set(names) - of_migrations - {"arena_givenright"})


def delete_rows() -> None:
    statements = ["SET LOCAL session_replication_role = replica"]  # in any order: no row is left to refer to
    statements += [f"DELETE FROM {connection.ops.quote_name(table)}" for table in tables_of_tests()]  # noqa: S608
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("; ".join(statements))  # one round trip


@pytest.fixture(autouse=True)
def _fresh_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    forget(monkeypatch)


def forget(patch: pytest.MonkeyPatch) -> None:
    """Nothing that another test cached, and nothing that this one cached before it changed what it shows.

    What is in Valkey – shared values, circuits, cool-downs, leases – expires by itself under names of this test.
    """
    name = secrets.token_hex(8)
    cache.clear_process_caches()
    CACHE_OPTIONS["retry"]._unavailable_until = 0.0  # if Valkey was away
    patch.setattr(cache, "release", lambda: name)
    patch.setattr(valkey, "PREFIX", f"test:{name}:")
    for short_lived in SHORT_LIVED:
        patch.setattr(short_lived, "seconds", 0.0)
    patch.setattr(page_cache, "FRESH_SECONDS", 0.0)


@pytest.fixture(scope="module")
def shared_rows(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[SharedRows]:
    """For fixtures of a module that make rows: `shared_rows.make(build)` there, `shared_rows.lend(made)` in a test."""
    rows = SharedRows(django_db_blocker, tmp_path_factory.mktemp("shared") / "media", SETTINGS, forget)
    yield rows
    rows.close()


@pytest.fixture(autouse=True)
def _knows_of_shared_rows(request: pytest.FixtureRequest) -> None:
    """A test that sees the rows which others of its module share says so, or it would depend on their order."""
    uses_database = {"db", "transactional_db", "live_server"} & set(request.fixturenames)
    if SharedRows.are_there and (uses_database or request.node.get_closest_marker("django_db")):
        assert "shared_rows" in request.fixturenames, "use the fixture of the shared rows, too, or another module"


@pytest.fixture
def right_to_left(tmp_path: Path) -> Iterator[None]:
    """The language of tests/pseudo_language.py is there, too."""
    with pseudo_language.active(tmp_path):
        yield


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    """A provider simulator in this process, quick, on a free port. Its large pictures have little detail."""
    with Simulator(pace=0.02, drawn_side=96) as running:
        yield running


@pytest.fixture(autouse=True, scope="session")
def _certificates_are_read_once() -> Iterator[None]:
    """Not by each of the thousand clients that tests and official libraries open: 45 ms of computing."""
    create = httpx.create_ssl_context

    @functools.cache
    def created(authorities: tuple[str | None, ...], **options: Any) -> ssl.SSLContext:
        return create(**options)

    def of_environment(**options: Any) -> ssl.SSLContext:
        return created((os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR")), **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", of_environment)
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_connections_left_open() -> Iterator[None]:
    yield
    offering_calls.clients.close()
    valkey.disconnect()


@pytest.fixture
def simulated(settings, simulator: Simulator) -> None:
    """The simulated providers of the settings answer at this simulator."""
    settings.PROVIDERS = {
        key: config
        | {
            "api_key": "simulated",
            "urls": {
                name: simulator.url + url.removeprefix(settings.SIMULATOR_URL) for name, url in config["urls"].items()
            },
        }
        for key, config in settings.PROVIDERS.items()
        if config.get("simulated")
    }
