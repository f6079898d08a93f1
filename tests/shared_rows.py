"""Rows that the tests of a module share: made once, in a transaction around them all; each test is rolled back to it.

For tests in transactions of their own there is nothing to share: other connections do not see these rows.
"""

from __future__ import annotations

import copy
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from django.conf import settings
from django.db import transaction
from django.test import override_settings

Made = TypeVar("Made")


class SharedRows:
    """Open from the first test of a module to its last. Of what is made each test gets a copy, and the files."""

    are_there = False

    def __init__(
        self,
        blocker: Any,
        media: Path,
        of_tests: dict[str, Any],
        isolate: Callable[[pytest.MonkeyPatch], None],
    ) -> None:
        self._blocker, self._media, self._isolate = blocker, media, isolate
        self._settings = of_tests | {"MEDIA_ROOT": media}
        self._transaction = transaction.atomic()
        SharedRows.are_there = True
        with blocker.unblock():
            self._transaction.__enter__()

    def close(self) -> None:
        with self._blocker.unblock():
            transaction.set_rollback(True)
            self._transaction.__exit__(None, None, None)
        SharedRows.are_there = False

    def make(self, build: Callable[[], Made]) -> Made:
        """What `build` returns, made under the settings of every test."""
        with self._blocker.unblock(), override_settings(**self._settings), pytest.MonkeyPatch.context() as patch:
            self._isolate(patch)
            return build()

    def lend(self, made: Made) -> Made:
        """A copy for one test, which may change it; with the files, which no storage changes in place."""
        if self._media.exists():
            shutil.copytree(self._media, settings.MEDIA_ROOT, copy_function=os.link, dirs_exist_ok=True)
        return copy.deepcopy(made)
