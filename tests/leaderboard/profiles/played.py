"""Two models with images, votes, calls and a snapshot."""

from __future__ import annotations

import re
from decimal import Decimal

from arena import voting
from leaderboard.board import image_records, ratings
from providers.performance import summaries
from tests import factories as make


def section(page, heading):
    """The section whose heading has this id."""
    match = re.search(rf'<section[^>]*aria-labelledby="{heading}".*?</section>', page, re.DOTALL)
    assert match, heading
    return match[0]


def recount(category):
    ratings.recompute(category)
    image_records.recount(category, force=True)
    summaries.compute()
    summaries.compute()


def two_entries():
    """A model with two images in one competition that won two of three votes, and the model it met."""
    entry = make.make_entry()
    competition = entry.prompt.competition
    other = make.make_entry(entry.prompt)
    second = make.make_prompt(competition)
    make.make_entry(second, entry.image_model)
    make.make_entry(second, other.image_model)
    for outcome in ("left", "left", "right"):
        voting.cast_vote(make.make_battle(left=entry, right=other), outcome)
    entry.image_model.offerings.update(price=Decimal("0.006"), price_estimated=True, price_source="A price list")
    recount(competition.category)
    return entry, other
