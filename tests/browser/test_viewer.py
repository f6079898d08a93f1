"""The viewer: opens from any image of a public page, compares all models of a prompt, and leads through the prompts."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from arena import voting
from leaderboard.board import image_records
from tests import factories

from .conftest import Site

pytestmark = pytest.mark.browser


@pytest.fixture
def address(live_server, site: Site) -> str:
    first = list(site.prompts[0].entries.order_by("image_model__name"))
    for _ in range(2):
        voting.cast_vote(factories.make_battle(left=first[0], right=first[1]), "left")
    image_records.recount(site.category, force=True)
    return f"{live_server.url}{site.competition.get_absolute_url()}"


def test_images_are_compared_by_keys_and_closed_by_escape(page: Page, address: str):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(address)
    page.locator("a[data-viewer]").first.click()
    viewer = page.locator("dialog.viewer")
    expect(viewer).to_be_visible()
    names = viewer.locator(".names button")
    expect(names).to_have_text(["Heron XL", "Plover Mini"])
    expect(viewer.locator(".claim")).to_have_text("2 of 2 voters preferred Heron XL here.")
    page.keyboard.press("ArrowRight")
    expect(names).to_have_text(["Heron XL", "Wagtail 2 [dev]"])
    expect(viewer.locator(".claim")).to_have_text("Nobody has compared these two here yet.")
    expect(viewer.locator(".panes figure")).to_have_count(2)
    page.keyboard.press("f")
    expect(viewer.locator(".panes figure")).to_have_count(1)
    page.keyboard.press("+")
    expect(viewer.locator(".map")).to_be_visible()
    page.keyboard.press("0")
    expect(viewer.locator(".map")).to_be_hidden()
    expect(viewer.locator(".count")).to_have_text("1 of 2")
    page.keyboard.press("ArrowDown")
    expect(viewer.locator(".count")).to_have_text("2 of 2")
    expect(names).to_have_text(["Heron XL", "Wagtail 2 [dev]"])  # the same models, of the next prompt
    page.keyboard.press("Escape")
    expect(viewer).to_be_hidden()


def test_a_phone_shows_one_image_and_a_tap_flips(page: Page, address: str):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    page.locator("a[data-viewer]").first.click()
    viewer = page.locator("dialog.viewer")
    expect(viewer.locator(".panes figure")).to_have_count(1)
    expect(viewer.locator(".names [aria-pressed=true]")).to_have_text("Heron XL")
    viewer.locator(".panes").click()
    expect(viewer.locator(".names [aria-pressed=true]")).to_have_text("Plover Mini")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
