"""The tests of serving, voting and skipping once more, where battles and votes are partitioned by month."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from config.operations import partitions
from tests import partitioned
from tests.arena.battles.test_assignment import *  # noqa: F403 – collected here again


@pytest.fixture(scope="module", autouse=True)
def _partitioned(django_db_setup, django_db_blocker) -> Iterator[None]:
    with django_db_blocker.unblock(), partitioned.own_database():
        partitioned.convert_two_months_ago()
        yield


@pytest.mark.django_db
def test_these_tests_store_into_the_partition_of_the_month():
    assert partitions.read().months[0] == make.make_battle().left_token[:4]  # noqa: F405
