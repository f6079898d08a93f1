"""Postgres refuses what cannot be true of ratings and snapshots."""

from __future__ import annotations

import pytest

from leaderboard.models import Rating, Snapshot
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
    refuses("both-bad votes are votes", update(rating, both_bad=11))
    refuses("rating status is known", update(rating, status="great"))
    again = {"elo": 1, "lower": 1, "upper": 1, "rank": 1, "votes": 0, "status": "usable"}
    refuses(
        "one rating per category and model",
        lambda: Rating.objects.create(category=rating.category, image_model=rating.image_model, **again),
    )


def test_snapshot():
    snapshot = Snapshot.objects.create(
        category=make.make_category(), method_version="1", engine_version="1", sha256="0" * 64, cells=[], ratings=[]
    )
    refuses("a snapshot has its sha256", update(snapshot, sha256=""))
    refuses("a snapshot names method and engine", update(snapshot, method_version=""))
    refuses("a snapshot names method and engine", update(snapshot, engine_version=""))
