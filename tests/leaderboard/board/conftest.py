"""A category with a vote."""

from __future__ import annotations

import pytest

from arena import voting
from tests import factories as make


@pytest.fixture
def category():
    """A category with one vote: A beat B."""
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    return battle.prompt.competition.category
