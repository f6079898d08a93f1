"""Which boards there are, and what one without ratings waits for."""

from __future__ import annotations

import pytest

from arena import voting
from arena.models import Tally
from leaderboard.board import summaries
from leaderboard.models import Rating
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_own_boards_and_imported_ones_are_apart_each_with_its_models():
    own, other = make.make_category("own"), make.make_category("other", source_name="A study")
    empty = make.make_category("empty")
    for category, n in ((own, 2), (other, 1)):
        for _ in range(n):
            Rating.objects.create(
                category=category, image_model=make.make_model(), elo=1000, lower=990, upper=1010, rank=1, votes=9,
                best=0.5, status="usable",
            )  # fmt: skip
    here, elsewhere = summaries.tabs()
    assert [(tab.category, tab.models) for tab in here] == [(empty, 0), (own, 2)]
    assert [(tab.category, tab.models) for tab in elsewhere] == [(other, 1)]


def test_the_first_votes_are_being_computed_until_nobody_can_be_at_it():
    battle = make.make_battle()
    voted, silent = battle.prompt.competition.category, make.make_category("silent")
    voting.cast_vote(battle, "left")
    starts = summaries.starts([voted, silent])
    assert [starts[category.pk].computing for category in (voted, silent)] == [True, False]
    cast = Tally.objects.get().changed_at
    Tally.objects.update(changed_at=cast - summaries.RATING_TIMEOUT)
    assert not summaries.starts([voted])[voted.pk].computing
