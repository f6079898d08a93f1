"""Voting by keyboard: every key means its answer, and no other key votes."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from arena.models import Battle, Vote

from .battle import BUTTON, begin, names_shown
from .conftest import Site

pytestmark = pytest.mark.browser


def test_votes_by_keyboard_name_the_models_only_afterwards(live_server, page: Page, site: Site):
    page.goto(live_server.url + site.arena)
    for number, key in enumerate(("ArrowRight", "a", "t"), start=1):
        expect(page.locator(BUTTON)).to_be_enabled()
        assert names_shown(page, site) == []
        page.keyboard.press(key)
        expect(page.locator(".side .who")).to_have_count(2)
        battle = Battle.objects.get(pk=urlsplit(page.url).path.split("/")[2])
        expect(page.locator(".side .who >> nth=0")).to_contain_text(battle.left.image_model.name)
        expect(page.locator(".side .who >> nth=1")).to_contain_text(battle.right.image_model.name)
        expect(page.locator("#live")).to_contain_text(battle.right.image_model.name)
        expect(page.locator(".next")).to_be_focused()
        expect(page.locator(".progress:visible")).to_contain_text(f"{number} of 5")
        page.keyboard.press("Space")
        expect(page.locator(".question")).to_be_focused()
        expect(page.locator(".progress:visible")).to_contain_text(f"{number + 1} of 5")
    assert list(Vote.objects.order_by("cast_at").values_list("outcome", flat=True)) == ["right", "left", "tie"]


def test_every_key_means_its_answer(live_server, page: Page, site: Site):
    begin(page, live_server, site)
    keys = {"ArrowLeft": "left", "x": "both_bad", "T": "tie", "b": "right"}  # T: with Shift or CapsLock
    for key in keys:
        expect(page.locator(BUTTON)).to_be_enabled()
        page.keyboard.press(key)
        expect(page.locator(".next")).to_be_focused()
        page.keyboard.press("Enter")
    assert list(Vote.objects.order_by("cast_at").values_list("outcome", flat=True)) == list(keys.values())


def test_shortcuts_of_the_browser_and_keys_held_down_do_not_vote(live_server, page: Page, site: Site):
    begin(page, live_server, site)
    for shortcut in ("Control+a", "Control+b", "Alt+x", "Meta+t", "Shift+ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(shortcut)
    expect(page.locator("#battle")).to_have_attribute("data-state", "open")
    page.locator(".votes [value=tie]").focus()
    for _ in range(3):
        page.keyboard.down("Enter")  # the second and later ones are what a held key sends
    expect(page.locator(".next")).to_be_focused()
    for key in ("Enter", "ArrowLeft"):
        for _ in range(3):
            page.keyboard.down(key)
    expect(page.locator(".reveal")).to_be_visible()
    page.keyboard.up("Enter")
    page.keyboard.up("ArrowLeft")
    assert [vote.outcome for vote in Vote.objects.all()] == ["tie"]


def test_keys_that_scroll_never_vote(live_server, page: Page, site: Site):
    for prompt in site.prompts:
        prompt.text = f"Menu number {prompt.pk}: " + "a very long list, written in chalk on a board. " * 40
        prompt.save(update_fields=["text"])
    begin(page, live_server, site)
    for key in ("ArrowUp", "ArrowDown", "PageUp", "PageDown", "Home", "End", "Space"):
        page.keyboard.press(key)
        expect(page.locator("#battle")).to_have_attribute("data-state", "open")
    page.locator(".stage").evaluate("stage => { stage.style.minWidth = '200vw'; }")  # ← and → scroll now
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("t")  # an answer that would come second
    expect(page.locator(".reveal")).to_be_visible()
    assert [vote.outcome for vote in Vote.objects.all()] == ["tie"]


def test_letters_can_be_switched_off_and_stay_off(live_server, page: Page, site: Site):
    begin(page, live_server, site)
    page.keyboard.press("?")
    page.get_by_role("switch", name="Letter and arrow keys").uncheck()
    page.keyboard.press("Escape")
    page.reload()
    expect(page.locator(BUTTON)).to_be_enabled()
    for key in ("a", "s", "ArrowLeft"):
        page.keyboard.press(key)
    expect(page.locator("#battle")).to_have_attribute("data-state", "open")
    page.locator(BUTTON).focus()
    page.keyboard.press("Space")
    expect(page.locator(".reveal")).to_be_visible()
    assert Vote.objects.get().outcome == "left"
