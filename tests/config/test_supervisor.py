"""What bin/demo promises about its processes, on small stand-ins for them."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config.demo import ports, supervisor
from config.demo.supervisor import Child, Program, Service, Stop, Waiting, shut_down
from config.services.places import CHECKOUT, ServiceError
from config.services.processes import try_lock
from config.services.servers import Postgres
from tests.config.processes import checkout_below, clean_environment, eventually, is_running, remove

pytestmark = pytest.mark.processes


@pytest.fixture
def waiting() -> Iterator[Waiting]:
    with Waiting() as waiting:
        yield waiting


@pytest.fixture
def children(tmp_path: Path, waiting: Waiting) -> Iterator["Children"]:
    made = Children(tmp_path, waiting)
    yield made
    for child in made.all:
        child.kill()


class Children:
    def __init__(self, logs: Path, waiting: Waiting) -> None:
        self.logs, self.waiting = logs, waiting
        self.all: list[Child] = []

    def start(self, script: str, name: str = "child") -> Program:
        """A shell script that says "up" when it is."""
        child = Program(name, ["sh", "-c", script], dict(os.environ), self.logs)
        self.all.append(child)
        child.start(self.waiting)
        eventually(lambda: "up" in child.log.read_text())
        return child

    def tend(self, child: Child) -> None:
        """Tend until it runs again."""
        eventually(lambda: child.tend(self.waiting) and child.due is None)


def pid(child: Child) -> int:
    assert child.process
    return child.process.pid


def test_a_program_has_a_group_of_its_own_for_ctrl_c_and_our_session_for_nice(children: "Children") -> None:
    child = children.start("echo up; sleep 600")
    assert os.getpgid(pid(child)) == pid(child)
    assert os.getsid(pid(child)) == os.getsid(0)


IDLE = "echo up; while :; do sleep 0.02; done"


def test_a_killed_child_is_started_again(children: Children, capsys: pytest.CaptureFixture[str]) -> None:
    child = children.start(IDLE)
    first = pid(child)
    os.kill(first, signal.SIGKILL)
    eventually(lambda: child.end())
    children.tend(child)
    assert pid(child) != first
    assert capsys.readouterr().out == "child was killed by SIGKILL; starting it again in 0.2 s\n"


def test_what_a_crashed_child_said_last_is_shown(children: Children, capsys: pytest.CaptureFixture[str]) -> None:
    child = children.start("echo up; echo the reason >&2; exit 3")
    eventually(lambda: child.end())
    child.tend(children.waiting)
    shown = "child ended with code 3; starting it again in 0.2 s\n    up\n    the reason\n"
    assert capsys.readouterr().out == shown


def test_a_crash_loop_slows_down_and_is_never_given_up(children: Children) -> None:
    child = children.start("echo up; exit 1")
    delays = []
    for _ in range(1100):  # 2**1100 is more than a float holds
        child.plan_restart("ended")
        assert child.due
        delays.append(round(child.due - time.monotonic(), 1))
    assert delays[:9] == [0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30.0]
    assert delays[-1] == 30.0
    child.started -= supervisor.STEADY + 1
    child.plan_restart("ended after it had been up for long")
    assert child.due
    assert round(child.due - time.monotonic(), 1) == 0.2


def test_a_program_that_cannot_be_started_is_tried_again(children: Children, tmp_path: Path) -> None:
    child = children.start(IDLE)
    child.command = [tmp_path / "not there"]
    child.kill()
    eventually(lambda: child.tend(children.waiting) is not None and child.crashes == 2)
    child.command = ["sh", "-c", IDLE]
    children.tend(child)
    assert is_running(pid(child))


def test_what_a_killed_child_leaves_behind_is_killed_too(children: Children) -> None:
    child = children.start("sleep 60 & echo up $!; wait")
    grandchild = int(child.log.read_text().split()[1])
    os.kill(pid(child), signal.SIGKILL)
    eventually(lambda: child.end())
    child.tend(children.waiting)
    eventually(lambda: not is_running(grandchild))


def test_groups_stop_one_after_the_other(children: Children, tmp_path: Path) -> None:
    order = tmp_path / "order"
    script = f"trap 'sleep 0.1; echo $0 >>\"{order}\"; exit' TERM; {IDLE}"
    web, worker, database = (children.start(script.replace("$0", name), name) for name in ("web", "worker", "database"))
    shut_down([[web, worker], [database]], children.waiting)
    assert sorted(order.read_text().split()[:2]) == ["web", "worker"]
    assert order.read_text().split()[2:] == ["database"]


STUBBORN = f"trap '' TERM; {IDLE}"


def test_who_does_not_stop_is_killed(children: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "STOPPING", 0.1)
    child = children.start(STUBBORN)
    shut_down([[child]], children.waiting)
    assert child.end() == "was killed by SIGKILL"


def test_a_second_ctrl_c_hurries(children: Children) -> None:
    child = children.start(STUBBORN)
    started = time.monotonic()
    os.kill(os.getpid(), signal.SIGINT)
    shut_down([[child]], children.waiting)
    assert child.end() == "was killed by SIGKILL"
    assert time.monotonic() - started < supervisor.STOPPING / 3


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_waiting(waiting: Waiting, number: signal.Signals) -> None:
    os.kill(os.getpid(), number)
    with pytest.raises(Stop):
        waiting.pause(60)


def test_a_server_whose_other_owner_leaves_is_taken_over(
    waiting: Waiting, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout = checkout_below(tmp_path)
    service = Service(Postgres(checkout.place))
    try:
        with checkout.up():
            service.start(waiting)
            assert service.process is None
            assert service.tend(waiting) == supervisor.WATCHING
        eventually(lambda: service.tend(waiting) and service.process)
        assert checkout.answers()
        assert "postgres was stopped by the command that had started it" in capsys.readouterr().out
    finally:
        shut_down([[service]], waiting)
        remove(checkout.place)


# Ports ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_simulator_keeps_its_port_as_long_as_it_is_free(tmp_path):
    file = tmp_path / "simulator-port"
    port = ports.stored(file)
    assert ports.stored(file) == port
    with ports.bound("127.0.0.1", port, socket.SO_REUSEADDR) as taken:
        taken.listen()
        other = ports.stored(file)
    assert other != port
    assert ports.stored(file) == other
    file.write_text("no number")
    assert 0 < ports.stored(file) < 65536


def test_a_taken_default_port_gives_way_to_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        monkeypatch.setattr(ports, "DEFAULT", taken)
        with ports.reserved("127.0.0.1", None) as first, ports.reserved("127.0.0.1", None) as second:
            assert taken < first < second


def test_a_taken_port_that_was_asked_for_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = other.getsockname()[1]
        with pytest.raises(ServiceError, match=f"Port {taken} of 127.0.0.1 cannot be used: Address already in use"):
            ports.reserved("127.0.0.1", taken).__enter__()


def test_a_reserved_port_leaves_the_connections_to_the_web_server() -> None:
    with ports.reserved("127.0.0.1", ports.any_free()) as port, socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port)), server.accept()[0]:
                pass


# The command ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def demo(var: Path, *options: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "config.demo", *options]
    environment = clean_environment(VAR_DIR=str(var), **environment)
    return subprocess.run(
        command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, timeout=30, check=False
    )


def test_a_second_demo_names_the_first(tmp_path: Path) -> None:
    with (tmp_path / "demo.lock").open("w") as lock:
        assert try_lock(lock)
        lock.write("http://127.0.0.1:8000/")
        lock.flush()
        second = demo(tmp_path)
    assert second.returncode == 1
    assert second.stderr == "The demo of this checkout is already running: http://127.0.0.1:8000/\n"


def test_fresh_never_touches_a_database_that_somebody_configured(tmp_path: Path) -> None:
    refused = demo(tmp_path, "--fresh", DATABASE_URL="postgresql://elsewhere/arena")
    assert refused.returncode == 1
    assert "DATABASE_URL names another" in refused.stderr


def test_fresh_waits_for_nobody_who_uses_the_database(tmp_path: Path) -> None:
    checkout = checkout_below(tmp_path)
    try:
        with checkout.up():
            refused = demo(checkout.place.var, "--fresh")
            assert refused.returncode == 1
            assert "another command of this checkout is using it" in refused.stderr
            assert checkout.answers()
    finally:
        remove(checkout.place)
