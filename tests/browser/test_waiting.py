"""A voter who is quicker than the models or Celery beat waits idly, and nothing is taken out of their hands."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from arena import generation, pairing, voting
from leaderboard.board import by_tag, image_records, overall, ratings
from tests import factories

from .conftest import Site
from .test_pages import problems

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _own_time(page: Page) -> None:
    """The page's timers go on as always, and may be put forward."""
    page.clock.install()


def seconds_pass(page: Page) -> None:
    """As many as a page waits before it asks again."""
    page.clock.fast_forward(3_100)


def test_the_first_pair_comes_by_itself(live_server, page: Page, transactional_db):
    site = Site(prompts=0)
    prompt = factories.make_prompt(site.competition)
    generation.plan(prompt, site.models)
    page.goto(f"{live_server.url}/")
    expect(page.locator(".making")).to_have_text(re.compile("0 of 3 images are made"))
    page.goto(f"{live_server.url}{site.arena}")
    button = page.get_by_role("link", name="See the leaderboard")
    button.focus()
    for done, image_model in enumerate(site.models[:2]):
        expect(page.locator(".making strong")).to_have_text(str(done))
        expect(button).to_be_focused()
        factories.make_entry(prompt, image_model)
        pairing.pools.clear()
        seconds_pass(page)
    page.wait_for_url("**/battles/**")
    expect(page.locator("#battle[data-state=open]")).to_be_visible()


def test_after_the_last_pair_that_is_there_the_next_comes_by_itself(live_server, page: Page, transactional_db):
    """Here the waiting is swapped into the voting page, whose scripts look after focus and failures."""
    site = Site(prompts=0)
    prompt = factories.make_prompt(site.competition)
    generation.plan(prompt, site.models)
    for image_model in site.models[:2]:
        factories.make_entry(prompt, image_model)
    pairing.pools.clear()
    page.goto(f"{live_server.url}{site.arena}")
    page.get_by_role("button", name="A is better").click()
    page.get_by_role("link", name="Next pair").click()
    expect(page.get_by_role("heading", name="You have seen every pair so far")).to_be_visible()
    board = page.get_by_role("link", name="See the leaderboard")
    board.focus()
    with page.expect_response("**/wait/"):
        seconds_pass(page)
    expect(page.locator(".making")).to_have_text(re.compile("2 of 3 images are made"))
    expect(board).to_be_focused()
    factories.make_entry(prompt, site.models[2])
    pairing.pools.clear()
    seconds_pass(page)
    page.wait_for_url("**/battles/**")
    expect(page.locator("#battle[data-state=open]")).to_be_visible()


def test_the_board_of_a_tag_with_many_votes_comes_by_itself(live_server, page: Page, transactional_db, monkeypatch):
    monkeypatch.setattr(by_tag, "QUICK_VOTES", 0)
    site = Site(prompts=0)
    prompt = factories.make_prompt(site.competition, tags=["night"])
    entries = [factories.make_entry(prompt, model) for model in site.models[:2]]
    for number in range(overall.MIN_VOTES):
        outcome = "left" if number % 3 else "right"
        voting.cast_vote(factories.make_battle(left=entries[0], right=entries[1]), outcome)
    ratings.recompute_moved()
    image_records.recount_moved()
    page.goto(f"{live_server.url}{site.category.get_absolute_url()}?tag=night&sort=price")
    expect(page.get_by_role("heading", name="The board of “night” is being computed")).to_be_visible()
    assert not problems(page)
    by_tag.refresh()
    seconds_pass(page)
    expect(page.get_by_role("heading", name="Who beats whom")).to_be_visible()
    expect(page.get_by_role("columnheader", name="Price")).to_have_attribute("aria-sort", "ascending")
