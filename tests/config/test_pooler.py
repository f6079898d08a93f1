"""DATABASE_POOLER=1 behind a real PgBouncer in transaction mode, where there is one."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from arena.models import Battle, Tally, Vote
from config.demo import ports
from config.services.places import CHECKOUT
from tests import factories as make
from tests.config.processes import eventually

pytestmark = [pytest.mark.processes, pytest.mark.django_db(transaction=True)]
PROGRAM_PATH = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")

# Two connections of the server for eight threads: every transaction may be in another process than the one before.
PROGRAM = """
import django; django.setup()
from concurrent.futures import ThreadPoolExecutor
from arena import battles, voting
from arena.models import Battle, Category, Voter
from config import health
from django.db import connection, transaction

def vote(pk):
    battle = Battle.objects.select_related("prompt__competition__category").get(pk=pk)
    with transaction.atomic():
        list(Battle.objects.order_by("pk").iterator(2))
    voting.cast_vote(battle, "left")
    return list(Battle.objects.filter(vote__outcome="left").values_list("pk")[:3]) != []

with ThreadPoolExecutor(8) as pool:
    assert all(pool.map(vote, list(Battle.objects.values_list("pk", flat=True))))
assert health.readiness()[1]["database"] == "ok", health.readiness()
"""


@pytest.fixture
def pooled_url(tmp_path: Path) -> Iterator[str]:
    """The test's database as PgBouncer offers it."""
    host = str(connection.settings_dict["HOST"])
    if PROGRAM_PATH is None:
        pytest.skip("no pgbouncer on this machine: apt-get install pgbouncer")
    if not host.startswith("/"):
        pytest.skip("the database of this run is not on a Unix socket")
    settings, port = connection.settings_dict, ports.any_free()
    configuration = tmp_path / "pgbouncer.ini"
    configuration.write_text(
        f"[databases]\n* = host={host} port={settings['PORT'] or 5432} user={settings['USER']}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = transaction\ndefault_pool_size = 2\nmax_client_conn = 100\n"
    )
    account = ["-u", "nobody"] if os.geteuid() == 0 else []
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen([PROGRAM_PATH, *account, str(configuration)], stdout=log, stderr=log)

    def answers() -> bool:
        assert process.poll() is None, (tmp_path / "log").read_text()
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        eventually(answers, 30)
        yield f"postgresql://{settings['USER']}@127.0.0.1:{port}/{settings['NAME']}"
    finally:
        process.kill()
        process.wait()


def run(url: str, **environment: str) -> subprocess.CompletedProcess[Any]:
    counted = {"VOTE_NEEDS_IMAGES": "0", "VOTE_MIN_SECONDS": "0"}  # the program loads no images before it votes
    variables = os.environ | {"DATABASE_URL": url, "ARENA_PROCESS": "web"} | counted | environment
    return subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=CHECKOUT, env=variables, capture_output=True, text=True, timeout=240
    )


def test_votes_pass_a_pooler_that_gives_every_transaction_another_server_process(pooled_url):
    entry = make.make_entry()
    other = make.make_entry(entry.prompt)
    for _ in range(24):
        make.make_battle(left=entry, right=other)
    without = run(pooled_url)
    assert without.returncode != 0  # what the switch is for: options at connecting, prepared statements
    assert Vote.objects.count() < Battle.objects.count()
    with_switch = run(pooled_url, DATABASE_POOLER="1")
    assert with_switch.returncode == 0, with_switch.stderr
    assert Vote.objects.count() == Battle.objects.count() == sum(Tally.objects.values_list("n", flat=True)) == 24
