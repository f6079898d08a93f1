"""A model's page: everything it says comes from rows, nothing is said without them, and it stays quick and blind."""

from __future__ import annotations

import io
import json
import re
from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone
from PIL import Image

from arena import voting
from arena.models import Category, Entry
from leaderboard.board import snapshots, standings
from leaderboard.board.head_to_head import PairRecord
from leaderboard.board_page import pictures, rows, scatter
from leaderboard.board_page.pictures import RatedImage
from leaderboard.competitions import image_urls
from leaderboard.models import Board, Rating, Record
from leaderboard.profiles import competitions, head_to_head, opponents
from leaderboard.profiles import model as profiles
from providers.errors import OUTCOMES
from providers.models import ImageModel
from providers.performance import summaries
from tests import factories as make
from tests.leaderboard.pages import text_of

from .played import recount, section

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("played")]


def test_the_page_says_place_record_matchup_and_where_the_numbers_come_from(client, played):
    entry, other = played
    page = text_of(client.get(entry.image_model.get_absolute_url()))
    benchmarks = section(page, "benchmarks")
    assert "Based on 1 blind-vote competition:" in benchmarks
    assert "3 votes in Text to image" in benchmarks
    competition = section(page, "competitions")
    for piece in (entry.prompt.competition.title, "67%", entry.thumbnail.name, other.thumbnail.name):
        assert piece in competition, piece
    assert "2 – 0 – 1" in page
    matchups = section(page, "matchups")
    for piece in (
        other.image_model.name, "67% of 3", "21%–94%", "2 won, 0 tied, 1 lost", image_urls.tiny_url(other),
        f"/compare/{entry.image_model.slug}/{other.image_model.slug}/",
    ):  # fmt: skip
        assert piece in matchups, piece
    prices = section(page, "providers")
    for piece in ("$0.006", "estimated", "A price list", f"simulated-openai/{entry.image_model.slug}"):
        assert piece in prices, piece


def test_its_rivals_are_the_nearest_and_then_those_met_most_often():
    met = [
        (Rating(pk=n, elo=elo), PairRecord(won=won))
        for n, (elo, won) in enumerate([(1500, 9), (990, 1), (1300, 2), (1020, 1), (1200, 8), (1005, 1), (1400, 7)])
    ]
    assert [rating.pk for rating, _ in head_to_head.most_telling(1000, met)] == [5, 1, 3, 0, 4, 6]


def test_opponents_beyond_the_nearest_and_most_met_are_folded_below(client, played, monkeypatch):
    entry, other = played
    third = make.make_entry(entry.prompt)
    voting.cast_vote(make.make_battle(left=entry, right=third), "left")
    recount(entry.prompt.competition.category)
    monkeypatch.setattr(head_to_head, "NEAREST", 1)
    monkeypatch.setattr(head_to_head, "MOST_MET", 0)
    page = text_of(client.get(entry.image_model.get_absolute_url()))
    shown, _, folded = section(page, "matchups").partition("<details")
    rest = third if other.image_model.name in shown else other
    assert rest.image_model.name not in shown
    for piece in ("1 other model that it met", rest.image_model.name, "100% of 1" if rest == third else "67% of 3"):
        assert piece in folded, piece


def test_the_markdown_page_has_the_same_figures(client, played):
    entry, other = played
    markdown = text_of(client.get(f"{entry.image_model.get_absolute_url()[:-1]}.md"))
    assert f"- {entry.prompt.competition.title}: 67% of 3 votes, 2 won, 0 tied, 1 lost" in markdown
    assert f"- {other.image_model.name}: 67% of 3 votes (" in markdown


def test_a_result_stands_beside_the_image_it_met_most_that_still_competes(played):
    entry, other = played
    rare, often = (make.make_entry(entry.prompt) for _ in range(2))
    for opponent, votes in ((rare, 1), (often, 5)):
        for number in range(votes):
            left, right = (entry, opponent) if number % 2 else (opponent, entry)
            voting.cast_vote(make.make_battle(left=left, right=right), "tie")
    alone = make.make_entry(make.make_prompt(entry.prompt.competition), entry.image_model)
    results = [RatedImage(image, 0.5, 9) for image in (entry, alone)]
    assert [meeting.opponent for meeting in opponents.of_results(results).results] == [often, None]
    for image, gone in ((often, "retired_at"), (rare, "hidden_at")):
        Entry.objects.filter(pk=image.pk).update(**{gone: timezone.now()})
    ImageModel.objects.filter(pk=other.image_model_id).update(retired_at=timezone.now())
    assert [meeting.opponent for meeting in opponents.of_results(results).results] == [None, None]


