"""While the models are at work: what a voter who comes too early is shown, and how it goes on from there."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from arena import generation, pairing, voting
from arena.generation import progress as generation_progress
from arena.generation.progress import GenerationProgress
from arena.models import Battle, Competition, Generation, Prompt, Voter
from leaderboard.board import ratings
from tests import factories as make

pytestmark = pytest.mark.django_db

ARENA, WAIT, BOARD = "/arena/text-to-image/", "/arena/text-to-image/wait/", "/leaderboard/text-to-image/"
AT_WORK = "The models are answering"
REFRESH = '<noscript><meta http-equiv="refresh"'


@pytest.fixture
def models():
    return [make.make_model(f"bird-{n}", f"Bird {n}") for n in range(3)]


@pytest.fixture
def asked(models) -> list[Prompt]:
    """Two prompts, which all three models are being asked; one has answered the first."""
    competition = make.make_competition()
    prompts = [make.make_prompt(competition) for _ in range(2)]
    for prompt in prompts:
        generation.plan(prompt, models)
    answer(prompts[0], models[0])
    return prompts


def answer(prompt, image_model) -> None:
    make.make_entry(prompt, image_model)
    pairing.pools.clear()


def text_of(response):
    assert response.status_code == 200
    return re.sub(r">\s+<", "><", response.content.decode())


# What is being made ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_image_that_ends_while_they_are_counted_is_counted_once(asked):
    """Else the second number would shrink at the next look."""

    def end_one(execute, sql, params, many, context):
        result = execute(sql, params, many, context)
        pk, *_ = queued.pop() if queued else (None,)
        if pk is not None:
            now = timezone.now()
            Generation.objects.filter(pk=pk).update(
                status="failed", outcome="timeout", error="late", started_at=now, finished_at=now, attempt=1
            )
        return result

    queued = list(Generation.objects.filter(status="queued").values_list("pk")[:1])
    with connection.execute_wrapper(end_one):
        progress = generation_progress.of(asked[0].competition.category)
    assert progress == GenerationProgress(done=1, of=6)
    assert progress.failed == 1


def test_images_are_counted_that_are_made_and_that_are_asked_for(asked, models):
    category = asked[0].competition.category
    progress = generation_progress.of(category)
    assert progress == GenerationProgress(done=1, of=6)
    assert progress.marks == ("is-done", *("is-running",) * progress.running, *("",) * (5 - progress.running))
    failed = Generation.objects.filter(status="queued").first()
    now = timezone.now()
    Generation.objects.filter(pk=failed.pk).update(status="failed", started_at=now, finished_at=now, error="refused")
    assert generation_progress.of(category) == GenerationProgress(done=1, of=6)  # it never shrinks


def test_images_of_a_model_that_was_retired_are_not_waited_for(asked, models):
    type(models[2]).objects.filter(pk=models[2].pk).update(retired_at=timezone.now())
    assert generation_progress.of(asked[0].competition.category) == GenerationProgress(done=1, of=4)


def test_each_image_is_a_square_of_its_kind_until_they_are_too_many():
    one = GenerationProgress(done=2, of=7, running=1, failed=3)
    assert one.marks == ("is-done", "is-done", "is-running", "is-failed", "is-failed", "is-failed", "")
    both = generation_progress.combined([one, GenerationProgress(done=0, of=5, running=3, failed=2)])
    assert both is not None
    assert both.marks == ("is-done",) * 2 + ("is-running",) * 4 + ("is-failed",) * 5 + ("",)
    assert len(GenerationProgress(done=0, of=240).marks) == 240
    assert GenerationProgress(done=0, of=241).marks == ()


def test_of_several_categories_each_has_its_own_and_all_have_one_together(asked, models):
    edit = make.make_prompt(make.make_competition(make.make_category("image-editing", "edit")))
    generation.plan(edit, models)
    assert sorted(generation_progress.of_all().values(), key=lambda progress: progress.of) == [
        GenerationProgress(0, 3),
        GenerationProgress(1, 6),
    ]
    assert generation_progress.combined(generation_progress.of_all().values()) == GenerationProgress(1, 9)
    assert generation_progress.combined([]) is None


@pytest.mark.parametrize(
    "closed",
    [
        {"is_published": False},
        {"closes_at": timezone.now() - timedelta(hours=1)},
        {"opens_at": timezone.now() + timedelta(hours=1)},
    ],
)
def test_only_open_competitions_count(asked, closed):
    Competition.objects.update(**closed)
    assert generation_progress.of_all() == {}


def test_nobody_is_at_work_when_all_that_is_left_waits_for_a_cap(asked):
    Generation.objects.update(created_at=timezone.now() - timedelta(hours=2))
    Generation.objects.filter(status="succeeded").update(
        started_at=timezone.now() - timedelta(hours=2), finished_at=timezone.now() - timedelta(hours=1)
    )
    Generation.objects.filter(status="queued").update(due_at=timezone.now() + timedelta(hours=1), outcome="spend_cap")
    assert generation_progress.of_all() == {}


def test_nobody_is_at_work_when_the_workers_are_gone(asked):
    long_ago = timezone.now() - timedelta(hours=1)
    Generation.objects.filter(status="queued").update(due_at=long_ago)
    assert generation_progress.of_all() != {}  # something was finished just now, so somebody works through a long queue
    Generation.objects.filter(status="succeeded").update(started_at=long_ago, finished_at=long_ago)
    assert generation_progress.of_all() == {}


# The voting page ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_who_comes_too_early_sees_the_progress_and_need_do_nothing(client, asked):
    page = text_of(client.get(ARENA))
    assert "The models are drawing." in page
    assert '<progress value="1" max="6"' in page
    assert f'hx-get="{WAIT}"' in page
    assert REFRESH in page
    assert "For curators" not in page
    assert '<progress value="1" max="6"' in text_of(client.get(WAIT))


def test_the_first_pair_takes_the_waiting_voter_along(client, asked, models):
    client.get(ARENA)
    assert "HX-Redirect" not in client.get(WAIT).headers
    answer(asked[0], models[1])
    assert client.get(WAIT)["HX-Refresh"] == "true"  # the page comes again, now with the pair
    url = make.battle_url(client.get(ARENA))
    assert not Voter.objects.exists()
    assert client.get(url).status_code == 200
    assert Battle.objects.get().get_absolute_url() == url
    assert client.get(WAIT)["HX-Redirect"] == url


def test_who_has_seen_all_pairs_waits_for_the_next(client, asked, models):
    answer(asked[0], models[1])
    battle_page = make.battle_url(client.get(ARENA))
    client.post(f"{battle_page}vote/", {"outcome": "left"})
    page = text_of(client.get(ARENA))
    assert "You have seen every pair so far" in page
    assert "See your own ranking" in page
    assert REFRESH in page
    answer(asked[0], models[2])
    assert client.get(WAIT)["HX-Redirect"] != battle_page


def test_when_the_work_ends_without_a_pair_the_page_comes_again_and_says_so(client, asked):
    client.get(ARENA)
    now = timezone.now()
    Generation.objects.filter(status="queued").update(status="failed", started_at=now, finished_at=now, error="refused")
    assert client.get(WAIT)["HX-Refresh"] == "true"
    page = text_of(client.get(ARENA))
    assert "No images here yet" in page
    assert "For curators" in page
    assert REFRESH not in page


def test_nothing_on_the_way_to_the_first_pair_names_a_model(client, asked, models):
    seen = (
        text_of(client.get(ARENA))
        + text_of(client.get(WAIT))
        + text_of(client.get("/"))
        + text_of(client.get("/wait/"))
    )
    assert not [model for model in models if model.name in seen or model.slug in seen]


# The start page and the boards ───────────────────────────────────────────────────────────────────────────────────────


def test_the_start_page_waits_too_and_then_reloads(client, asked, models):
    page = text_of(client.get("/"))
    assert f"{AT_WORK} the first prompts right now" in page
    assert 'hx-get="/wait/"' in page
    assert REFRESH in page
    assert '<progress value="1" max="6"' in text_of(client.get("/wait/"))
    answer(asked[0], models[1])
    assert client.get("/wait/")["HX-Refresh"] == "true"
    page = text_of(client.get("/"))
    assert "Which is better?" in page
    assert REFRESH not in page


def test_an_empty_installation_waits_for_nobody(client):
    make.make_category()
    for page in map(text_of, map(client.get, ("/", ARENA, BOARD, "/leaderboard/"))):
        assert AT_WORK not in page
        assert "are drawing" not in page
        assert REFRESH not in page
    assert client.get("/wait/")["HX-Refresh"] == "true"


@pytest.mark.parametrize("address", ["/", "/leaderboard/", BOARD])
def test_a_board_says_what_its_ratings_wait_for(client, asked, models, address):
    assert f"{AT_WORK} right now: 1 of 6 images is done." in text_of(client.get(address))
    answer(asked[0], models[1])  # a figure that is a minute old would look as if nothing went on
    page = text_of(client.get(address))
    assert "2 of 6 images are done." in page or "Cast the first vote" in page
    left, right = asked[0].entries.all()
    voting.cast_vote(make.make_battle(left=left, right=right), "left")
    assert "The first votes are in, and their ratings are being computed." in text_of(client.get(address))
    ratings.recompute(asked[0].competition.category, force=True)
    assert "being computed" not in text_of(client.get(address))
