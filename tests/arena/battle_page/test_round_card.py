"""The one sentence of a finished round: the first that is true."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast
from uuid import uuid4

import pytest

from arena.battle_page.reveal_registry import Crowd
from arena.battle_page.round_card import RoundCard, RoundVote, sentence
from arena.models import Entry


def vote(
    large: str, small: str, outcome: str = "left", stand: str = "", left: int = 70, basis: str = "votes"
) -> RoundVote:
    one, other = (cast(Entry, SimpleNamespace(image_model=SimpleNamespace(name=name))) for name in (large, small))
    return RoundVote(one, other, outcome, Crowd(basis, left, 9, stand), uuid4(), "1:1", True)


KITES = [vote("Kite", f"M{n}") for n in range(2)]
OTHERS = [vote("Tern", "Gull"), vote("Gull", "Tern")]


@pytest.mark.parametrize(
    ("votes", "text"),
    [
        ([*KITES, *KITES, OTHERS[0]], "You picked Kite all four times you saw it."),
        ([*(vote(f"M{n}", "Kite") for n in range(3)), *OTHERS], "Kite lost all three times you saw it."),
        ([*(vote(f"M{n}", f"N{n}", stand="against") for n in range(3)), *OTHERS], "You went your own way on 3 of 5."),
        ([vote(f"M{n}", f"N{n}", stand="with") for n in range(5)], "You and the crowd agree on all five."),
        ([*(vote(f"M{n}", f"N{n}", "both_bad") for n in range(3)), *OTHERS], "Hard to please: three times neither."),
        ([*OTHERS, vote("Kite", "Wren", left=52), vote("M", "N"), vote("O", "P")], "Closest call: Kite against Wren."),
        ([vote(f"M{n}", f"N{n}", "tie", left=50) for n in range(5)], "Five ties: you saw nothing between them."),
        ([vote("Kite", "Wren", stand="with")], "Closest call: Kite against Wren."),
        # Twice is not often, and a tie is no pick.
        ([*KITES, vote("Kite", "Wren", "tie", left=50)], "Closest call: Kite against Wren."),
    ],
)  # fmt: skip
def test_the_first_true_sentence_is_said(votes, text):
    assert sentence(votes) == text


def test_a_card_counts_only_answers_that_can_be_held_against_others():
    votes = (
        vote("A", "B", stand="with"),
        vote("C", "D", stand="against"),
        vote("E", "F", "tie"),
        vote("G", "H", stand="split"),
    )
    card = RoundCard(3, votes)
    assert (card.with_most, card.judged, card.share) == (1, 2, 50)
    assert card.agreement == "You voted with most on 1 of 2 pairs."
    assert card.share_label == "50 per cent with most"
    one = RoundCard(1, (vote("A", "B", stand="with", basis="expected"),))
    assert one.agreement == "You voted with the favourite on 1 of 1 pair."
    both = RoundCard(1, (*one.votes, *votes))
    assert both.share_label == "67 per cent with most or the favourite"
    assert [answer.stand for answer in votes] == ["with most", "against most", "", "others are split"]