def test_an_image_of_one_vote_is_neither_the_best_nor_the_worst(client, played):
    entry, _ = played
    model, competition = entry.image_model, entry.prompt.competition
    Record.objects.filter(image_model=model).delete()
    for won, lost in ((1, 0), (5, 0), (0, 1), (0, 5), (3, 2), (2, 3)):
        image = make.make_entry(make.make_prompt(competition), model)
        Record.objects.create(prompt=image.prompt, image_model=model, won=won, lost=lost)
    unvoted = make.make_entry(make.make_prompt(competition), model)
    _, _, extremes = competitions.results_and_uses(model, competitions.entries_of(model))
    of_board = pictures.of_models(competition.category, [model.pk])[model.pk]
    for shown in (extremes, of_board):
        assert [(image.share, image.votes) for image in shown] == [(1, 5), (1, 1), (0.6, 5), (0, 1), (0, 5)]
    address = f"{model.get_absolute_url()}images/"
    share = re.compile(r"<strong>\s*(\d+% of \d votes? won)")
    page = text_of(client.get(f"{address}?sort=worst"))
    shares = share.findall(page)
    assert shares[:3] == ["0% of 5 votes won", "0% of 1 vote won", "40% of 5 votes won"]
    assert page.rindex("data-entry") == page.index(f'data-entry="{unvoted.pk}"')  # without votes, last
    assert share.findall(text_of(client.get(f"{address}?sort=best"))) == shares[::-1]
    assert "Choose one of: new, best, worst" in text_of(client.get(f"{address}?sort=ugly"), 400)


def test_a_model_that_is_a_sample_or_imported_says_so_everywhere(client, played):
    entry, _ = played
    address = entry.image_model.get_absolute_url()
    for path in (address, f"{address}images/", f"{address[:-1]}.md"):
        assert "drawn by this site" in text_of(client.get(path)), path
    imported = make.make_model("elsewhere", "Elsewhere v1", origin="imported", lab=None)
    for path in ("/models/elsewhere/", "/models/elsewhere.md"):
        page = text_of(client.get(path))
        assert "imported" in page.lower()
        assert "drawn by this site" not in page
    assert imported.name in text_of(client.get("/models/elsewhere/"))


def test_every_section_of_a_model_without_anything_is_honest_and_empty(client):
    model = make.make_model("lonely", origin="catalog", lab=make.Lab.objects.create(slug="a-lab", name="A lab"))
    page = text_of(client.get(model.get_absolute_url()))
    for piece in (
        "not rated yet", "Nobody has rated it here yet", "no price known", "no votes, no images, no known provider",
    ):  # fmt: skip
        assert piece in page, piece
    assert not re.search(r"\$\d", page)
    assert "0%" not in page


def test_the_landscape_says_what_it_leaves_out(client, played):
    entry, other = played
    other.image_model.offerings.update(price=None)
    category = entry.prompt.competition.category
    charts = scatter.of_rows(rows.rows(standings.board(category), category.mode))
    assert [point.name for point in charts.cost.points] == [entry.image_model.name]
    assert charts.cost.notes == ("1 model without pricing omitted.",)
    assert charts.speed.notes == ("2 models waiting for enough speed data.",)
    page = text_of(client.get(entry.image_model.get_absolute_url()))
    assert "1 model without pricing omitted." in page
    assert re.search(rf'<a href="{re.escape(entry.image_model.get_absolute_url())}" class="current" ', page)


def test_images_of_a_prompt_the_reader_is_asked_about_are_hidden(client, played):
    entry, other = played
    voter = make.make_voter()
    make.make_battle(voter, entry, other)
    make.sign_in(client, voter)
    address = entry.image_model.get_absolute_url()
    for path in (address, f"{address}images/"):
        response = client.get(path)
        page = text_of(response)
        assert entry.thumbnail.name not in page
        assert "until you have voted" in page
        assert "Cookie" in response["Vary"]
    client.cookies.clear()
    assert entry.thumbnail.name in text_of(client.get(address))


def test_history_is_drawn_from_snapshots(client, played):
    entry, other = played
    category = entry.prompt.competition.category
    snapshots.take(category)
    address = entry.image_model.get_absolute_url()
    assert "Elo history" not in text_of(client.get(address))
    voting.cast_vote(make.make_battle(left=entry, right=other), "right")
    snapshots.take(category)
    recount(category)
    page = text_of(client.get(address))
    assert "Elo history" in page
    assert 'class="band"' in page


