"""Votes by the hundred, for boards that say something."""

from __future__ import annotations

import math
from datetime import timedelta
from itertools import combinations
from random import Random

from django.db import connection
from django.utils import timezone

from arena import voting
from arena.models import Battle, Tally, Vote, Voter
from leaderboard.board import pair_counts
from tests import factories as make


def cast(category, models, count, *, strengths=None, tags=(), days_ago=0, seed=1, voters=40):
    """Votes as the site stores them, in bulk: rows and tallies, for tests that need hundreds."""
    random, at = Random(seed), timezone.now() - timedelta(days=days_ago)
    prompt = make.make_prompt(make.make_competition(category), tags=list(tags))
    entries = {model: make.make_entry(prompt, model) for model in models}
    strengths = strengths or dict.fromkeys(models, 0.0)
    known = Voter.objects.bulk_create(Voter() for _ in range(voters))
    battles_, cells = [], {}
    for number in range(count):
        left, right = random.sample(models, 2)
        odds = math.exp(strengths[right] - strengths[left])
        outcome = "tie" if random.random() < 0.1 else "left" if random.random() < 1 / (1 + odds) else "right"
        # With fewer voters than votes, voters meet pairs again; that they may not is not what is tested here.
        voter = known[number % voters]
        battles_.append((left, right, voter, outcome))
        key = (left.pk, right.pk, outcome)
        cells[key] = cells.get(key, 0) + 1
    if voters < count:
        assert connection.in_atomic_block, "the index would be gone for every later test: give each vote its own voter"
        with connection.cursor() as cursor:
            cursor.execute('DROP INDEX IF EXISTS "a voter meets a pair only once"')
    made = Battle.objects.bulk_create(
        Battle(
            voter=voter,
            prompt=prompt,
            left=entries[left],
            right=entries[right],
            probability=1,
            served_at=at,
            expires_at=at + timedelta(hours=1),
        )
        for left, right, voter, _ in battles_
    )
    Vote.objects.bulk_create(
        Vote(
            battle=battle,
            voter=voter,
            category=category,
            left_model=left,
            right_model=right,
            outcome=outcome,
            cast_at=at,
            decision_time=timedelta(seconds=2),
        )
        for battle, (left, right, voter, outcome) in zip(made, battles_, strict=True)
    )
    for (left, right, outcome), n in cells.items():
        tally, _ = Tally.objects.get_or_create(
            category=category,
            day=at.date(),
            left_model_id=left,
            right_model_id=right,
            outcome=outcome,
            defaults={"n": 0},
        )
        Tally.objects.filter(pk=tally.pk).update(n=tally.n + n, changed_at=timezone.now())
    assert pair_counts.differences(category) == {}


def many_votes(category, voters, most, prompts=1):
    """Votes cast here: `voters` × `most`, by voters who stick to their own taste. Stored as rows, for speed."""
    random, at = Random(3), timezone.now()
    competition = make.make_competition(category)
    models = [make.make_model() for _ in range(4)]
    entries = []
    for _ in range(prompts):
        prompt = make.make_prompt(competition)
        entries.append([make.make_entry(prompt, model) for model in models])
    for _ in range(voters):
        voter = make.make_voter()
        taste = {model.pk: random.gauss(-index / 2, 1) for index, model in enumerate(models)}
        pairs = [pair for row in entries for pair in combinations(row, 2)]
        for left, right in random.sample(pairs, min(most, len(pairs))):
            battle = make.make_battle(voter=voter, left=left, right=right, served_at=at)
            voting.cast_vote(battle, "left" if taste[left.image_model_id] > taste[right.image_model_id] else "right")
