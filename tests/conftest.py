"""Every test: its own media folder, no memory of earlier tests' entries, real Postgres and Valkey."""

from __future__ import annotations

import importlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from arena import pairing
from leaderboard import cache, page_cache
from leaderboard.board import overall
from providers.admission import valkey
from providers.performance import recent
from providers.routing import sending
from providers.samples.simulator import Simulator

# A busy machine is no failure, and what CI tries today it tries tomorrow: new examples are found at the desk.
hypothesis_settings.register_profile(
    "arena", deadline=None, database=None, derandomize=os.environ.get("CI") == "true", print_blob=True
)
hypothesis_settings.load_profile("arena")


@pytest.fixture(autouse=True)
def _own_media(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def _fresh_pools(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(pairing, "_POOL_SECONDS", 0.0)
    pairing.forget_pools()
    yield
    pairing.forget_pools()


@pytest.fixture(autouse=True)
def _fresh_slices() -> None:
    """Boards that are kept in memory belong to the database of one test."""
    overall.forget()


@pytest.fixture(autouse=True)
def _fresh_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pages are printed anew for every reader: tests change what they show, and look again."""
    monkeypatch.setattr(cache, "PREFIX", f"test:{secrets.token_hex(4)}:")
    monkeypatch.setattr(page_cache, "FRESH", 0.0)


@pytest.fixture(autouse=True)
def _fresh_providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test inherits circuits, pauses or leases: each has its own keys in Valkey, which expire by themselves."""
    monkeypatch.setattr(valkey, "PREFIX", f"test:{secrets.token_hex(4)}:")
    module = importlib.import_module("providers.routing.generate")  # the package has a function of this name
    monkeypatch.setattr(module, "KEPT_SECONDS", 0.0)
    monkeypatch.setattr(module, "_kept", {})
    recent.forget()


@pytest.fixture(scope="session")
def simulator() -> Iterator[Simulator]:
    """A provider simulator in this process, quick, on a free port."""
    with Simulator(pace=0.02) as running:
        yield running


@pytest.fixture(autouse=True, scope="session")
def _no_connections_left_open() -> Iterator[None]:
    yield
    sending.http().close()
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
