"""A real Chromium against the live server. Any console error, page error or 5xx answer fails the test."""

from __future__ import annotations

import os
import re
import shutil
import threading
from collections.abc import Iterator
from time import monotonic
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, expect

from arena.models import Category, Competition, Prompt
from providers.models import ImageModel
from tests import factories

# Playwright keeps an event loop in this thread, which Django would take for asynchronous code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

expect.set_options(timeout=20_000)  # ms; what is awaited comes late on a machine that has other work too

NAMES = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The machine's own Chromium. Without one the tests are skipped, on CI they fail: nobody would notice a skip."""
    chromium = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if chromium is None:
        reason = "No Chromium found. Install one, or put its path into CHROMIUM."
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(reason)
    return {**browser_type_launch_args, "executable_path": chromium, "args": list(FLAGS)}


@pytest.fixture(scope="session")
def base_url() -> str:
    """In place of pytest-base-url's fixture, whose definition pytest 9 warns of."""
    return ""


@pytest.fixture
def expected_errors() -> list[str]:
    """Patterns of console errors that a test provokes on purpose."""
    return []


class _Server:
    """Which threads of the live server are answering a request."""

    def __init__(self) -> None:
        self._changed, self._answering = threading.Condition(), set[int]()
        request_started.connect(self._begin)
        request_finished.connect(self._end)

    def _begin(self, **_: Any) -> None:
        with self._changed:
            self._answering.add(threading.get_ident())

    def _end(self, **_: Any) -> None:
        with self._changed:
            self._answering.discard(threading.get_ident())
            self._changed.notify_all()

    def is_idle(self) -> bool:
        """True as soon as it has answered everybody; False when that takes longer than ten seconds."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._answering, timeout=10)

    def forget(self) -> None:
        """What came too late for an earlier test, and broke off without a signal because its database was away."""
        with self._changed:
            self._answering.clear()


@pytest.fixture(scope="session")
def _server() -> _Server:
    return _Server()


@pytest.fixture(autouse=True)
def _nothing_under_way(context: BrowserContext, _no_trouble: None, _server: _Server) -> Iterator[None]:
    """When a test is over its page may still be loading pairs ahead. A request that is being answered while the tables
    are emptied is a deadlock, and the next test's trouble."""
    under_way: set[Request] = set()
    context.on("request", lambda request: under_way.add(request))
    for ended in ("requestfinished", "requestfailed"):
        context.on(ended, lambda request: under_way.discard(request))
    _server.forget()
    yield
    deadline = monotonic() + 2  # what a test holds up on purpose never ends
    while context.pages and under_way and monotonic() < deadline:
        context.pages[0].wait_for_timeout(10)  # events come only while Playwright is being asked something
    for page in context.pages:
        page.close()
    assert _server.is_idle()


@pytest.fixture(autouse=True)
def _no_trouble(context: BrowserContext, expected_errors: list[str]) -> Iterator[None]:
    troubles: list[str] = []

    def on_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            troubles.append(message.text)

    def on_response(response: Response) -> None:
        if response.status >= 500:
            troubles.append(f"{response.status} {response.url}")

    context.on("console", on_console)
    context.on("weberror", lambda error: troubles.append(str(error.error)))
    context.on("response", on_response)
    yield
    unexpected = [text for text in troubles if not any(re.search(pattern, text) for pattern in expected_errors)]
    assert not unexpected, unexpected


class Site:
    """One category with enough pairs to vote on: three models, and one entry of each for every prompt."""

    category: Category
    competition: Competition
    prompts: list[Prompt]
    models: list[ImageModel]

    def __init__(self, slug: str = "text-to-image", mode: str = "text-to-image", shape: str = "1:1", prompts: int = 2):
        self.category = factories.make_category(slug, mode)
        self.competition = factories.make_competition(self.category, shape=shape)
        self.models = [
            ImageModel.objects.filter(slug=key).first() or factories.make_model(key, name)
            for key, name in (("heron", "Heron XL"), ("plover", "Plover Mini"), ("wagtail", "Wagtail 2 [dev]"))
        ]
        self.prompts = []
        for _ in range(prompts):
            prompt = factories.make_prompt(self.competition)
            for model in self.models:
                factories.make_entry(prompt, model)
            self.prompts.append(prompt)

    @property
    def arena(self) -> str:
        return f"/arena/{self.category.slug}/"

    @property
    def giveaways(self) -> list[str]:
        """Texts that would betray a model before the vote."""
        return [text for model in self.models for text in (model.name, model.slug)]


@pytest.fixture(autouse=True, scope="package")
def _small_images() -> Iterator[None]:
    with factories.small_images():
        yield


@pytest.fixture
def site(transactional_db: None) -> Site:
    return Site()
