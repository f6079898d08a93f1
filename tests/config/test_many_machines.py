"""The site on nine hosts, each a network namespace, while they fail one after the other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.many_machines import network
from config.operations import postgres
from config.services.places import CHECKOUT
from tests.config.processes import clean_environment

pytestmark = pytest.mark.processes


@pytest.mark.django_db(transaction=True)
def test_no_vote_is_lost_or_doubled_while_machines_fail_and_are_updated(tmp_path: Path):
    if not os.environ.get("MANY_MACHINES"):
        pytest.skip("Takes minutes: MANY_MACHINES=1 runs it. The nightly workflow runs the longer form.")
    if obstacle := network.obstacle():
        pytest.skip(obstacle)
    dump = tmp_path / "migrated.dump"
    postgres.run("pg_dump", "--format=custom", f"--file={dump}")
    command = [sys.executable, "-m", "benchmarks.many_machines", "--short", "--dump", str(dump)]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=clean_environment(), capture_output=True, text=True, check=False, timeout=900
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert " 0 lost, 0 with another outcome, 0 doubled in tallies" in done.stdout
    assert "5xx: none" in done.stdout
