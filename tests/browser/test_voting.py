"""Voting, as a voter does it: by tap, in two tabs, without JavaScript, on a bad network."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page, Route, expect

from arena.models import Battle, Report, Vote

from .battle import BUTTON, begin, names_shown
from .conftest import Site

pytestmark = pytest.mark.browser

LOADED = """(count) => new Set(performance.getEntriesByType("resource").filter(({ name, responseEnd }) =>
  name.includes("/i/") && responseEnd).map(({ name }) => name)).size >= count"""


@pytest.mark.browser_context_args(java_script_enabled=False)
def test_voting_works_without_javascript(live_server, page: Page, site: Site):
    page.goto(live_server.url + site.arena)
    assert names_shown(page, site) == []
    for image in page.locator(".side img").all():
        expect(image).to_be_visible()
        expect(image).to_have_css("opacity", "1")
    expect(page.locator("kbd").filter(visible=True)).to_have_count(0)  # nobody would hear these keys
    page.get_by_role("button", name="B is better").click()
    expect(page.locator(".side .who")).to_have_count(2)
    page.get_by_role("link", name="Next pair").click()
    page.get_by_role("button", name="Skip").click()
    expect(page.get_by_role("button", name="A is better")).to_be_visible()
    assert Vote.objects.get().outcome == "right"
    assert Battle.objects.exclude(skipped_at=None).count() == 1


def test_a_double_click_is_one_vote(live_server, page: Page, site: Site):
    begin(page, live_server, site)
    page.locator(".votes [value=left]").dblclick()
    expect(page.locator(".reveal")).to_be_visible()
    assert Vote.objects.count() == 1
    expect(page.locator(".next")).to_be_visible()


@pytest.mark.parametrize(("pressed", "votes", "skips"), [(".next", 1, 0), (".skip button", 0, 1), (BUTTON, 1, 0)])
def test_the_second_half_of_a_double_click_does_nothing_to_what_has_come_into_its_place(
    live_server, page: Page, site: Site, pressed: str, votes: int, skips: int
):
    page.emulate_media(reduced_motion="reduce")  # a transition would swallow the click by itself
    begin(page, live_server, site)
    if pressed == ".next":
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".reveal")).to_be_visible()
        page.wait_for_load_state("networkidle")
    page.evaluate("""() => {
      let place = null;
      addEventListener("click", ({ clientX, clientY }) => { place ??= { clientX, clientY }; }, true);
      const again = () => setTimeout(() => {
        const below = document.elementFromPoint(place.clientX, place.clientY);
        below.dispatchEvent(new MouseEvent("click", { ...place, detail: 2, bubbles: true, cancelable: true }));
        document.body.dataset.below = (below.closest("a, button") ?? below).className || below.value;
      }, 50);
      for (const type of ["htmx:afterSettle", "arena:next"]) document.addEventListener(type, again, { once: true });
    }""")
    box = page.locator(pressed).bounding_box()
    assert box
    page.mouse.click(box["x"] + min(45, box["width"] / 3), box["y"] + box["height"] / 3)
    expect(page.locator("body")).to_have_attribute("data-below", re.compile("."))
    page.wait_for_load_state("networkidle")
    assert (Vote.objects.count(), Battle.objects.exclude(skipped_at=None).count()) == (votes, skips)
    assert "/battles/" in page.url
    page.keyboard.press("Space" if pressed == BUTTON else "t")  # and all goes on
    expect(page.locator("#battle")).to_have_attribute("data-state", "open" if pressed == BUTTON else "voted")


def test_a_second_answer_before_the_names_are_shown_is_not_sent(live_server, page: Page, site: Site):
    begin(page, live_server, site)
    sent: list[str | None] = []
    page.on("request", lambda request: sent.append(request.post_data) if "/vote/" in request.url else None)
    # Between the reply and its showing lies a frame of the transition, in which the old buttons are there.
    page.evaluate("""() => document.addEventListener("htmx:beforeSwap", () => setTimeout(() => {
      const button = document.querySelector(".votes [value=right]");
      document.body.dataset.pressed = String(Boolean(button) && !button.matches(":disabled"));
      button?.click();
    }), { once: true })""")
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".reveal")).to_be_visible()
    expect(page.locator("body")).to_have_attribute("data-pressed", "true")
    page.wait_for_load_state("networkidle")
    assert len(sent) == 1
    expect(page.get_by_role("alert").filter(visible=True)).to_have_count(0)
    assert Vote.objects.get().outcome == "left"


def test_skipping_brings_another_pair_and_counts_nothing(live_server, page: Page, site: Site):
    begin(page, live_server, site)
    first = page.url
    page.keyboard.press("s")
    expect(page).not_to_have_url(first)
    expect(page.locator(BUTTON)).to_be_enabled()
    assert names_shown(page, site) == []
    assert Vote.objects.count() == 0


def test_the_next_pair_needs_no_network_and_is_timed_from_its_showing(
    live_server, page: Page, site: Site, expected_errors
):
    expected_errors += ["ERR_INTERNET_DISCONNECTED", "htmx:"]
    begin(page, live_server, site)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".reveal")).to_be_visible()
    page.wait_for_function(LOADED, arg=6)  # images of three pairs
    assert Battle.objects.filter(served_at=None).count() == 2
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    with page.expect_response("**/show/") as showing:
        page.keyboard.press("Space")
        expect(page.locator(BUTTON)).to_be_enabled()
        for image in page.locator(".side img").all():
            assert image.evaluate("image => image.complete && image.naturalWidth > 0")
    assert showing.value.status == 204
    assert [path for path in asked if "favicon" not in path] == [urlsplit(page.url).path + "show/"]
    assert names_shown(page, site) == []
    expect(page.locator(".progress:visible")).to_contain_text("2 of 5")
    second = page.url
    assert Battle.objects.get(pk=second.split("/")[-2]).served_at is not None

    page.context.set_offline(True)
    page.keyboard.press("t")
    expect(page.locator(".unsent [role=alert]")).to_have_text("Saved here, sent when you are online.")
    expect(page.locator(".unsent .next")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator(BUTTON)).to_be_enabled()
    with page.expect_response(f"{second}vote/"):
        page.context.set_offline(False)
    assert list(Vote.objects.order_by("cast_at").values_list("outcome", flat=True)) == ["left", "tie"]


def test_two_tabs_are_one_voter(live_server, page: Page, context: BrowserContext, site: Site, expected_errors):
    expected_errors.append("409")
    begin(page, live_server, site)
    other = context.new_page()
    begin(other, live_server, site)
    assert other.url == page.url
    other.keyboard.press("ArrowLeft")
    expect(other.locator(".reveal")).to_be_visible()
    with other.expect_response("**/show/"):
        other.keyboard.press("Space")
    expect(other.locator(BUTTON)).to_be_enabled()
    other.keyboard.press("t")
    expect(other.locator(".reveal")).to_be_visible()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("first answer counts")
    page.keyboard.press("Space")  # what the other tab has answered meanwhile is not shown again
    expect(page).not_to_have_url(other.url)
    expect(page.locator(BUTTON)).to_be_enabled()
    assert list(Vote.objects.order_by("cast_at").values_list("outcome", flat=True)) == ["left", "tie"]


def test_a_report_voids_the_pair(live_server, page: Page, site: Site):
    begin(page, live_server, site)
    page.get_by_role("link", name="Report").click()
    page.get_by_role("radio", name="B", exact=True).check()
    page.get_by_role("radio", name="It is broken").check()
    page.get_by_role("button", name="Report", exact=True).click()
    expect(page.locator(".closed")).to_contain_text("Thank you for the report")
    assert names_shown(page, site) == []
    page.keyboard.press("Space")
    expect(page.locator(BUTTON)).to_be_enabled()
    assert Report.objects.get().entry == Battle.objects.exclude(skipped_at=None).get().right
    assert Vote.objects.count() == 0


def test_an_expired_pair_says_so_and_can_be_taken_again(live_server, page: Page, site: Site, expected_errors):
    expected_errors.append("410")
    begin(page, live_server, site)
    page.reload()  # the first pair is a ballot until it is sent back
    expect(page.locator(BUTTON)).to_be_enabled()
    past = timezone.now() - timedelta(minutes=5)
    Battle.objects.exclude(served_at=None).update(served_at=past - timedelta(hours=1), expires_at=past)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".closed")).to_contain_text("expired")
    assert names_shown(page, site) == []
    page.get_by_role("link", name="Take it again").click()
    expect(page.locator(BUTTON)).to_be_enabled()
    assert Battle.objects.exclude(served_at=None).count() == 1


def test_back_shows_the_vote_that_was_cast(live_server, page: Page, site: Site):
    begin(page, live_server, site)
    first = page.url
    page.keyboard.press("ArrowLeft")
    page.locator(".next").click()
    expect(page.locator(BUTTON)).to_be_enabled()
    page.go_back()
    expect(page).to_have_url(first)
    expect(page.locator(".reveal")).to_be_visible()
    page.go_forward()
    expect(page.locator(BUTTON)).to_be_enabled()
    assert names_shown(page, site) == []


@pytest.mark.parametrize("reached", [False, True], ids=["request lost", "reply lost"])
def test_a_bad_network_keeps_the_choice_and_a_retry_is_one_vote(
    live_server, page: Page, site: Site, expected_errors, reached: bool
):
    expected_errors += ["ERR_FAILED", "htmx:"]
    is_bad = True

    def lose(route: Route) -> None:
        if not is_bad:
            return route.continue_()
        if reached:
            route.fetch()
        return route.abort()

    # Before the page is there: on a busy machine a route made later is still unknown to the page that sends the vote.
    page.route("**/vote/", lose)
    begin(page, live_server, site)
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("alert").filter(visible=True)).to_have_text("Saved here, sent when you are online.")
    expect(page.get_by_role("button", name="Try again")).to_be_focused()  # no pair is loaded ahead: “Next” would leave
    assert Vote.objects.count() == int(reached)
    is_bad = False
    page.keyboard.press("Enter")
    expect(page.locator(".reveal")).to_be_visible()
    assert Vote.objects.get().outcome == "right"


def test_a_vote_that_is_not_taken_says_why(live_server, page: Page, site: Site, settings, expected_errors):
    expected_errors += ["429"]
    settings.NETWORK_NEW_VOTERS = 1
    begin(page, live_server, site)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".reveal")).to_be_visible()
    page.context.clear_cookies()
    begin(page, live_server, site)
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("network")
    assert Vote.objects.count() == 1


def test_both_images_appear_together_and_only_then_votes_are_taken(live_server, page: Page, site: Site):
    held: list[Route] = []
    page.route("**/i/*.webp", lambda route: held.append(route) if not held else route.continue_())
    page.goto(live_server.url + site.arena, wait_until="domcontentloaded")
    expect(page.locator(BUTTON)).to_be_disabled()
    page.wait_for_timeout(300)
    for image in page.locator(".side img").all():
        expect(image).to_have_css("opacity", "0")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("z")
    expect(page.locator("#zoom")).not_to_be_visible()
    held[0].continue_()
    expect(page.locator(BUTTON)).to_be_enabled()
    for image in page.locator(".side img").all():
        expect(image).to_have_css("opacity", "1")
    assert Vote.objects.count() == 0


def test_a_broken_image_can_be_skipped(live_server, page: Page, site: Site, expected_errors):
    expected_errors.append("ERR_FAILED")
    page.route("**/i/*.webp", lambda route: route.abort())
    page.goto(live_server.url + site.arena)
    expect(page.get_by_role("alert").filter(visible=True)).to_contain_text("could not be loaded")
    expect(page.locator(BUTTON)).to_be_disabled()
    page.unroute("**/i/*.webp")
    page.get_by_role("button", name="Skip").click()
    expect(page.locator(BUTTON)).to_be_enabled()


def test_the_last_pair_ends_with_thanks(live_server, page: Page, context: BrowserContext, transactional_db):
    site = Site(prompts=1)
    begin(page, live_server, site)
    for _ in range(3):
        expect(page.locator(BUTTON)).to_be_enabled()
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".next")).to_be_focused()
        page.keyboard.press("Enter")
    expect(page.locator(".round-card")).to_contain_text("3 of 3")  # a short round, for nothing is left to fill it
    page.keyboard.press("Enter")
    expect(page.locator("#battle")).to_contain_text("You have seen every pair")


def test_the_theme_is_remembered_though_the_server_does_not_know_it(live_server, page: Page, transactional_db):
    page.goto(live_server.url + "/methodology/")
    page.get_by_text("Dark", exact=True).locator("..").click()
    expect(page.locator("html")).to_have_class("js dark")
    page.goto(live_server.url + "/status/")
    expect(page.locator("html")).to_have_class("js dark")
    expect(page.get_by_role("radio", name="Dark")).to_be_checked()
    page.get_by_text("As the system", exact=True).locator("..").click()
    page.reload()
    expect(page.locator("html")).to_have_class("js")
    expect(page.get_by_role("radio", name="As the system")).to_be_checked()
