"""Which prompts two models are compared by: those that their votes decide most come first."""

from __future__ import annotations

import pytest

from leaderboard.board.head_to_head import PairRecord
from leaderboard.comparison import side_by_side
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_a_prompt_that_one_model_lost_throughout_is_decided_and_one_without_votes_is_last():
    models = [make.make_model() for _ in range(2)]
    competition = make.make_competition(make.make_category())
    without, even, lost, won = (make.make_prompt(competition) for _ in range(4))
    for prompt in (without, even, lost, won):
        for model in models:
            make.make_entry(prompt, model)
    records = {even.pk: PairRecord(won=2, lost=2), lost.pk: PairRecord(lost=9), won.pk: PairRecord(won=4)}
    shown = [row.prompt for row in side_by_side.shared(models, records=records)]
    assert shown == [lost, won, even, without]
