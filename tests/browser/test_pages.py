"""Every page: fits every width in both directions, passes axe in both schemes; a battle fits one screen."""

from __future__ import annotations

import importlib.resources
from datetime import timedelta
from decimal import Decimal
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from django.http import HttpResponse
from django.utils import timezone
from playwright.sync_api import FloatRect, Locator, Page, Route, expect

from arena import battles, voting
from arena.models import Battle, Entry
from leaderboard.board import image_records, ratings, snapshots
from leaderboard.voter import rankings
from providers.models import ApiKey, GatewayRequest, Offering, Trial
from providers.performance import percentiles, summaries
from providers.playground import visitors
from tests import factories, pseudo_language

from .battle import BUTTON, begin
from .conftest import Site
from .test_languages import CUT_OFF, choose

pytestmark = pytest.mark.browser

AXE = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa"]
OF_COLOUR = ["color-contrast", "link-in-text-block"]
# Turns the page into this direction; the width it then needs.
TURNED = "direction => { document.documentElement.dir = direction; return document.documentElement.scrollWidth; }"


def publish() -> list[str]:
    """A site with something on every page; returns the addresses of the pages."""
    site, edits = Site(), Site("image-editing", "edit", "4:3", prompts=1)
    factories.make_prompt(site.competition, "A prompt nobody has answered")
    elsewhere = factories.make_category(
        "elsewhere", source_name="Ratings published elsewhere", source_url="https://example.org/", source_licence="MIT"
    )
    factories.make_category("empty")
    coming = factories.make_category("coming")
    factories.make_generation(factories.make_prompt(factories.make_competition(coming)), site.models[0])
    imported = factories.make_model("imported-model", "Imported/model_v1", origin="imported", lab=None)
    factories.make_offering(
        site.models[0], "simulated-fal", price_estimated=True, price_source="https://example.org/prices"
    )
    for category in (site.category, edits.category):
        for outcome in ("left", "right", "tie", "both_bad"):
            for voter in (factories.make_voter(), factories.make_voter()):
                battle = battles.serve(voter, category)
                assert battle is not None
                voting.cast_vote(battle, outcome)
    for offering in Offering.objects.all():
        for _ in range(percentiles.SAMPLES_FOR_P50):
            factories.make_call(offering, ttfb=timedelta(seconds=0.5))
    ratings.recompute_moved()
    image_records.recount_moved()
    summaries.compute()
    model = site.models[0]
    assert battle is not None
    shared = rankings.share(battle.voter, edits.category)
    assert shared is not None
    snapshot = snapshots.take(site.category)
    assert snapshot is not None
    return [
        "/", "/models/", "/methodology/", "/nowhere/", "/models/?q=nothing-like-it",
        *(category.get_absolute_url() for category in (site.category, elsewhere)),
        "/leaderboard/empty/", "/arena/empty/", "/leaderboard/coming/", "/arena/coming/", "/status/",
        *(subject.get_absolute_url() for subject in (site.models[0], imported, site.competition, edits.competition)),
        f"{model.get_absolute_url()}images/", "/labs/sample-studio/", "/providers/simulated-openai/", "/providers/fal/",
        "/integrity/", "/data/", "/snapshots/", snapshot.get_absolute_url(), "/privacy/",
        f"/entries/{Entry.objects.filter(prompt=site.prompts[0]).first().pk}/",
        "/leaderboard/overall/", "/models/?for=me", "/models/?for=me&price=nothing", "/compare/",
        "/search/?q=heron",
        f"{site.category.get_absolute_url()}?price=x", f"/compare/{site.models[0].slug}/{site.models[1].slug}/",
        f"{site.competition.get_absolute_url()}{site.prompts[0].pk}/",
        site.arena, edits.arena, f"{site.arena}mine/", shared.get_absolute_url(),
    ]  # fmt: skip


