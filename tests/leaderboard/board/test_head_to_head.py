"""Two models head to head: the numbers that /compare/ shows, and the votes between the two."""

from __future__ import annotations

import math
import re

import pytest

from arena.imports.votes import load
from leaderboard.board import head_to_head, ratings
from leaderboard.comparison import side_by_side
from leaderboard.models import Covariance
from leaderboard.rating import elo
from tests import factories as make
from tests.leaderboard.voting import cast

pytestmark = pytest.mark.django_db


@pytest.fixture
def models():
    return [make.make_model(name=name) for name in ("Ash", "Birch", "Cedar")]


@pytest.fixture
def category():
    return make.make_category()


def expected(computed, one, other):
    """Share and interval in whole per cent, from the fit itself."""
    i, j = (computed.fit.models.index(str(model.pk)) for model in (one, other))
    c = computed.fit.covariance
    reach = elo.Z95 * math.sqrt(c[i, i] + c[j, j] - 2 * c[i, j])
    difference = computed.fit.elo[i] - computed.fit.elo[j]
    return [round(100 / (1 + 10 ** (-(difference + shift) / 400))) for shift in (0, -reach, reach)]


def test_compare_shows_the_interval_of_the_difference_not_of_two_ratings(client, category, models):
    ash, birch, cedar = models
    cast(category, models, 240, strengths={ash: 0.6, birch: 0.0, cedar: -0.6})
    ratings.recompute(category)
    computed = ratings.compute(category)
    for one, other in ((ash, birch), (birch, cedar), (ash, cedar)):
        one, other = sorted((one, other), key=lambda model: model.slug)
        page = client.get(f"/compare/{one.slug}/{other.slug}/").content.decode()
        share, lower, upper = expected(computed, one, other)
        assert (str(lower), str(upper)) in re.findall(r"(\d+) ?%?–(\d+) ?%", page)
        assert re.search(rf"\b{share} ?%", page)


def test_an_expected_share_mirrors_and_needs_both_intervals():
    forward, backward = head_to_head.expected_share(1100, 1000, 900), head_to_head.expected_share(1000, 1100, 900)
    assert forward.share == pytest.approx(0.640065, abs=1e-6)
    assert (forward.lower, forward.upper) == pytest.approx((1 - backward.upper, 1 - backward.lower))
    unbounded = head_to_head.expected_share(1100, 1000, math.inf)
    assert (unbounded.share, unbounded.lower, unbounded.upper) == (forward.share, None, None)


def test_the_variance_of_a_difference_comes_from_the_stored_triangle(category, models):
    cast(category, models, 240)
    ratings.recompute(category)
    fit, stored = ratings.compute(category).fit, Covariance.objects.get()
    for i, one in enumerate(fit.models):
        for j, other in enumerate(fit.models):
            if i != j:
                c = fit.covariance
                variance = c[i, i] + c[j, j] - 2 * c[i, j]
                assert head_to_head.variance_of_difference(stored, int(one), int(other)) == pytest.approx(
                    variance, rel=1e-5
                )
    assert head_to_head.variance_of_difference(stored, models[0].pk, make.make_model().pk) == math.inf
    assert head_to_head.variance_of_difference(None, models[0].pk, models[1].pk) == math.inf


def test_without_a_bound_there_is_no_interval(category, models):
    ash, birch, _ = models
    load.import_votes(f"left,right,outcome\n{ash.slug},{birch.slug},left\n".encode(), category, "Elsewhere")
    ratings.recompute(category)
    ((pair,),) = [arena.duels for arena in side_by_side.arenas([ash, birch])]
    assert pair.expected > 0.5
    assert (pair.lower, pair.upper) == (None, None)


def test_records_count_both_sides_and_mirror_each_other(category, models):
    ash, birch, cedar = models
    votes = [
        (ash, birch, "left"),
        (birch, ash, "left"),
        (birch, ash, "right"),
        (ash, birch, "both_bad"),
        (ash, birch, "tie"),
    ]
    text = "".join(f"{left.slug},{right.slug},{outcome}\n" for left, right, outcome in votes)
    load.import_votes(f"left,right,outcome\n{text}".encode(), category, "Elsewhere")
    assert head_to_head.records_of(ash, category) == {}  # no board was computed yet
    ratings.recompute(category)
    record = head_to_head.records_of(ash, category)[ash.pk, birch.pk]
    assert (record.won, record.lost, record.tied, record.both_bad, record.votes, record.share) == (2, 1, 1, 1, 5, 0.6)
    assert head_to_head.records_of(birch, category)[birch.pk, ash.pk] == record.reversed()
    assert head_to_head.records_of(ash, category)[ash.pk, cedar.pk].share is None
    among = head_to_head.records_among([ash, birch], [category])
    assert among[category.pk] == {(ash.pk, birch.pk): record, (birch.pk, ash.pk): record.reversed()}
    assert among[0][ash.pk, birch.pk].votes == 0


def test_a_page_counts_the_votes_of_its_board_and_not_those_that_came_since(client, category, models):
    """A page once said 60 votes in its head and 64 in its table of pairs."""
    cast(category, models, 60)
    ratings.recompute(category)
    cast(category, models, 4, seed=2)
    page = re.sub(r"\s+", " ", client.get(category.get_absolute_url()).content.decode())
    assert "60 votes" in page
    assert "64" not in re.findall(r"([\d,]+) votes", page)
    assert sum(record.votes for record in head_to_head.records_among(models, [category])[category.pk].values()) == 120
    assert ratings.recompute(category)
    assert "64 votes" in re.sub(r"\s+", " ", client.get(category.get_absolute_url()).content.decode())
