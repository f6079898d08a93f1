"""From tallies to boards."""

from __future__ import annotations

import csv
import io
import json
import math
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import combinations
from pathlib import Path
from random import Random

import numpy as np
import pytest
from django.conf import settings
from django.db import connection
from django.db.models import F, Q
from django.utils import timezone

from arena import battles, integrity, pairing, voting
from arena.imports.votes import load
from arena.models import Category, ImageTally, Prompt, Tally, Vote
from arena.voting import recount
from leaderboard.board import image_records, pair_counts, ratings, raw_votes, standings
from leaderboard.board_page import csv_export
from leaderboard.models import Board, Rating, Record
from leaderboard.rating import elo, intervals
from tests import factories as make
from tests.leaderboard.voting import cast

GOLDEN = json.loads((Path(__file__).parents[1] / "rating" / "golden-ratings.json").read_text())
VOTES = settings.BASE_DIR / "arena" / "demo" / "votes"


@pytest.fixture
def category():
    """A category with one vote: A beat B."""
    battle = make.make_battle()
    voting.cast_vote(battle, "left")
    return battle.prompt.competition.category


@pytest.mark.django_db
@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_real_votes_come_out_as_the_reference_ratings_on_the_board_and_in_its_csv(client, name):
    category = make.make_category(name)
    load.import_votes((VOTES / f"votes-{name}.csv").read_bytes(), category, "ImagenHub")
    assert ratings.recompute(category)
    expected = GOLDEN[name]["ratings"]
    knows_raters = Board.objects.get(category=category).voters > 0
    rows = list(csv.DictReader(io.StringIO(client.get(f"/leaderboard/{name}.csv").content.decode())))
    assert {row["model"] for row in rows} == set(expected)
    for row in rows:
        reference = expected[row["model"]]
        assert float(row["elo"]) == pytest.approx(reference["elo"], abs=1e-4)
        half_width = (float(row["upper"]) - float(row["lower"])) / 2
        if knows_raters:  # three raters, and samples: wider than if all votes were independent
            assert half_width > 1.5 * 1.959964 * reference["sandwich_se"]
        else:
            assert half_width == pytest.approx(1.959964 * reference["sandwich_se"], rel=0.02)
            assert int(row["rank_low"]) <= reference["rank"] <= int(row["rank_high"])
        assert int(row["votes"]) == reference["battles"]
    assert [float(row["elo"]) for row in rows] == sorted((float(row["elo"]) for row in rows), reverse=True)


@pytest.mark.django_db
def test_a_vote_moves_the_board(category):
    assert ratings.recompute(category)
    before = {standing.rating.image_model_id: standing.rating.elo for standing in standings.board(category)}
    vote = Vote.objects.get()
    again = make.make_battle(left=vote.battle.left, right=vote.battle.right)
    voting.cast_vote(again, "right")
    assert ratings.recompute_moved() == [category]
    after = {standing.rating.image_model_id: standing.rating.elo for standing in standings.board(category)}
    assert after[vote.left_model_id] < before[vote.left_model_id]


@pytest.mark.django_db
def test_nothing_is_recomputed_when_nothing_moved(category):
    assert ratings.recompute(category)
    computed_at = Board.objects.get().computed_at
    assert not ratings.recompute(category)
    assert ratings.recompute_moved() == []
    assert Board.objects.get().computed_at == computed_at


@pytest.mark.django_db
def test_ratings_are_derived_dropping_and_recomputing_gives_the_same(category):
    ratings.recompute(category)
    rows = sorted(Rating.objects.values_list("image_model", "elo", "lower", "upper", "rank", "votes", "status"))
    Rating.objects.all().delete()
    Board.objects.all().delete()
    ratings.recompute(category)
    again = sorted(Rating.objects.values_list("image_model", "elo", "lower", "upper", "rank", "votes", "status"))
    assert [row[0] for row in again] == [row[0] for row in rows]
    for old, new in zip(rows, again, strict=True):
        assert new[1:4] == pytest.approx(old[1:4], abs=1e-9)
        assert new[4:] == old[4:]


