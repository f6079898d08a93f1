"""What the leaderboard adds to a reveal."""

from __future__ import annotations

import pytest
from django.urls import reverse

from leaderboard.models import Rating
from leaderboard.voter import reveal
from leaderboard.voter.reveal import RevealExtras
from tests import factories as make


def test_urls_that_are_written_out_are_those_of_the_views():
    extras = RevealExtras()
    assert extras.board_url("text-to-image") == reverse("leaderboard:category", args=["text-to-image"])
    assert extras.ranking_url("text-to-image") == reverse("leaderboard:mine", args=["text-to-image"])
    assert extras.method_url() == reverse("leaderboard:integrity")


@pytest.mark.django_db
def test_the_half_width_of_a_rating_is_its_wider_half():
    category = make.make_category()
    for elo, lower, upper in ((1000, 970, 1020), (900, 880, 945)):
        rating = {"category": category, "image_model": make.make_model(), "votes": 400, "status": "usable"}
        Rating.objects.create(**rating, elo=elo, lower=lower, upper=upper, rank=1, rank_low=1, rank_high=1, placed=1)
    assert [(rated.elo, rated.half_width) for rated in reveal.ratings_of(category.pk).values()] == [
        (1000, 30),
        (900, 45),
    ]
