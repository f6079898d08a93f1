"""Every test: its own media folder, no memory of earlier tests' entries, real Postgres and Valkey."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from arena import battles


@pytest.fixture(autouse=True)
def _own_media(settings, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"


@pytest.fixture(autouse=True)
def _fresh_pools(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(battles, "_POOL_SECONDS", 0.0)
    battles.forget_pools()
    yield
    battles.forget_pools()