def problems(page: Page) -> list[str]:
    """What axe finds in both schemes, as “scheme, rule: element”. Only colours differ between the schemes.

    It begins with the scheme that the page has, because every change of it styles and paints the page again.
    """
    page.evaluate(AXE)
    is_dark = page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches")
    violations = []
    schemes: list[tuple[Literal["light", "dark"], list[str]]]
    schemes = [("dark", RULES), ("light", OF_COLOUR)] if is_dark else [("light", RULES), ("dark", OF_COLOUR)]
    for scheme, rules in schemes:
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        # What passes need not be described.
        options = {"runOnly": rules, "resultTypes": ["violations"], "selectors": False}
        result: dict[str, Any] = page.evaluate("options => axe.run(document, options)", options)
        broken = [(rule["id"], node["html"][:120]) for rule in result["violations"] for node in rule["nodes"]]
        violations += [f"{scheme}, {rule}: {element}" for rule, element in broken]
    return violations


def settle(page: Page) -> None:
    """Wait for what the page still does: the pair of a battle."""
    if page.locator(BUTTON).count():
        expect(page.locator(BUTTON)).to_be_enabled()


@pytest.mark.usefixtures("right_to_left")
def test_every_page_fits_every_width_and_axe_finds_nothing(live_server, page: Page, transactional_db, expected_errors):
    """In a language that is longer than others and runs from right to left, then turned round."""
    expected_errors.extend(("404", "400"))
    choose(page, live_server, pseudo_language.CODE)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    reported = []
    for path in publish():
        reported += faults(page, live_server.url, path)
    assert not reported, "\n".join(reported)


def faults(page: Page, site: str, path: str) -> list[str]:
    page.goto(site + path)
    settle(page)
    reported = [f"{path} {problem}" for problem in problems(page)]
    assert page.locator("html").get_attribute("dir") == "rtl", path
    # As few layouts as there are combinations: at each width first the direction that the page has.
    for width, directions in ((1280, ("rtl", "ltr")), (390, ("ltr", "rtl")), (320, ("rtl", "ltr"))):
        page.set_viewport_size({"width": width, "height": 844})
        for direction in directions:
            needed = page.evaluate(TURNED, direction)
            if needed > width:
                reported.append(f"{path} needs {needed} of {width}, {direction}: {page.evaluate(CUT_OFF)}")
    page.set_viewport_size({"width": 1280, "height": 844})
    return reported


@pytest.mark.usefixtures("right_to_left")
def test_the_pages_of_the_gateway_fit_and_axe_finds_nothing(live_server, page: Page, transactional_db, admin_client):
    offering = factories.make_offering(factories.make_model("heron", "Heron XL"), "simulated-openai")
    used, _ = ApiKey.make("The team that writes the newsletter", monthly_budget=Decimal("1234.5"))
    ApiKey.make("gone", revoked_at=timezone.now())
    GatewayRequest.objects.create(
        api_key=used, model=offering.image_model.slug, mode="edit", status="failed", error_code="all_providers_failed",
        error="Every provider of this model failed. " * 4, http_status=502, fingerprint="0" * 64, cost=Decimal(0),
        duration=timedelta(seconds=1.5),
    )  # fmt: skip
    choose(page, live_server, pseudo_language.CODE)
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    session = admin_client.cookies["sessionid"].value
    page.context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
    reported = []
    for path in ("/api/", "/api/keys/", "/api/log/", f"/api/log/?key={used.prefix}", "/playground/?prompt=A+red+kite"):
        reported += faults(page, live_server.url, path)
    assert not reported, "\n".join(reported)


