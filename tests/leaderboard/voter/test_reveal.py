"""What the leaderboard adds to a reveal."""

from __future__ import annotations

from django.urls import reverse

from leaderboard.voter.reveal import RevealExtras


def test_urls_that_are_written_out_are_those_of_the_views():
    extras = RevealExtras()
    assert extras.board_url("text-to-image") == reverse("leaderboard:category", args=["text-to-image"])
    assert extras.ranking_url("text-to-image") == reverse("leaderboard:mine", args=["text-to-image"])
    assert extras.method_url() == reverse("leaderboard:integrity")
