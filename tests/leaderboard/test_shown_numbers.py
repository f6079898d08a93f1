"""Every number of a board, in each place that shows it: against the row it comes from, in literal units.

Half of what a page can get wrong is a sign, a swapped column, a place counted from nought, a factor of a hundred.
"""

from __future__ import annotations

import csv
import html
import json
import math
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.db.models import F, Q
from django.utils import timezone

from arena.models import Vote
from leaderboard.board import image_records, pair_counts, ratings, standings
from leaderboard.board_page import highlights
from leaderboard.chooser import catalogue
from leaderboard.models import Board, Rating, RecentRating
from leaderboard.news import feeds
from leaderboard.news.movements import Mark, Move
from leaderboard.rating import elo, intervals
from leaderboard.rating.place import Place
from leaderboard.social_cards import model as model_card
from leaderboard.voter import reveal
from providers.models import Offering
from providers.performance import percentiles, summaries
from tests import factories as make
from tests.leaderboard.voting import cast

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("board")]
URL = "/leaderboard/text-to-image/"


def board_of_four():
    """Four models of clearly different strength, one with a price of 3.4 cents and 2.5 seconds an image."""
    models = [make.make_model(f"bird-{n}", f"Bird {n}", origin="catalog") for n in range(4)]
    category = make.make_category()
    cast(category, models, 500, strengths={model: 1.1 * n for n, model in enumerate(models)})
    sold = Offering.objects.get(image_model=models[2])
    Offering.objects.update(price=None)
    Offering.objects.filter(pk=sold.pk).update(price=Decimal("0.034"))
    for _ in range(percentiles.SAMPLES_FOR_P50):
        make.make_call(sold, duration=timedelta(seconds=2.5), ttfb=timedelta(seconds=0.5))
    summaries.compute()
    ratings.recompute(category)
    # Uneven halves, so that the wider one differs from the narrower and from the mean; and a rank that nobody shows.
    Rating.objects.update(both_bad=F("votes") / 7, lower=F("lower") - 9, rank=77)
    return category


@pytest.fixture(scope="module")
def shared_board(shared_rows):
    return shared_rows.make(board_of_four)


@pytest.fixture
def board(shared_rows, shared_board):
    return shared_rows.lend(shared_board)


def margin(row: Rating | RecentRating) -> str:
    """The ± of an interval: its wider half."""
    return f"±{max(row.upper - row.elo, row.elo - row.lower):.0f}"


def rows_of(category) -> list[Rating | RecentRating]:
    rows = [standing.rating for standing in standings.board(category)]
    assert [row.image_model.name for row in rows] == ["Bird 3", "Bird 2", "Bird 1", "Bird 0"]
    assert all(row.lower < row.elo - 5 < row.elo + 5 < row.upper for row in rows)
    return rows