def test_axe_finds_nothing_in_any_state_of_a_battle(live_server, page: Page, site: Site, expected_errors):
    expected_errors += ["410", "400", "ERR_FAILED", "htmx:"]
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    reported: list[str] = []

    def look_at(state: str) -> None:
        reported.extend(f"{state}, {problem}" for problem in problems(page))

    site.prompts[1].retired_at = timezone.now()  # three pairs are left
    site.prompts[1].save(update_fields=["retired_at"])
    is_offline = False
    page.route("**/vote/", lambda route: route.abort() if is_offline else route.continue_())
    begin(page, live_server, site)
    page.keyboard.press("?")
    look_at("help")
    page.keyboard.press("Escape")
    page.keyboard.press("z")
    expect(page.locator("#zoom")).to_be_visible()
    look_at("zoom")
    page.keyboard.press("Escape")
    page.get_by_role("link", name="Report").click()
    look_at("report dialog")
    page.keyboard.press("Escape")
    expect(page.locator("#report")).not_to_be_visible()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".reveal")).to_be_visible()
    look_at("reveal")
    with page.expect_response("**/show/"):
        page.keyboard.press("Space")
    expect(page.locator(BUTTON)).to_be_enabled()
    is_offline = True
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".unsent .button")).to_be_focused()  # “Next pair” where one is loaded, else “Try again”
    look_at("offline")
    is_offline = False
    skipped = page.url
    page.keyboard.press("s")
    expect(page).not_to_have_url(skipped)
    page.goto(f"{live_server.url}{urlsplit(page.url).path}report/")
    page.locator(".report-form").evaluate("form => { form.noValidate = true; }")
    page.get_by_role("button", name="Report", exact=True).click()
    expect(page.get_by_role("alert")).to_be_visible()
    look_at("report refused")
    page.goto(skipped)
    expect(page.locator(".closed")).to_contain_text("skipped")
    look_at("skipped")
    begin(page, live_server, site)
    past = timezone.now() - timedelta(minutes=5)
    Battle.objects.owed().update(served_at=past - timedelta(hours=1), expires_at=past)
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".closed")).to_contain_text("expired")
    look_at("expired")
    page.keyboard.press("Space")
    expect(page.locator(BUTTON)).to_be_enabled()
    page.keyboard.press("ArrowLeft")
    expect(page.locator(".next")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#battle")).to_contain_text("You have seen every pair")
    look_at("nothing left")
    assert not reported


def box_of(part: Locator) -> FloatRect:
    box = part.bounding_box()
    assert box is not None
    return box


@pytest.mark.parametrize("shape", ["1:1", "16:9", "9:16"])
def test_a_battle_fits_one_screen(live_server, page: Page, transactional_db, settings, shape):
    settings.DEMO = True  # with the banner, which takes room
    site = Site(shape=shape, prompts=1)
    for width, height in ((1280, 800), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        begin(page, live_server, site)
        for box in map(box_of, (*page.locator(".frame").all(), page.locator(".votes"))):
            assert box["y"] >= 0
            assert box["y"] + box["height"] <= height
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= width
        sides = [box_of(side) for side in page.locator(".frame").all()]
        assert sides[0]["width"] == pytest.approx(sides[1]["width"], abs=0.5)
        assert sides[0]["height"] == pytest.approx(sides[1]["height"], abs=0.5)
        if width == 1280:
            assert page.evaluate("document.documentElement.scrollHeight") <= height
    page.set_viewport_size({"width": 320, "height": 200})  # a desktop at 400 %
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    assert box_of(page.locator(".question"))["width"] > 200


def test_nothing_moves_between_vote_and_reveal(live_server, page: Page, site: Site):
    for width, height in ((1280, 800), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        begin(page, live_server, site)
        before = [box_of(side) for side in page.locator(".side").all()]
        page.keyboard.press("ArrowLeft")
        expect(page.locator(".reveal .next")).to_be_visible()
        assert [box_of(side) for side in page.locator(".side").all()] == before


@pytest.mark.parametrize("lost", ["abort", "busy"])
def test_the_playground_asks_again_when_a_question_gets_lost(
    live_server, page: Page, transactional_db, expected_errors, lost: str
):
    expected_errors.extend(("ERR_FAILED", "htmx:", "503"))
    model = factories.make_model("heron", "Heron XL")
    trial = Trial.objects.create(visitor="somebody", image_model=model, mode="text-to-image", prompt="A red kite")
    answer = HttpResponse()
    visitors.remember(answer, trial.visitor)
    cookie = answer.cookies[visitors.COOKIE].value
    page.context.add_cookies([{"name": visitors.COOKIE, "value": cookie, "url": live_server.url}])
    asked: list[str] = []

    def lose_the_first(route: Route) -> None:
        asked.append(route.request.url)
        if len(asked) > 1:
            route.continue_()
        elif lost == "abort":
            route.abort()
        else:
            route.fulfill(status=503, body="It is starting.")

    page.route("**/results/", lose_the_first)
    with page.expect_request("**/results/"):
        page.goto(f"{live_server.url}/playground/{trial.group}/")
    Trial.objects.update(status="failed", error="No worker has finished it.")
    expect(page.locator("#results")).to_contain_text("No worker has finished it.")
