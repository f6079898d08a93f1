"""How often each model met others on each prompt, and what it scored there: from the tallies of pairs of images.

These are moved with every vote and hold one row for two images, so what is read here grows with images, never with
votes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from django.db import connection

from arena.models import Category
from leaderboard.board import pair_counts
from leaderboard.rating.ways import PromptTallies

# Both sides of every pair of images: prompt, model, and how often which outcome. A model that met itself, as in checks
# of providers, is left out.
SIDES = """
FROM arena_imagetally t
JOIN arena_entry low ON low.id = t.low_id
JOIN arena_entry high ON high.id = t.high_id AND high.image_model_id <> low.image_model_id
JOIN arena_prompt p ON p.id = low.prompt_id
JOIN arena_competition c ON c.id = p.competition_id AND c.category_id = %(category)s
CROSS JOIN LATERAL (VALUES
    (low.image_model_id, t.low_wins, t.high_wins), (high.image_model_id, t.high_wins, t.low_wins)
) AS side (model_id, won, lost)
"""
_PACKED = f"""
SELECT string_agg(int8send(prompt_id), ''::bytea), string_agg(int8send(model_id), ''::bytea),
       string_agg(int8send(won), ''::bytea), string_agg(int8send(equal), ''::bytea),
       string_agg(int8send(lost), ''::bytea)
FROM (
    SELECT low.prompt_id, side.model_id, sum(won) AS won, sum(t.ties + t.both_bad) AS equal, sum(lost) AS lost
    {SIDES} GROUP BY 1, 2
) counted
"""  # noqa: S608 - our own names


def read(category: Category, models: Sequence[int]) -> PromptTallies:
    """Of the votes cast here, all of them, between these models."""
    with connection.cursor() as cursor:
        cursor.execute(_PACKED, {"category": category.pk})
        columns = [np.frombuffer(column or b"", ">i8").astype(np.int64) for column in cursor.fetchone()]
    inside = np.isin(columns[1], models)
    prompt, model, won, equal, lost = (column[inside] for column in columns)
    order = np.argsort(models)
    place = order[np.searchsorted(np.asarray(models)[order], model)]
    prompts, row = np.unique(prompt, return_inverse=True)
    votes, points = (np.zeros((prompts.size, len(models))) for _ in range(2))
    votes[row, place] = won + equal + lost
    points[row, place] = won + equal / 2
    return PromptTallies(votes, points, _met(category, models))


def _met(category: Category, models: Sequence[int]) -> np.ndarray:
    index = {model: index for index, model in enumerate(models)}
    met = np.zeros((len(models), len(models)))
    for one, other, votes, _ in pair_counts.counts(category).pairs().among(models):
        met[index[one], index[other]] = met[index[other], index[one]] = votes
    return met
