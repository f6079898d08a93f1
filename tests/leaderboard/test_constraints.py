"""Postgres refuses what cannot be true of ratings and snapshots."""

from __future__ import annotations

import math

import pytest
from django.db.models import ProtectedError
from django.utils import timezone

from leaderboard.models import HeadToHead, Rating, SharedRanking, Snapshot
from tests import factories as make
from tests.arena.test_constraints import refuses, update

pytestmark = pytest.mark.django_db


def test_rating():
    rating = Rating.objects.create(
        category=make.make_category(),
        image_model=make.make_model(),
        elo=1000,
        lower=990,
        upper=1010,
        rank=1,
        votes=10,
        both_bad=2,
        status="usable",
    )
    refuses("a rating lies in its interval", update(rating, lower=1001))
    refuses("a rating lies in its interval", update(rating, upper=999))
    refuses("ranks start at one", update(rating, rank=0))
    refuses("a rank interval runs downwards", update(rating, rank_low=2, rank_high=1))
    refuses("a rank interval runs downwards", update(rating, rank_low=0))
    refuses("a model without an interval has no rank", update(rating, upper=math.inf))
    refuses("a model without an interval has no rank", update(rating, rank=None))
    refuses("effective numbers are not negative", update(rating, effective_voters=-1))
    refuses("a chance is in", update(rating, best=1.01))
    refuses("tiers start at one", update(rating, tier=0))
    refuses("errors are not negative", update(rating, se=-1))
    refuses("errors are not negative", update(rating, design_effect=-1))
    refuses("both-bad votes are votes", update(rating, both_bad=11))
    refuses("rating status is known", update(rating, status="great"))
    again = {"elo": 1, "lower": 1, "upper": 1, "rank": 1, "votes": 0, "status": "usable"}
    refuses(
        "one rating per category and model",
        lambda: Rating.objects.create(category=rating.category, image_model=rating.image_model, **again),
    )


def test_head_to_head():
    row = HeadToHead.objects.create(category=make.make_category(), window="all", image_models=[1, 2], entries=bytes(16))
    refuses("every pair of models has its votes", update(row, entries=bytes(12)))
    refuses("every pair of models has its votes", update(row, image_models=[1, 2, 3]))
    refuses("a head to head is of a known window", update(row, window="1d"))
    again = {"category": row.category, "window": "all", "image_models": [], "entries": b""}
    refuses("one head to head per board", lambda: HeadToHead.objects.create(**again))


def test_shared_ranking():
    link = SharedRanking.objects.create(voter=make.make_voter(), category=make.make_category(), until=timezone.now())
    refuses("a shared ranking has its token", update(link, token="1"))
    again = {"voter": link.voter, "category": link.category, "until": link.until}
    refuses("one link per voter and ranking", lambda: SharedRanking.objects.create(**again))


def test_snapshot():
    good = {"method_version": "1", "engine_version": "1", "sha256": "0" * 64, "cells": [], "ratings": []}
    category = make.make_category()

    def create(**fields):
        return lambda: Snapshot.objects.create(category=category, **good | fields)

    refuses("a snapshot has its sha256", create(sha256=""))
    refuses("a snapshot names method and engine", create(method_version=""))
    refuses("a snapshot names method and engine", create(engine_version=""))
    snapshot = create()()
    refuses("a snapshot never changes", update(snapshot, sha256="1" * 64))
    refuses("a snapshot never changes", snapshot.delete)
    with pytest.raises(ProtectedError):
        category.delete()
