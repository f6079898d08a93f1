"""One model through two providers: what blind votes between its images of the same prompt say. Never on a board."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.utils.translation import gettext, ngettext

from leaderboard.rating import elo, parity
from leaderboard.rating.parity import Parity
from providers import accounts
from providers.web import numbers

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
        """In words of the active language; the share is that of `one`."""
        p = self.parity
        votes = ngettext("%(votes)s blind vote", "%(votes)s blind votes", p.votes) % {"votes": numbers.whole(p.votes)}
        if p.votes < parity.MIN_VOTES:
            return gettext("%(votes)s so far: too few to say.") % {"votes": votes}
        interval = gettext("%(share)s for %(name)s, %(low)s–%(high)s, %(votes)s") % {
            "share": numbers.percent(p.share), "name": self.one, "votes": votes,
            "low": numbers.whole(100 * p.lower), "high": numbers.whole(100 * p.upper),
        }  # fmt: skip
        answers = {
            "same": gettext("the same, as far as votes can see (%(interval)s)."),
            "differs": gettext("%(preferred)s is preferred (%(interval)s): the images differ."),
            "unknown": gettext("no difference found yet (%(interval)s)."),
        }
        return answers[p.answer] % {"interval": interval, "preferred": self.one if p.share > 0.5 else self.other}


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
