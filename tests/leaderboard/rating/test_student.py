"""Student's t, against tables in textbooks."""

import pytest

from leaderboard.rating.elo import Z95
from leaderboard.rating.student import LARGE_DF, degrees, t95


@pytest.mark.parametrize(
    ("df", "point"),
    [(1, 12.706205), (2, 4.302653), (3, 3.182446), (4, 2.776445), (9, 2.262157), (10, 2.228139), (100, 1.983972)],
)
def test_student_t_is_that_of_the_tables(df, point):
    assert t95(df) == pytest.approx(point, abs=2e-6)


def test_student_t_ends_in_the_normal():
    assert t95(201) == pytest.approx(t95(200), abs=2e-4)
    assert t95(10**6) == pytest.approx(Z95, abs=1e-5)


def test_degrees_of_freedom_are_those_of_the_fewer_clusters():
    assert degrees(300.4, 12.0) == 11
    assert degrees(1.3, 12.0) == 1
    assert degrees(300.4, None) == 299
    assert degrees(1.0, 12.0) == 11  # one prompt says nothing of others
    assert degrees(None, None) == degrees() == LARGE_DF
