"""A voter's rounds, ticks, second thoughts and thumbs, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from arena import battles, voting
from arena.models import Battle, Vote
from tests import factories

from .battle import BUTTON, begin, names_shown
from .conftest import Site
from .test_pages import problems

pytestmark = pytest.mark.browser


def test_five_votes_end_in_a_card_and_a_tick_or_a_held_vote_is_the_voters_own(
    live_server: Any, page: Page, transactional_db: None
):
    site = Site(prompts=0)
    for number in range(6):
        prompt = factories.make_prompt(site.competition, f"A sign that says ‘OPEN {number}’ above a door")
        for model in site.models:
            factories.make_entry(prompt, model)
    begin(page, live_server, site)
    page.get_by_role("checkbox", name="OPEN").check()
    page.keyboard.press("?")
    page.get_by_role("switch", name="Three seconds to undo").check()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".undo")).to_be_visible()
    page.keyboard.press("u")
    expect(page.locator(".undo")).to_have_count(0)
    assert names_shown(page, site) == []
    page.keyboard.press("ArrowRight")
    expect(page.locator(".undo")).to_be_visible()
    page.keyboard.press("Space")  # names at once
    expect(page.locator(".reveal")).to_be_visible()
    expect(page.get_by_role("checkbox", name="OPEN")).to_be_checked()
    page.keyboard.press("?")
    page.get_by_role("switch", name="Three seconds to undo").uncheck()
    page.keyboard.press("Escape")
    prompts = [page.locator(".prompt-text").inner_text()]
    for number in range(2, 6):
        page.locator(".next").press("Enter")
        expect(page.locator(".progress:visible")).to_contain_text(f"{number} of 5")
        expect(page.locator(BUTTON)).to_be_enabled()
        prompts.append(page.locator(".prompt-text").inner_text())
        page.keyboard.press("t")
        expect(page.locator(".reveal")).to_be_visible()
    assert len(set(prompts)) == 5
    page.locator(".next").press("Enter")
    expect(page.locator(".round-card h1")).to_be_visible()
    expect(page).to_have_url(f"{live_server.url}{site.arena}rounds/1/")
    expect(page.locator(".picks li")).to_have_count(5)
    expect(page.locator(".round-card .next")).to_be_focused()
    lies = "picks => [...picks.children].map((pick) => pick.getBoundingClientRect().y)"
    assert len(set(page.locator(".picks").evaluate(lies))) == 1
    page.reload()  # its page by itself looks as the card in the pair's place
    assert len(set(page.locator(".picks").evaluate(lies))) == 1
    assert not problems(page)
    page.keyboard.press("Space")
    expect(page.locator(".progress:visible")).to_contain_text("Round 2")
    expect(page.locator(BUTTON)).to_be_enabled()
    assert names_shown(page, site) == []
    outcomes = list(Vote.objects.order_by("cast_at").values_list("outcome", flat=True))
    assert outcomes == ["right", "tie", "tie", "tie", "tie"]


def test_the_twentieth_votes_next_opens_the_voters_own_ranking(live_server: Any, page: Page, transactional_db: None):
    site, voter = Site(prompts=7), factories.make_voter()
    for _ in range(19):
        battle = battles.serve(voter, site.category)
        assert battle
        voting.cast_vote(battle, "left")
    page.context.add_cookies([{"name": "voter", "value": factories.cookie_of(voter), "url": live_server.url}])
    begin(page, live_server, site)
    page.keyboard.press("a")
    expect(page.locator(".next")).to_contain_text("Your ranking")
    page.keyboard.press("Space")
    expect(page).to_have_url(f"{live_server.url}{site.arena}mine/")
    expect(page.locator(".verdict-lines p")).to_have_count(2)  # with others to compare with, a third one
    expect(page.locator(".picks img")).to_have_count(4)
    expect(page.locator(".own-board tbody tr")).to_have_count(3)
    assert not problems(page)


@pytest.mark.browser_context_args(has_touch=True, is_mobile=True, viewport={"width": 390, "height": 844})
def test_a_phone_shows_a_poster_at_a_time_and_takes_no_answer_before_both_were_seen(
    live_server: Any, page: Page, transactional_db: None
):
    site = Site(shape="3:4", prompts=2)
    for prompt in site.prompts:
        prompt.text = f"Poster {prompt.pk}: " + "a long list of things to draw, " * 20
        prompt.save(update_fields=["text"])
    page.goto(live_server.url + site.arena)
    expect(page.locator(".pair.is-shown")).to_be_visible()
    frames = page.locator(".frame")
    expect(frames.first).to_be_visible()
    expect(frames.last).to_be_hidden()
    expect(page.locator(BUTTON)).to_be_disabled()
    page.get_by_role("button", name="See B").tap()
    expect(frames.last).to_be_visible()
    expect(frames.first).to_be_hidden()
    expect(page.locator(BUTTON)).to_be_enabled()
    box = frames.last.bounding_box()
    assert box
    assert box["width"] >= 380
    frames.last.tap()
    expect(frames.first).to_be_visible()
    session = page.context.new_cdp_session(page)
    for kind, points in (
        ("touchStart", [(320, 400)]),
        ("touchMove", [(200, 402)]),
        ("touchMove", [(60, 404)]),
        ("touchEnd", []),
    ):
        touches = [{"x": x, "y": y, "id": 1} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})
    expect(frames.last).to_be_visible()
    page.get_by_role("radio", name="Image B").focus()
    page.keyboard.press("ArrowLeft")
    expect(frames.first).to_be_visible()
    page.get_by_role("button", name="Read all").tap()
    expect(frames.first).to_be_visible()
    expect(frames.last).to_be_visible()
    page.get_by_role("button", name="Close").tap()
    expect(frames.last).to_be_hidden()
    assert names_shown(page, site) == []
    assert Vote.objects.count() == 0
    page.get_by_role("button", name="Flip").tap()
    page.get_by_role("button", name="B is better").tap()
    expect(page.get_by_role("link", name="Next pair")).to_be_visible()
    expect(frames.last).to_be_visible()  # the image that was looked at stays over the vote
    expect(frames.first).to_be_hidden()
    battle = Battle.objects.get(vote__isnull=False)
    expect(page.locator(".thumb .who").last).to_have_text(battle.right.image_model.name)
