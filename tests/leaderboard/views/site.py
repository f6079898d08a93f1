"""A category with models, images and votes."""

from __future__ import annotations

from itertools import pairwise

from arena import voting
from leaderboard.board import image_records, ratings
from providers.performance import summaries
from tests import factories as make


class Site:
    """One category: models with an image each of every prompt, and votes."""

    def __init__(self, models: int = 3, prompts: int = 2, slug: str = "text-to-image"):
        self.category = make.make_category(slug)
        self.competition = make.make_competition(self.category)
        self.models = [make.make_model(f"{slug}-bird-{n}", f"Bird {slug} {n}") for n in range(models)]
        self.prompts = [make.make_prompt(self.competition, tags=["text", "night"]) for _ in range(prompts)]
        self.entries = [[make.make_entry(prompt, model) for model in self.models] for prompt in self.prompts]
        for row in self.entries:
            for left, right in pairwise(row):
                for outcome in ("left", "right", "both_bad"):
                    voting.cast_vote(make.make_battle(left=left, right=right), outcome)
        self.count()

    def count(self) -> None:
        ratings.recompute_moved()
        image_records.recount(self.category, force=True)
        summaries.compute()