def text_of(cell: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", cell)).split())


def cells_of(page: str, name: str) -> dict[str, str]:
    """Class → cell of the table's row of a model."""
    (row,) = (row for row in re.findall(r'<tr class="row.*?</tr>', page, re.S) if f">{name}</a>" in row)
    return dict(re.findall(r'<t[dh][^>]*class="(?:number )?col-(\w+)"[^>]*>(.*?)</t[dh]>', row, re.S))


def test_the_row_of_a_board_and_those_of_its_models(board):
    cells = pair_counts.counts(board).cells()
    plain, side = intervals.careful(elo.fit(cells), cells), elo.side_effect(cells)
    row = Board.objects.get(category=board)
    assert (row.votes, row.voters, row.prompts) == (500, 40, 1)
    assert (row.effective_voters, row.effective_prompts) == (pytest.approx(40, rel=0.01), 1)
    assert row.tie_rate == pytest.approx(Vote.objects.filter(outcome="tie").count() / 500)
    assert (row.side_effect, row.side_effect_se) == pytest.approx((side.elo, side.se))
    flips = intervals.votes_to_flip(plain, cells), intervals.votes_added_to_flip(plain, cells)
    assert (row.votes_to_flip, row.votes_added_to_flip) == flips
    assert row.votes_to_settle is None
    for rating in rows_of(board):
        own = Vote.objects.filter(Q(left_model=rating.image_model) | Q(right_model=rating.image_model))
        assert rating.voters == own.values("voter").distinct().count()
        assert (rating.effective_prompts, rating.half_width_from_prompts) == (1, math.inf)
        assert 20 < rating.effective_voters <= rating.voters
        assert rating.half_width_from_votes == pytest.approx(1.96 * rating.se, rel=0.01)  # one prompt shows no spread


def test_a_boards_table(client, board):
    page = client.get(URL).content.decode()
    axis = re.search(r'"axis">\s*<span>(\d+)</span>.*?<span>(\d+)</span>\s*</span>', page, re.S)
    low, high = int(axis[1]), int(axis[2])
    for place, row in enumerate(rows_of(board), 1):
        cells = cells_of(page, row.image_model.name)
        assert text_of(cells["place"]).startswith(("1st", f"{row.place.low}"))
        assert row.place.low <= place <= row.place.high
        assert text_of(cells["elo"]) == f"{row.elo:.0f} {margin(row)}"
        assert f'aria-label="{row.lower:.0f} to {row.upper:.0f}"' in cells["interval"]
        start, width, point = (
            float(re.search(rf'class="{part}".*?{side}="([\d.]+)%"', cells["interval"], re.S)[1])
            for part, side in (("range", "x"), ("range", "width"), ("point", "x"))
        )
        assert start == pytest.approx(100 * (row.lower - low) / (high - low), abs=1)
        assert start + width == pytest.approx(100 * (row.upper - low) / (high - low), abs=1)
        assert point == pytest.approx(100 * (row.elo - low) / (high - low), abs=1)
        shown = Vote.objects.filter(left_model=row.image_model) | Vote.objects.filter(right_model=row.image_model)
        assert text_of(cells["votes"]) == f"{shown.count():,}" == f"{row.votes:,}"
        assert text_of(cells["keeper"]) == f"{100 * (1 - row.both_bad / row.votes):.0f}%"
        is_sold = row.image_model.slug == "bird-2"
        assert text_of(cells["price"]) == ("$0.034" if is_sold else "–")
        assert text_of(cells["seconds"]) == ("2.5" if is_sold else "–")


def test_a_boards_csv(client, board):
    lines = list(csv.DictReader(client.get("/leaderboard/text-to-image.csv").content.decode().splitlines()))
    assert [line["model"] for line in lines] == ["bird-3", "bird-2", "bird-1", "bird-0"]
    for line, row in zip(lines, rows_of(board), strict=True):
        numbers = {"rank": row.place.low, "votes": row.votes, "rank_low": row.place.low, "rank_high": row.place.high}
        assert {name: int(line[name]) for name in numbers} == numbers
        elos = {"elo": row.elo, "lower": row.lower, "upper": row.upper}
        assert {name: line[name] for name in elos} == {name: f"{elo:.6f}" for name, elo in elos.items()}
        assert line["best"] == f"{row.best:.4f}"
        assert line["keeper_rate"] == f"{1 - row.both_bad / row.votes:.4f}"
        assert line["place"] == str(row.place)
        assert line["name"] == row.image_model.name
    sold = lines[1]
    assert (Decimal(sold["price_usd"]), sold["median_seconds"]) == (Decimal("0.034"), "2.500")
    assert {(line["price_usd"], line["median_seconds"]) for line in lines if line is not sold} == {("", "")}


def test_a_board_in_the_api(client, board):
    data = client.get("/api/v1/leaderboards/text-to-image/").json()
    votes = Vote.objects.all()
    ties = votes.filter(outcome__in=("tie", "both_bad")).count() / votes.count()
    shown = {name: data[name] for name in ("votes", "voters", "prompts", "tie_rate", "models")}
    assert shown == {"votes": 500, "voters": 40, "prompts": 1, "tie_rate": round(ties, 6), "models": 4}
    for line, row in zip(data["standings"], rows_of(board), strict=True):
        place = {"text": str(row.place), "low": row.place.low, "high": row.place.high, "of": 4, "best": row.best}
        assert line["place"] == place
        assert [line[name] for name in ("elo", "lower", "upper")] == [
            round(elo, 6) for elo in (row.elo, row.lower, row.upper)
        ]
        assert (line["votes"], line["status"], line["tier"]) == (row.votes, row.status, row.tier)
        assert line["keeper_rate"] == round(1 - row.both_bad / row.votes, 6)
    assert [line["price_usd"] for line in data["standings"]] == [None, 0.034, None, None]


def test_json_ld_of_board_and_model(client, board):
    def things(url):
        return [
            thing
            for block in re.findall(r"<script type=\"application/ld\+json\"[^>]*>(.*?)</script>",
                                    client.get(url).content.decode(), re.S)
            for thing in json.loads(block)["@graph"]
        ]  # fmt: skip

    (listed,) = (thing for thing in things(URL) if thing["@type"] == "ItemList")
    assert [(item["name"], item["description"]) for item in listed["itemListElement"]] == [
        (row.image_model.name, f"{row.place}, Elo {row.elo:.0f} {margin(row)}") for row in rows_of(board)
    ]
    (software,) = (thing for thing in things("/models/bird-2/") if thing["@type"] == "SoftwareApplication")
    assert (Decimal(software["offers"]["price"]), software["offers"]["priceCurrency"]) == (Decimal("0.034"), "USD")


def test_the_figures_of_a_reveal(board):
    for row in rows_of(board):
        figures = reveal._figures(reveal.ratings_of(board.pk)[row.image_model_id])
        assert figures.elo == f"{row.elo:.0f} {margin(row)}"


def test_a_models_card(board):
    row = rows_of(board)[1]
    facts = dict(model_card._facts(row.image_model, model_card.model.places_of(row.image_model)))
    assert facts == {"Text to image": str(row.place), "Elo": f"{row.elo:.0f} {margin(row)}", "From": "$0.034"}


def between(one, other, **when) -> tuple[int, int, int, int]:
    """What the votes say, row by row: won, tied, lost, both bad, from the side of `one`."""
    sides = [(vote.left_model_id, vote.right_model_id, vote.outcome) for vote in Vote.objects.filter(**when)]
    own = [outcome for left, right, outcome in sides if (left, right) == (one.pk, other.pk)]
    turned = [outcome for left, right, outcome in sides if (left, right) == (other.pk, one.pk)]
    return (
        own.count("left") + turned.count("right"),
        own.count("tie") + turned.count("tie"),
        own.count("right") + turned.count("left"),
        own.count("both_bad") + turned.count("both_bad"),
    )


def test_a_models_head_to_head(client, board):
    rows = rows_of(board)
    own = rows[1]
    page = client.get(own.image_model.get_absolute_url()).content.decode()
    for row in rows:
        if row is not own:
            won, tied, lost, both_bad = between(own.image_model, row.image_model)
            votes = won + tied + lost + both_bad
            share = (won + (tied + both_bad) / 2) / votes
            (shown,) = re.findall(rf'dir="auto">{row.image_model.name}</a>\s*<svg.*?</li>', page, re.S)
            assert f"{won} won, {tied + both_bad} tied, {lost} lost" in shown
            numbers = [
                " ".join(number.split()) for number in re.findall(r'<span class="number[^>]*>(.*?)</span>', shown, re.S)
            ]
            # Wilson's interval: every share that is within 1.96 of its own standard errors of what was seen.
            within = [
                p / 1e5
                for p in range(1, 100_000)
                if abs(p / 1e5 - share) <= 1.96 * math.sqrt(p / 1e5 * (1 - p / 1e5) / votes)
            ]
            assert numbers == [f"{100 * share:.0f}% of {votes}", f"{100 * within[0]:.0f}%–{100 * within[-1]:.0f}%"]


@pytest.fixture
def timed(board):
    """An offering with 40 calls of a tenth to four seconds and ten that its provider failed."""
    model = Rating.objects.get(category=board, image_model__slug="bird-2").image_model
    offering = make.make_offering(model, "simulated-fal", price=Decimal("0.051"))
    for n in range(1, 41):
        make.make_call(offering, duration=timedelta(seconds=n / 10), ttfb=timedelta(seconds=n / 20))
    for _ in range(10):
        make.make_call(offering, outcome="timeout", error="No answer.")
    summaries.compute()
    return offering


def test_a_models_speed_table(client, timed):
    page = client.get("/models/bird-2/").content.decode()
    (table,) = re.findall(r'aria-label="Provider rankings".*?</table>', page, re.S)
    row = next(row for row in re.findall(r"<tr>\s*<td.*?</tr>", table, re.S) if "/providers/simulated-fal/" in row)
    cells = [text_of(cell) for cell in re.findall(r"<td[^>]*>.*?</td>", row, re.S)]
    # Rank, p50, p95, the provider's own time, success rate, first byte, requests.
    assert cells == ["1", "2 s", "3.8 s", "–", "80.0% 40/50", "1 s", "50"]


def test_an_offering_in_the_api(client, timed):
    (sold,) = client.get("/api/v1/offerings/?model=bird-2&provider=simulated-fal").json()["data"]
    assert sold["performance"] == {
        "samples": 40, "p50_seconds": 2.05, "p95_seconds": 3.805, "provider_p50_seconds": None,
        "success_rate": 0.8, "judged_calls": 50,
    }  # fmt: skip
    assert (sold["price"]["amount_usd"], sold["price"]["image_usd"]) == (0.051, 0.051)


def test_a_prompts_images_in_the_api(client, board):
    image_records.recount(board, force=True)
    prompt = board.competitions.get().prompts.get()
    images = client.get(f"/api/v1/prompts/{prompt.pk}/").json()["images"]
    models = {row.image_model.slug: row.image_model for row in rows_of(board)}
    assert {image["model"] for image in images} == set(models)
    for image in images:
        others = [other for slug, other in models.items() if slug != image["model"]]
        won, tied, lost, both_bad = map(
            sum, zip(*(between(models[image["model"]], other) for other in others), strict=True)
        )
        assert [image[name] for name in ("won", "tied", "lost", "both_bad")] == [won, tied, lost, both_bad]
        assert image["score"] == round((won + (tied + both_bad) / 2) / (won + tied + lost + both_bad), 6)


def test_a_comparisons_facts(client, board):
    other, one = rows_of(board)[1:3]
    page = client.get("/compare/bird-1/bird-2/").content.decode()
    facts = {
        text_of(label): (text_of(left), text_of(right))
        for left, label, right in re.findall(
            r"<tr>\s*<td[^>]*>(.*?)</td>\s*<th[^>]*>(.*?)</th>\s*<td[^>]*>(.*?)</td>\s*</tr>", page, re.S
        )
    }
    usable = [1 - row.both_bad / row.votes for row in (one, other)]
    assert facts["usable"] == tuple(f"{100 * share:.0f}%" for share in usable)
    assert facts["price"] == ("–", "$0.034")
    assert facts["price per usable image"] == ("–", f"${0.034 / usable[1]:.4f}")
    assert facts["median time"] == ("–", "2.5 s")
    assert other.place.high < one.place.low
    assert facts["place"] == (str(one.place), f"{other.place} better")


def test_the_price_of_a_usable_image(board):
    (row,) = (row for row in catalogue.rows("text-to-image", board) if row.image_model.slug == "bird-2")
    assert row.usable_price == pytest.approx(Decimal("0.034") / (1 - Decimal(row.rating.both_bad) / row.rating.votes))


def test_the_share_of_votes_left_out(client, board):
    page = client.get(URL).content.decode()
    assert "No vote was left out" in page
    ids = Vote.objects.values_list("pk", flat=True)[:100]
    Vote.objects.filter(pk__in=list(ids)).update(excluded_reason="Too quick.", excluded_rule="pace/1")
    assert ratings.recompute(board, force=True)
    counted = board.board.votes
    page = client.get(URL).content.decode()
    assert f"{100 * 100 / (100 + counted):.2g}% of votes were not counted" in page
    assert "100 votes broke a rule" in page


def test_a_move_in_a_feed():
    before, now = Mark(1000.4, 9, Place(3, 4, 5)), Mark(1100.4, 9, Place(1, 2, 5))
    assert feeds._moved(Move("Kite", "moved", before, now)) == "Kite: 1–2 of 5, Elo 1100; before: 3–4 of 5, Elo 1000"
    assert feeds._moved(Move("Kite", "new", None, now)) == "Kite: new, 1–2 of 5, Elo 1100"
    assert feeds._moved(Move("Kite", "gone", before, None)) == "Kite: no longer on the board"


def test_the_closest_pairs_of_the_week(board):
    models = [row.image_model for row in rows_of(board)]
    cast(board, models, 100, days_ago=20, seed=2)
    pairs = highlights.closest_pairs(board, ())
    distances = []
    for pair in pairs:
        this_week = timezone.now() - timedelta(days=8)
        won, tied, lost, both_bad = between(pair.left.image_model, pair.right.image_model, cast_at__gt=this_week)
        assert pair.votes == won + tied + lost + both_bad
        assert pair.share == pytest.approx((won + (tied + both_bad) / 2) / pair.votes)
        distances.append(abs(pair.share - 0.5))
    assert len(pairs) > 1
    assert distances == sorted(distances)
