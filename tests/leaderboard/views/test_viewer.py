"""The viewer's data: every image of a prompt, the votes between each two; nothing for voters who must stay blind."""

from __future__ import annotations

import pytest

from arena import voting
from leaderboard.board import image_records, ratings
from leaderboard.board.head_to_head import PairRecord
from leaderboard.comparison import side_by_side
from leaderboard.competitions import viewer
from leaderboard.competitions.image_urls import large_url
from tests import factories as make

pytestmark = pytest.mark.django_db


@pytest.fixture
def entries():
    prompt = make.make_prompt(make.make_competition(make.make_category()), "A red kite", tags=["birds"])
    return [make.make_entry(prompt, make.make_model(f"bird-{n}", f"Bird {n}")) for n in range(3)]


def cast(left, right, *outcomes):
    for outcome in outcomes:
        voting.cast_vote(make.make_battle(left=left, right=right), outcome)


def test_it_has_every_image_best_first_and_the_votes_of_each_pair(client, entries):
    one, two, three = entries
    cast(one, two, "left", "left", "right", "tie")
    cast(three, one, "right")  # from the other side
    image_records.recount(one.prompt.competition.category, force=True)
    data = client.get(f"/viewer/{one.prompt_id}.json").json()
    assert [image["model"] for image in data["images"]] == ["Bird 0", "Bird 1", "Bird 2"]
    assert [image["votes"] for image in data["images"]] == [5, 4, 1]
    assert [image["share"] for image in data["images"]] == [3.5 / 5, 1.5 / 4, 0]
    assert data["prompt"] == "A red kite"
    assert {image["place"] for image in data["images"]} == {"not rated yet"}
    ratings.recompute(one.prompt.competition.category, force=True)
    again = client.get(f"/viewer/{one.prompt_id}.json").json()
    assert again["images"][1]["place"] == "tied 1–2 of 2"
    assert {tuple(pair["images"]): (pair["votes"], pair["claim"]) for pair in data["pairs"]} == {
        (0, 1): ([2, 1, 1], "2 of 4 voters preferred Bird 0 here."),
        (0, 2): ([1, 0, 0], "1 of 1 voter preferred Bird 0 here."),
    }


def test_both_bad_is_half_a_win_for_each_in_the_order_of_images(client, entries):
    one, two, three = entries
    four = make.make_entry(one.prompt, make.make_model("bird-3", "Bird 3"))
    cast(one, two, "left", "right", "right")
    cast(three, four, "both_bad", "both_bad")
    image_records.recount(one.prompt.competition.category, force=True)
    images = client.get(f"/viewer/{one.prompt_id}.json").json()["images"]
    assert [(image["model"], image["share"]) for image in images] == [
        ("Bird 1", round(2 / 3, 4)), ("Bird 2", 0.5), ("Bird 3", 0.5), ("Bird 0", round(1 / 3, 4)),
    ]  # fmt: skip


def test_a_voter_who_is_asked_about_the_prompt_gets_nothing(client, entries):
    battle = make.make_battle(left=entries[0], right=entries[1])
    make.sign_in(client, battle.voter)
    assert client.get(f"/viewer/{battle.prompt_id}.json").status_code == 404


def test_a_draft_has_no_viewer(client, entries):
    competition = entries[0].prompt.competition
    competition.is_published = False
    competition.save(update_fields=["is_published"])
    assert client.get(f"/viewer/{entries[0].prompt_id}.json").status_code == 404


def test_the_large_image_is_at_a_url_that_nobody_can_guess_and_gone_with_the_entry(client, entries):
    url = large_url(entries[0])
    response = client.get(url)
    assert (response.status_code, response["Content-Type"]) == (200, "image/webp")
    with entries[0].image.open("rb") as file:
        assert response.content == file.read()
    assert client.get(url.replace(entries[0].thumbnail.name.split("/")[-1].split(".")[0], "guess")).status_code == 404
    type(entries[0]).objects.filter(pk=entries[0].pk).update(retired_at=entries[0].created_at)
    assert client.get(url).status_code == 404


@pytest.mark.parametrize(
    ("record", "claim"),
    [
        (PairRecord(15, 2), "15 of 17 voters preferred Kite here."),
        (PairRecord(1, 3, 1), "3 of 5 voters preferred Heron here."),
        (PairRecord(2, 2, 3), "2 of 7 voters for each here."),
        (PairRecord(0, 0, 1, 2), "3 of 3 voters preferred neither here."),
    ],
)
def test_the_claim_is_counted_facts_only(record, claim):
    assert viewer.claim("Kite", "Heron", record) == claim


def test_a_comparison_says_by_use_and_prompt_whom_votes_prefer_whichever_stood_left(client, entries):
    one, two, _ = entries
    cast(one, two, *["left"] * 9)
    cast(two, one, *["right"] * 3)
    models = [one.image_model, two.image_model]
    votes = side_by_side.between(*models)
    records = votes.by_prompt
    assert records == {one.prompt_id: PairRecord(12, 0)}
    (use,) = side_by_side.by_use(*models, votes.by_tag)
    assert (use.tag, use.votes.claim) == ("birds", "Bird 0, clearly")
    ratings.recompute_moved()
    (shared,) = side_by_side.shared(models, (), records)
    assert shared.votes.share == 1
    turned = side_by_side.PairVotes("Bird 1", "Bird 0", records[one.prompt_id].reversed())
    assert turned.claim == "Bird 0, clearly"
    assert side_by_side.PairVotes("a", "b", PairRecord(6, 5)).claim == "no difference shown"
    assert side_by_side.PairVotes("a", "b", PairRecord(70, 40)).claim == "a, probably"
