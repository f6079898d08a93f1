"""The images of a battle, enlarged: by mouse, keys and fingers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from arena.models import Vote

from .battle import BUTTON, begin
from .conftest import Site

pytestmark = pytest.mark.browser


LAYERS = "layers => layers.filter(layer => layer.offsetParent).map(layer => layer.style.transform)"


def layers(page: Page) -> list[str]:
    """How the images that are seen lie: one text each."""
    moved: list[str] = page.locator("#zoom .layer").evaluate_all(LAYERS)
    return moved


def test_zoom_moves_both_images_flips_them_and_compares_edits_by_key(live_server, page: Page, transactional_db):
    site = Site("image-editing", "edit", prompts=1)
    begin(page, live_server, site)
    page.keyboard.press("z")
    expect(page.locator("#zoom")).to_be_visible()
    fitting = layers(page)
    page.keyboard.press("+")
    page.keyboard.press("ArrowRight")
    moved = layers(page)
    assert len(moved) == 2
    assert moved[0] == moved[1] != fitting[0]
    page.keyboard.press("f")
    expect(page.locator("#zoom figure:visible")).to_have_attribute("data-name", "A")
    page.keyboard.press("f")
    expect(page.locator("#zoom figure:visible")).to_have_attribute("data-name", "B")
    page.keyboard.press("o")
    expect(page.locator("#zoom figure:visible")).to_have_attribute("data-name", "Source")
    page.keyboard.press("d")
    expect(page.locator("#zoom .subtracted:visible")).to_have_count(2)
    expect(page.locator("#zoom").get_by_role("button", name="Difference")).to_have_attribute("aria-pressed", "true")
    page.get_by_role("button", name="Fit").click()
    page.get_by_role("button", name="Both", exact=True).click()
    assert layers(page) == fitting
    page.keyboard.press("z")
    expect(page.locator("#zoom")).not_to_be_visible()
    assert Vote.objects.count() == 0
    page.locator("button[data-view=source]").click()  # not by O: a key that is held blinks
    page.keyboard.press("a")
    expect(page.locator(".reveal")).to_be_visible()
    expect(page.locator(".frame .over")).to_have_count(2)  # still the source, as its pressed button says


@pytest.mark.browser_context_args(has_touch=True, viewport={"width": 390, "height": 844})
def test_fingers_pinch_both_images_and_swipe_without_voting(live_server, page: Page, site: Site):
    begin(page, live_server, site)
    session = page.context.new_cdp_session(page)

    def touch(kind: str, *points: tuple[int, int]) -> None:
        fingers = [{"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    page.get_by_role("button", name="Both bad").tap()
    page.get_by_role("link", name="Next pair").tap()
    expect(page.locator(BUTTON)).to_be_enabled()
    touch("touchStart", (320, 300))
    touch("touchMove", (60, 300))
    touch("touchEnd")
    expect(page.locator("#battle")).to_have_attribute("data-state", "open")
    page.locator(".side a >> nth=0").click()
    expect(page.locator("#zoom")).to_be_visible()
    fitting = layers(page)
    touch("touchStart", (180, 200), (220, 200))
    touch("touchMove", (100, 200), (300, 200))
    touch("touchEnd")
    apart = layers(page)
    assert apart[0] == apart[1] != fitting[0]
    page.get_by_role("button", name="Fit").click()
    page.get_by_role("button", name="Flip").click()
    expect(page.locator("#zoom figure:visible")).to_have_attribute("data-name", "A")
    touch("touchStart", (320, 300))
    touch("touchMove", (60, 300))
    touch("touchEnd")
    expect(page.locator("#zoom figure:visible")).to_have_attribute("data-name", "B")
    page.get_by_role("button", name="Close").click()
    assert Vote.objects.get().outcome == "both_bad"