def test_refusals_and_failures_are_on_record(client, played):
    model = played[0].image_model
    offering = model.offerings.get()
    for outcome in ("content_policy", "content_policy", "timeout"):
        make.make_call(offering, outcome=outcome, error="No.")
    summaries.compute()
    performance = section(text_of(client.get(model.get_absolute_url())), "performance")
    assert "2 refused by a content policy, 1 failed through the provider’s fault" in performance
    assert "2 prompts answered, none failed" in performance


def test_an_old_price_stays_to_be_seen(client, played):
    offering = played[0].image_model.offerings.get()
    offering.price = Decimal("0.008")
    offering.save()
    prices = section(text_of(client.get(played[0].image_model.get_absolute_url())), "providers")
    assert "Price history" in prices
    assert "$0.008" in prices


def test_json_ld_says_what_the_page_says_and_cannot_be_broken_out_of(client):
    model = make.make_model("odd", "Odd </script><script>alert(1)</script>", origin="catalog", description="A & B")
    make.make_offering(model, "fal", price=Decimal("0.02"))
    page = text_of(client.get("/models/odd/"))
    assert "<script>alert" not in page
    data = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)[1])
    kinds = {item["@type"]: item for item in data["@graph"]}
    assert kinds["SoftwareApplication"]["name"] == model.name
    assert kinds["SoftwareApplication"]["offers"]["price"] == "0.020000"
    assert kinds["BreadcrumbList"]["itemListElement"][1]["item"] == "http://testserver/models/odd/"
    questions = {question["name"]: question["acceptedAnswer"]["text"] for question in kinds["FAQPage"]["mainEntity"]}
    assert "$0.02 per image" in questions[f"How much does {model.name} cost?"]
    assert f"How good is {model.name}?" not in questions  # nobody knows


def test_the_card_is_a_picture_of_the_board_as_it_is(client, played):
    entry, _ = played
    page = text_of(client.get(entry.image_model.get_absolute_url()))
    address = re.search(r'property="og:image" content="http://testserver([^"]+)"', page)[1]
    first = client.get(address)
    with Image.open(io.BytesIO(first.content)) as card:
        assert (card.format, card.size) == ("JPEG", (1200, 630))
    Board.objects.update(computed_at=timezone.now())
    assert address not in text_of(client.get(entry.image_model.get_absolute_url()))


def test_a_lab_shows_its_models_and_a_provider_what_it_sells_and_how_it_does(client, played):
    entry, _ = played
    lab = text_of(client.get("/labs/sample-studio/"))
    assert entry.image_model.name in lab
    assert 'class="plot forest' in lab
    for _ in range(5):
        make.make_call(entry.image_model.offerings.get(), duration=timedelta(seconds=2))
    summaries.compute()
    summaries.compute()
    provider = text_of(client.get("/providers/simulated-openai/"))
    for piece in ("simulated", entry.image_model.name, "$0.006", "Median"):
        assert piece in provider, piece
    assert client.get("/labs/nobody/").status_code == client.get("/providers/nobody/").status_code == 404
    assert "no key set" in text_of(client.get("/providers/fal/"))


def test_another_board_of_the_model_can_be_asked_for(client, played):
    model = played[0].image_model
    other = make.make_category("elsewhere", source_name="Others")
    Rating.objects.create(
        category=other, image_model=model, elo=1000, lower=990, upper=1010, rank=1, votes=9, status="provisional"
    )
    Board.objects.create(category=other, computed_at=timezone.now())
    assert Category.objects.count() == 2
    page = text_of(client.get(model.get_absolute_url(), {"board": "elsewhere"}))
    assert "come from Others, not from this site" in page
    response = client.get(model.get_absolute_url(), {"board": "nothing"})
    assert response.status_code == 400
    page = " ".join(response.content.decode().split())
    assert "come from Others" not in page
    assert "“nothing” is not a board that rates this model" in page


def test_use_cases_come_from_prompts_with_votes_enough(client, played):
    entry, other = played
    entry.prompt.tags = ["signs & letters"]
    entry.prompt.save(update_fields=["tags"])
    address = entry.image_model.get_absolute_url()
    assert "Use cases" not in text_of(client.get(address))
    for number in range(17):
        voting.cast_vote(make.make_battle(left=entry, right=other), "right" if number % 2 else "left")
    recount(entry.prompt.competition.category)
    uses = section(text_of(client.get(address)), "uses")
    assert "signs &amp; letters" in uses
    assert "1 prompt, 20 votes" in uses
    assert "55%" in uses


def test_every_way_to_fail_has_words():
    assert set(OUTCOMES) - {"ok"} <= set(profiles._OUTCOMES)
