"""Ratings from single votes: voters are clusters, and a large category is a sample of them."""

from __future__ import annotations

import math
from collections import Counter
from datetime import timedelta

import numpy as np
import pytest
from django.conf import settings
from django.db.models import F, Q
from django.utils import timezone

from arena import voting
from arena.imports.votes import load
from arena.models import ImageTally, Prompt, Tally, Vote
from arena.voting import recount
from leaderboard.board import image_records, ratings, raw_votes
from leaderboard.models import Board, Rating, Record
from leaderboard.rating import intervals
from tests import factories as make
from tests.leaderboard.voting import cast, many_votes

VOTES = settings.BASE_DIR / "arena" / "demo" / "votes"


@pytest.mark.django_db
def test_intervals_take_voters_as_clusters_and_the_quick_path_remembers_how_much_that_matters(category):
    other = make.make_category("other")
    many_votes(other, voters=40, most=6)
    ratings.recompute(other)
    first = list(Rating.objects.filter(category=other))
    assert {rating.voters for rating in first} == {40}
    assert all(rating.status == "provisional" for rating in first)  # 120 votes each
    assert [rating.half_width_from_prompts for rating in first] == [math.inf] * 4  # one prompt
    for rating in first:
        assert rating.se * 1.959964 == pytest.approx(rating.upper - rating.elo, rel=1e-5)
    board = Board.objects.get(category=other)
    assert (board.voters, board.prompts) == (40, 1)
    effect = {rating.image_model_id: rating.design_effect for rating in first}
    assert all(value != 1 for value in effect.values())
    many = Vote.objects.filter(category=other).first()
    voting.cast_vote(make.make_battle(left=many.battle.left, right=many.battle.right), "left")
    assert ratings.recompute(other)
    again = Board.objects.get(category=other)
    assert again.clustered_at == board.clustered_at  # within the minute: the quick path
    assert {r.image_model_id: r.design_effect for r in Rating.objects.filter(category=other)} == effect
    assert not ratings.recompute(other)
    Board.objects.filter(category=other).update(clustered_at=timezone.now() - timedelta(seconds=61))
    assert ratings.recompute(other)  # nothing moved since, but the raw votes had not been looked at
    fresh = Board.objects.get(category=other)
    assert fresh.clustered_at > board.clustered_at
    assert fresh.voters == 41
    Board.objects.filter(category=other).update(clustered_at=timezone.now() - timedelta(seconds=61))
    assert not ratings.recompute(other)


@pytest.mark.django_db
@pytest.mark.parametrize("part", [100, raw_votes.PART])
def test_raw_votes_are_the_votes_of_the_cells_and_every_cluster_is_in_one_part(part, monkeypatch):
    monkeypatch.setattr(raw_votes, "PART", part)
    category = make.make_category("imagenhub-image-editing")
    load.import_votes((VOTES / "votes-imagenhub-image-editing.csv").read_bytes(), category, "ImagenHub")
    computed = ratings.compute(category)
    cells = computed.cells
    expected: Counter = Counter()
    for left, right, score, n in zip(cells.left, cells.right, cells.score, cells.n, strict=True):
        expected[int(left), int(right), float(score)] += int(n)
    read = raw_votes.read(category, [int(model) for model in computed.fit.models])
    for parts, known in ((read.by_voter, 3), (read.by_prompt, 179)):
        counted: Counter = Counter()
        clusters = 0
        for part in parts:
            weight = np.ones(part.left.size) if part.weight is None else part.weight
            for *vote, n in zip(part.left.tolist(), part.right.tolist(), part.score.tolist(), weight, strict=True):
                counted[tuple(vote)] += int(n)
            clusters += part.known
        assert clusters == known
        assert not counted - expected
        assert not expected - counted
    assert (computed.spread.all_voters, computed.spread.all_prompts) == (3, 179)


@pytest.mark.django_db
def test_unknown_voters_are_each_their_own_and_keys_belong_to_their_source():
    category = make.make_category()
    header = "voter,prompt,left,right,outcome\n"
    rows = f"{header}ann,p,A,B,left\nann,p,A,B,left\n,,B,A,tie\n,,A,B,left\n,,A,B,left\n"
    load.import_votes(rows.encode(), category, "One")
    load.import_votes(f"{header}ann,p,A,B,right\n".encode(), category, "Two")
    read = raw_votes.read(category, sorted(Tally.objects.values_list("left_model", flat=True).distinct()))
    for parts in (read.by_voter, read.by_prompt):
        (part,) = parts
        weight = [1] * 6 if part.weight is None else part.weight.tolist()
        votes_of: Counter = Counter()
        for code, n in zip(part.cluster.tolist(), weight, strict=True):
            votes_of[code] += n
        assert part.known == 2
        assert sorted((votes_of[0], votes_of[1])) == [1, 2]
        assert {code: votes_of[code] for code in votes_of if code > 1} == {2: 1, 3: 1, 4: 1}