@pytest.mark.django_db
def test_a_failure_leaves_the_last_good_board_standing_says_so_and_is_retried(category, monkeypatch):
    ratings.recompute(category)
    good = list(Rating.objects.values_list("pk", "elo"))
    again = make.make_battle(left=Vote.objects.get().battle.left, right=Vote.objects.get().battle.right)
    voting.cast_vote(again, "right")
    monkeypatch.setattr(elo, "fit", lambda *_, **__: 1 / 0)
    assert not ratings.recompute(category)
    assert list(Rating.objects.values_list("pk", "elo")) == good
    assert "ZeroDivisionError" in Board.objects.get().error
    monkeypatch.undo()
    assert ratings.recompute(category)
    assert Board.objects.get().error == ""


@pytest.mark.django_db(transaction=True)
def test_simultaneous_ticks_recompute_a_category_once(category):
    barrier = threading.Barrier(6)

    def tick(_):
        try:
            barrier.wait()
            return ratings.recompute(category)
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(tick, range(6))) == 1


@pytest.mark.django_db
def test_the_recount_finds_a_tally_that_lies(category, caplog):
    assert pair_counts.check() == 0
    Tally.objects.update(n=2)
    assert pair_counts.check() == 1
    assert "tally differs" in caplog.text


@pytest.mark.django_db
def test_a_category_without_votes_has_an_empty_board():
    category = make.make_category()
    ratings.recompute(category)
    assert standings.board(category) == []
    assert csv_export.board_csv([]).startswith("rank,model,elo,lower,upper,votes,status")


@pytest.mark.django_db
def test_records_of_a_competition_count_wins_ties_and_losses():
    one = make.make_entry()
    other = make.make_entry(one.prompt)
    for outcome in ("left", "left", "right", "tie", "both_bad"):
        voting.cast_vote(make.make_battle(left=one, right=other), outcome)
    image_records.recount(one.prompt.competition.category, force=True)
    best, worst = image_records.of_competition(one.prompt.competition)
    assert (best.image_model, best.won, best.tied, best.lost) == (one.image_model, 2, 2, 1)
    assert (worst.won, worst.tied, worst.lost, worst.votes) == (1, 2, 2, 5)
    assert best.points == pytest.approx(0.6)


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
def test_the_sampler_follows_the_ratings(category):
    assert pairing.pool(category).table is None
    ratings.recompute(category)
    table = pairing.pool(category).table
    assert list(table.models) == sorted(Rating.objects.values_list("image_model", flat=True))
    battle = battles.serve(make.make_voter(), category)
    battle.refresh_from_db()
    assert battle.probability == pytest.approx(1)


@pytest.mark.django_db
def test_an_excluded_vote_leaves_the_board_and_an_included_one_comes_back(category):
    many_votes(category, voters=5, most=6)
    ratings.recompute(category)
    before = sorted(Rating.objects.values_list("image_model", "elo", "votes"))
    some = [vote.pk for vote in Vote.objects.all()[:7]]
    integrity.exclude(some, "a test", "test-1")
    assert ratings.recompute(category)
    assert sorted(Rating.objects.values_list("image_model", "elo", "votes")) != before
    integrity.include(some)
    assert ratings.recompute(category)
    after = sorted(Rating.objects.values_list("image_model", "elo", "votes"))
    for old, new in zip(before, after, strict=True):
        assert new == pytest.approx(old, abs=1e-9)


@pytest.mark.django_db
def test_a_model_that_never_lost_is_not_yet_bounded_on_the_page(client, category):
    ratings.recompute(category)
    page = client.get(category.get_absolute_url()).content.decode()
    assert "no interval yet" in page
    assert "No place yet" in page
    assert "is-unsettled" in page


@pytest.mark.django_db
def test_a_board_says_which_limit_binds(client):
    category = make.make_category("imagenhub")
    rows = csv.DictReader(io.StringIO((VOTES / "votes-imagenhub-text-to-image.csv").read_text()))
    unknown = "".join(f"{row['prompt']},{row['left']},{row['right']},{row['outcome']}\n" for row in rows)  # no voters
    load.import_votes(f"prompt,left,right,outcome\n{unknown}".encode(), category, "ImagenHub")
    ratings.recompute(category)
    page = client.get(category.get_absolute_url()).content.decode()
    limit = standings.limit(Category.objects.select_related("board").get(pk=category.pk))
    assert limit.is_prompts
    assert "197 prompts" in page
    further = f"further (±{limit.from_prompts:.0f}) than other votes on the same ones (±{limit.from_votes:.0f})"
    assert f"Other prompts could move the ratings {further}." in page
    assert "another model would be highest" in page


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
