"""Pages in other languages: German, and a pseudo-language that is long and runs from right to left."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from arena.models import Vote
from tests import pseudo_language

from .battle import BUTTON, begin
from .conftest import Site

pytestmark = pytest.mark.browser

# Elements that show less of their own text than there is, but for those that say so by an ellipsis, can be scrolled to,
# or are for speech.
CUT_OFF = """() => [...document.querySelectorAll("body *")].filter((element) => {
  const style = getComputedStyle(element);
  const hasText = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.data.trim());
  if (!hasText || !element.checkVisibility({ visibilityProperty: true }) || element.closest("svg")) return false;
  const { left, right, width } = element.getBoundingClientRect();
  if (width < 2 || style.clipPath !== "none" || style.textOverflow === "ellipsis") return false;
  const isClipped = style.overflowX !== "visible" && element.scrollWidth > element.clientWidth + 1;
  if (!isClipped && left >= -1 && right <= innerWidth + 1) return false;
  if (element.closest(".visually-hidden, .skip-link, dialog:not([open])")) return false;
  for (let around = element; around !== document.body; around = around.parentElement) {
    if (["auto", "scroll"].includes(getComputedStyle(around).overflowX)) return false;
  }
  return true;
}).map((element) => `${element.className || element.tagName}: ${element.textContent.trim().slice(0, 40)}`)"""

NEXT_FRAME = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def choose(page: Page, live_server: Any, language: str) -> None:
    page.context.add_cookies([{"name": "language", "value": language, "url": live_server.url}])


def cut_off(page: Page) -> list[str]:
    """What does not fit a phone, a tablet and a desktop."""
    faults = []
    for width, height in ((360, 740), (820, 1180), (1280, 800)):
        page.set_viewport_size({"width": width, "height": height})
        page.evaluate(NEXT_FRAME)  # scripts have answered to the new size
        needed = page.evaluate("document.documentElement.scrollWidth")
        faults += [f"{width}: the page needs {needed}"] if needed > width else []
        faults += [f"{width}: {text}" for text in page.evaluate(CUT_OFF)]
    return faults


def left_edge(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box["x"]


def right_edge(page: Page, selector: str) -> float:
    box = page.locator(selector).first.bounding_box()
    assert box is not None
    return box["x"] + box["width"]


@pytest.mark.usefixtures("right_to_left")
def test_voting_runs_from_right_to_left_and_nothing_is_cut_off(live_server, page: Page, site: Site):
    choose(page, live_server, pseudo_language.CODE)
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 1280, "height": 800})
    begin(page, live_server, site)
    expect(page.locator("html")).to_have_attribute("dir", "rtl")
    assert left_edge(page, ".side[data-side=left]") < left_edge(page, ".side[data-side=right]")
    assert left_edge(page, ".votes [value=left]") < left_edge(page, ".votes [value=right]")
    assert cut_off(page) == []
    page.set_viewport_size({"width": 1280, "height": 800})
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".reveal")).to_be_visible()
    assert Vote.objects.get().outcome == "left"
    assert cut_off(page) == []
    page.goto(f"{live_server.url}{site.arena}mine/")
    assert cut_off(page) == []


@pytest.mark.usefixtures("right_to_left")
def test_a_round_and_the_end_of_the_pairs_run_from_right_to_left(live_server, page: Page, site: Site):
    choose(page, live_server, pseudo_language.CODE)
    page.emulate_media(reduced_motion="reduce")
    page.set_viewport_size({"width": 1280, "height": 800})
    begin(page, live_server, site)
    for _ in range(5):
        expect(page.locator(BUTTON)).to_be_enabled()
        page.keyboard.press("a")
        expect(page.locator(".next")).to_be_focused()
        page.keyboard.press("Space")
    expect(page.locator(".round-card")).to_be_visible()
    expect(page.locator(".pick-name").first).to_have_css("direction", "ltr")  # cut at its end, not at its beginning
    assert cut_off(page) == []


def test_a_voter_reads_german_and_no_english(live_server, page: Page, site: Site):
    choose(page, live_server, "de")
    begin(page, live_server, site)
    expect(page.locator("html")).to_have_attribute("lang", "de")
    expect(page.locator(".votes [value=tie]")).to_contain_text("Gleich gut")
    page.keyboard.press("t")
    expect(page.locator(".headline")).to_have_text("Gleich gut, sagst du.")
    expect(page.locator("#live")).to_contain_text("Deine Antwort: „Gleich gut“.")
    expect(page.locator(".next")).to_contain_text("Nächstes Paar")
    page.set_viewport_size({"width": 667, "height": 375})
    assert right_edge(page, ".progress") <= left_edge(page, ".headline")
    assert right_edge(page, ".verdict") <= left_edge(page, ".more-button")


def test_the_switch_at_the_foot_changes_the_language_of_the_page(live_server, page: Page, site: Site):
    page.goto(f"{live_server.url}{site.arena}mine/")
    expect(page.get_by_role("link", name="Start voting")).to_be_visible()
    page.locator(".language-menu summary").click()
    page.get_by_role("button", name="Deutsch").click()
    expect(page.get_by_role("link", name="Mit dem Abstimmen anfangen")).to_be_visible()
    assert page.url.endswith("/mine/")
    page.locator(".language-menu summary").click()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("link", name="Start voting")).to_be_visible()


@pytest.mark.parametrize("language", ["en", "de"])
def test_models_are_ticked_and_let_go_on_a_phone(live_server, page: Page, site: Site, language):
    choose(page, live_server, language)
    for width in (360, 390):
        page.set_viewport_size({"width": width, "height": 844})
        page.goto(f"{live_server.url}/models/")
        for index in range(2):
            page.locator("input[name=model]").nth(index).check()  # nothing lies on it
        expect(page.locator(".tray .primary")).to_be_enabled()
        expect(page.locator(".tray-models li :is(img, .tile)")).to_have_count(2)
        page.goto(f"{live_server.url}/models/?sort=released")  # the table is loaded again
        expect(page.locator("input[name=model]:checked")).to_have_count(2)
        page.locator(".tray [type=reset]").click()
        expect(page.locator(".tray")).to_be_hidden()
        expect(page.locator("input[name=model]:checked")).to_have_count(0)


def test_no_door_of_the_menu_is_cut_off_in_german(live_server, page: Page, site: Site):
    choose(page, live_server, "de")
    page.goto(f"{live_server.url}/status/")
    for width in (320, 360, 601, 700, 768, 1024):
        page.set_viewport_size({"width": width, "height": 740})
        page.evaluate(NEXT_FRAME)
        hidden = page.eval_on_selector(".site-nav", "(menu) => menu.scrollWidth - menu.clientWidth")
        beyond = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert (hidden, beyond) == (0, 0), width
