"""Charts and code of a model's page: by pointer, by keyboard, and without JavaScript."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from arena import voting
from leaderboard.board import image_records, ratings
from providers.models import Offering
from tests import factories

from .conftest import Site

pytestmark = pytest.mark.browser

LINKS = ".plot.wide .dots a"


@pytest.fixture
def address(live_server, site: Site) -> str:
    """The page of a model that was voted on and has a price."""
    heron, plover, wagtail = site.prompts[0].entries.order_by("pk")
    for left, right, outcome in ((heron, plover, "left"), (plover, wagtail, "right"), (wagtail, heron, "left")):
        voting.cast_vote(factories.make_battle(left=left, right=right), outcome)
    for number, model in enumerate(site.models, start=1):
        Offering.objects.filter(image_model=model).update(price=number / 100)
    ratings.recompute_moved()
    image_records.recount_moved()
    return f"{live_server.url}{site.models[0].get_absolute_url()}"


def test_a_chart_is_one_stop_for_tab_and_arrows_walk_from_mark_to_mark(page: Page, address: str):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(address)
    links, tip = page.locator(LINKS), page.locator(".chart-tip").first
    expect(links).to_have_count(3)
    stops = page.locator(f"{LINKS}[tabindex='0']")
    expect(stops).to_have_count(1)
    expect(stops).to_have_class("current")
    stops.focus()
    expect(tip).to_have_text(re.compile(r"^Heron XL: Elo \d+ .*\$0\.01, sample"))
    page.keyboard.press("ArrowRight")
    expect(tip).to_have_text(re.compile(r"^Plover Mini: "))
    page.keyboard.press("End")
    expect(tip).to_have_text(re.compile(r"^Wagtail 2 \[dev\]: "))
    expect(stops).to_have_count(1)
    page.keyboard.press("Escape")
    expect(tip).to_be_hidden()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/models/wagtail/$"))


def test_a_mark_shows_its_figures_under_the_pointer(page: Page, address: str):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(address)
    tip = page.locator(".chart-tip").first
    page.locator(f"{LINKS}[href='/models/plover/'] .hit").hover()
    expect(tip).to_have_text(re.compile("^Plover Mini: Elo "))
    page.locator("h1").hover()
    expect(tip).to_be_hidden()


def test_a_phone_gets_the_picture_whose_letters_it_can_carry(page: Page, address: str):
    page.set_viewport_size({"width": 390, "height": 844})
    page.goto(address)
    current = page.locator(".sections [aria-current]")
    page.locator("#benchmarks").evaluate("heading => heading.scrollIntoView()")
    expect(current).to_have_count(1)
    page.evaluate("scrollTo(0, 0)")
    expect(current).to_have_count(0)  # above all of them
    expect(page.locator(".plot.narrow").first).to_be_visible()
    expect(page.locator(".plot.wide").first).to_be_hidden()


def test_code_is_copied_and_changes_with_its_language(page: Page, address: str):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(address)
    task = page.locator(".task").first
    task.get_by_text("Python, OpenAI SDK").click()
    shown = task.locator("pre:visible")
    expect(shown).to_contain_text("from openai import OpenAI")
    task.locator(".copy:visible").click()
    expect(task.locator(".copy:visible")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == shown.text_content()


def test_what_is_chosen_is_shown_in_forced_colours_too(page: Page, address: str):
    page.emulate_media(forced_colors="active")
    page.goto(address)
    # Without its alpha: a background that forced colours took away is still opaque.
    colour = "node => getComputedStyle(node).backgroundColor.match(/\\d+/g).slice(0, 3).join()"
    for chosen, other in (
        (".task input:checked + label", ".task input:not(:checked) + label"),
        (".tabs-of-charts label:has(:checked)", ".tabs-of-charts label:not(:has(:checked))"),
        (".site-nav [aria-current]", ".site-nav a:not([aria-current])"),
    ):
        assert page.locator(chosen).first.evaluate(colour) != page.locator(other).first.evaluate(colour), chosen


BESIDE = """() => [...document.querySelectorAll(".plot.wide .dots a:has(text)")].filter((link) => {
  const [name, dot] = ["text", ".dot"].map((part) => link.querySelector(part).getBoundingClientRect());
  const apart = name.right < dot.left + 1 || name.left > dot.right - 1 || name.bottom < dot.top + 3;
  return name.width && !apart && name.top < dot.bottom - 3;
}).length"""
INDENT = """(program) => {
  const range = document.createRange();
  range.selectNodeContents(program);
  return range.getClientRects()[0].left - program.getBoundingClientRect().left;
}"""


def test_from_right_to_left_names_stay_beside_their_marks_and_programs_begin_on_the_left(page: Page, address: str):
    page.set_viewport_size({"width": 1280, "height": 800})
    page.goto(address)
    page.evaluate("document.documentElement.dir = 'rtl'")
    assert page.evaluate(BESIDE) == 0
    assert page.locator("pre:visible").first.evaluate(INDENT) < 40


def test_only_what_can_be_copied_has_a_button_for_it(page: Page, address: str):
    page.goto(address)
    expect(page.locator(".copy").first).to_be_attached()
    assert page.evaluate(
        "[...document.querySelectorAll('.copy')].every((b) => b.previousElementSibling.matches('pre, code'))"
    )


def test_everything_stands_without_javascript(browser: Browser, address: str):
    page = browser.new_context(java_script_enabled=False, viewport={"width": 1280, "height": 800}).new_page()
    page.goto(address)
    expect(page.locator(LINKS)).to_have_count(3)
    expect(page.locator(f"{LINKS} title").first).to_have_text(re.compile("Elo"))
    task = page.locator(".task").first
    task.get_by_text("JavaScript").click()
    expect(task.locator("pre:visible")).to_contain_text("import OpenAI")
    page.get_by_text("Show the data as a table").first.click()
    expect(page.locator(".data table").first).to_be_visible()
    page.locator(f"{LINKS}[href='/models/plover/'] .dot").click()
    expect(page).to_have_url(re.compile("/models/plover/$"))
    page.context.close()
