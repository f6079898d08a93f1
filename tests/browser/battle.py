"""How a visitor comes to a battle, and what its page shows of models."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Page, expect

from .conftest import Site

BUTTON = ".votes [value=left]"


def begin(page: Page, live_server: Any, site: Site) -> None:
    page.goto(live_server.url + site.arena)
    expect(page.locator(".pair.is-shown")).to_be_visible()  # the buttons are there before the scripts are
    if page.locator(".flip-button.is-asking").is_visible():  # one image at a time: answers wait until both were seen
        page.locator(".flip-button").click()
    expect(page.locator(BUTTON)).to_be_enabled()


def names_shown(page: Page, site: Site) -> list[str]:
    content = page.content()
    return [text for text in site.giveaways if text in content]
