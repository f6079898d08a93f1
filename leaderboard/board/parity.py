"""One model through two providers: what blind votes between its images of the same prompt say. Never on a board."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from leaderboard.rating import elo, parity
from leaderboard.rating.parity import Parity
from providers import accounts

_PROVIDER = """
    SELECT o.provider FROM arena_entry e
    JOIN providers_call c ON c.id = e.call_id JOIN providers_offering o ON o.id = c.offering_id
    WHERE e.id = b.{side}_id
"""
# As a part of a query from providers_imagemodel: votes between two images of that model. The provider of each image is
# looked up vote by vote: as joins, offerings could meet offerings before any vote had chosen between them, which took
# Postgres minutes where it had counted the tables while they were empty.
VOTES = f"""
SELECT * FROM (
    SELECT ({_PROVIDER.format(side="left")}) AS one, ({_PROVIDER.format(side="right")}) AS other,
        v.outcome, v.voter_id AS voter, b.prompt_id AS prompt
    FROM arena_vote v JOIN arena_battle b ON b.id = v.battle_id
    WHERE v.category_id IN (SELECT id FROM arena_category) AND v.left_model_id = providers_imagemodel.id
        AND v.right_model_id = providers_imagemodel.id AND v.excluded_reason = ''
) own WHERE one <> other
"""  # noqa: S608 - our own names


@dataclass(frozen=True, slots=True)
class ProviderParity:
    """Two providers of a model by name, in alphabetical order, and what votes say."""

    one: str
    other: str
    parity: Parity

    @property
    def claim(self) -> str:
        """In words; the share is that of `one`."""
        p = self.parity
        votes = f"{p.votes:,} blind vote{'' if p.votes == 1 else 's'}"
        if p.votes < parity.MIN_VOTES:
            return f"{votes} so far: too few to say."
        interval = f"{100 * p.share:.0f} % for {self.one}, {100 * p.lower:.0f}–{100 * p.upper:.0f}, {votes}"
        answers = {
            "same": f"the same, as far as votes can see ({interval}).",
            "differs": f"{self.one if p.share > 0.5 else self.other} is preferred ({interval}): the images differ.",
            "unknown": f"no difference found yet ({interval}).",
        }
        return answers[p.answer]


def compared(rows: Iterable[Sequence[Any]]) -> list[ProviderParity]:
    """From the rows of VOTES, every two providers between which votes were cast, of all categories together."""
    votes: dict[tuple[str, str], list[tuple[float, int, int]]] = defaultdict(list)
    for left, right, outcome, voter, prompt in rows:
        score = elo.SCORES[outcome]
        pair = (left, right) if left < right else (right, left)
        votes[pair].append((score if left < right else 1 - score, voter, prompt))
    return [
        ProviderParity(accounts.name_of(one), accounts.name_of(other), _compared(own))
        for (one, other), own in sorted(votes.items())
    ]


def _compared(votes: list[tuple[float, int, int]]) -> Parity:
    score, voter, prompt = (np.array(column) for column in zip(*votes, strict=True))
    return parity.compare(score, voter, prompt)
