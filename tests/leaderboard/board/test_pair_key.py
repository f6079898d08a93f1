"""Cells as integers come back as they went in, through numpy and through Postgres."""

from __future__ import annotations

import numpy as np
import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from leaderboard.board import pair_key

ids = st.integers(1, pair_key.LARGEST_ID)


@given(ids, ids, st.integers(0, 3))
def test_a_key_comes_back_as_its_cell(left, right, outcome):
    key = pair_key.packed(np.array([left]), np.array([right]), np.array([outcome]))
    assert key.dtype == np.int64
    assert [int(column[0]) for column in pair_key.unpacked(key)] == [left, right, outcome]


@pytest.mark.django_db
def test_postgres_and_numpy_make_the_same_keys():
    cells = [(1, 7, 0), (7, 1, 3), (pair_key.LARGEST_ID, 1, 2), (1, pair_key.LARGEST_ID, 1)]
    rows = ", ".join(f"({left}::bigint, {right}::bigint, '{pair_key.OUTCOMES[code]}')" for left, right, code in cells)
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {pair_key.SQL} FROM (VALUES {rows}) AS v (left_model_id, right_model_id, outcome)")  # noqa: S608
        keys = [key for (key,) in cursor.fetchall()]
    assert keys == pair_key.packed(*(np.array(column) for column in zip(*cells, strict=True))).tolist()