@pytest.mark.django_db
def test_votes_here_need_thirty_voters_and_a_published_study_does_not(monkeypatch):
    monkeypatch.setattr(intervals, "USABLE_VOTES", 5)
    monkeypatch.setattr(intervals, "USABLE_HALF_WIDTH", 1e6)
    monkeypatch.setattr(intervals, "WIDTH_DEGREES", 9)  # as many voters as of ten models: here there are two
    study = make.make_category("study")
    import_study(study, raters=12)
    ratings.recompute(study)
    assert {(rating.status, rating.voters) for rating in study.ratings.all()} == {("usable", 12)}
    few = make.make_category("few")
    import_study(few, raters=3)  # effective voters are a condition everywhere
    ratings.recompute(few)
    assert {(rating.status, rating.effective_voters) for rating in few.ratings.all()} == {("provisional", 3.0)}
    assert Board.objects.get(category=study).side_effect is None  # sides not randomised
    here = make.make_category("here")
    many_votes(here, voters=12, most=6)
    ratings.recompute(here)
    assert {rating.status for rating in here.ratings.all()} == {"provisional"}
    assert Board.objects.get(category=here).side_effect is not None


def import_study(category, raters):
    rows = "".join(f"rater{n % raters},p{n},A,B,{'left' if n % 4 else 'right'}\n" for n in range(72))
    load.import_votes(f"voter,prompt,left,right,outcome\n{rows}".encode(), category, "A study")


@pytest.mark.django_db
def test_one_voter_with_nine_tenths_of_an_import_settles_nothing():
    category = make.make_category("study")
    rows = "".join(
        f"{'busy' if n % 10 else f'v{n}'},p{n % 50},{'A,B' if n % 2 else 'B,A'},{'left' if n % 3 else 'right'}\n"
        for n in range(3000)
    )
    load.import_votes(f"voter,prompt,left,right,outcome\n{rows}".encode(), category, "A study")
    ratings.recompute(category)
    board = Board.objects.get()
    assert board.effective_voters == pytest.approx(1 / (0.81 + 300 / 3000**2))
    assert {rating.status for rating in category.ratings.all()} == {"provisional"}
    assert (board.finding["kind"], board.finding["lacking"]) == ("early", "models")


@pytest.mark.django_db
def test_a_large_category_is_rated_from_a_sample_of_voters_and_from_tallies(category, monkeypatch):
    models = [make.make_model() for _ in range(3)]
    for seed in range(3):  # a prompt each
        cast(category, models, 200, seed=seed, voters=50)
    recount.check()  # `cast` writes votes past their image tallies
    exact = ratings.compute(category)
    monkeypatch.setattr(raw_votes, "LARGE", 500)
    monkeypatch.setattr(raw_votes, "SAMPLED", 400)
    raw = raw_votes.read(category, [int(model) for model in exact.fit.models])
    assert raw.share == 0.5
    (part,) = raw.sampled
    sampled = Vote.objects.annotate(half=F("voter") % 2).filter(half=0)
    assert part.left.size == sampled.count() < 600
    won = Vote.objects.filter(left_model=models[0], outcome="left") | Vote.objects.filter(
        right_model=models[0], outcome="right"
    )
    at = exact.fit.models.index(str(models[0].pk))
    met = Vote.objects.filter(Q(left_model=models[0]) | Q(right_model=models[0]))
    assert raw.tallies.votes[:, at].sum() == met.count()
    assert raw.tallies.points[:, at].sum() == won.count() + met.filter(outcome__in=["tie", "both_bad"]).count() / 2
    rated = ratings.compute(category)
    np.testing.assert_array_equal(rated.fit.elo, exact.fit.elo)
    np.testing.assert_allclose(rated.fit.se, exact.fit.se, rtol=0.3)  # of 75 voters and three prompts
    assert image_records.recount(category, force=True)
    assert Record.objects.get(image_model=models[0], prompt=Prompt.objects.first()).won > 0
    monkeypatch.setattr(raw_votes, "SAMPLED", 100)
    ImageTally.objects.all().delete()  # as a fault would leave them: prompts are read from the votes
    raw = raw_votes.read(category, [int(model) for model in exact.fit.models])
    assert raw.tallies is None
    assert list(raw.by_prompt)


@pytest.mark.django_db
def test_an_import_into_a_large_category_is_read_whole_beside_the_sample(category, monkeypatch):
    """It made every vote of the category be read, for ever."""
    models = [make.make_model() for _ in range(3)]
    for seed in range(3):
        cast(category, models, 200, seed=seed, voters=50)
    recount.check()
    rows = "".join(
        f"judge {n % 6},image {n % 4},{models[n % 3].name},{models[(n + 1) % 3].name},{('left', 'right')[n % 2]}\n"
        for n in range(48)
    )
    load.import_votes(f"voter,prompt,left,right,outcome\n{rows}".encode(), category, "A study")
    exact = ratings.compute(category)
    here = Vote.objects.count()
    assert exact.counts.total == here + 48
    monkeypatch.setattr(raw_votes, "LARGE", 500)
    monkeypatch.setattr(raw_votes, "SAMPLED", 400)
    raw = raw_votes.read(category, [int(model) for model in exact.fit.models])
    assert raw.share == 0.5
    assert raw.tallies.votes.sum() == 2 * here
    assert sum(part.left.size for part in raw.by_voter) == 48
    assert sum(part.weight.sum() for part in raw.by_prompt) == 48
    rated = ratings.compute(category)
    np.testing.assert_array_equal(rated.fit.elo, exact.fit.elo)
    np.testing.assert_allclose(rated.fit.se, exact.fit.se, rtol=0.3)
    assert rated.spread.all_prompts == 3 + 4
    assert rated.spread.all_voters == pytest.approx(exact.spread.all_voters, rel=0.2)
