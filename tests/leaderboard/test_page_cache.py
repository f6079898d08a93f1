"""Pages that are cached as they were rendered: what is the same for everybody, and what must never be."""

from __future__ import annotations

import gzip
import pickle
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager

import pytest
from django.core.cache import cache as valkey
from django.db import connections
from django.test import Client
from django.test.signals import template_rendered

from arena import voting
from leaderboard import page_cache
from leaderboard.board import image_records, ratings
from providers import cache
from tests import factories as make

pytestmark = pytest.mark.django_db

BOARD = "/leaderboard/text-to-image/"


@pytest.fixture(autouse=True)
def _cached_for_a_minute(monkeypatch):
    monkeypatch.setattr(page_cache, "FRESH_SECONDS", 60.0)


@pytest.fixture
def entries():
    prompt = make.make_prompt(make.make_competition(make.make_category()))
    rivals = [make.make_entry(prompt, make.make_model(f"bird-{n}", f"Bird {n}")) for n in range(3)]
    vote(rivals)
    return rivals


def vote(entries):
    for left, right in ((0, 1), (1, 2), (0, 2)):
        for outcome in ("left", "right", "left"):
            voting.cast_vote(make.make_battle(left=entries[left], right=entries[right]), outcome)
    ratings.recompute_moved()
    image_records.recount(entries[0].prompt.competition.category, force=True)


@contextmanager
def renderings(name="leaderboard/category.html") -> Iterator[list[str]]:
    """How often the page's template was rendered."""
    seen: list[str] = []

    def note(sender, template, **rest):
        del sender, rest
        if template.name == name:
            seen.append(template.name)

    template_rendered.connect(note)
    try:
        yield seen
    finally:
        template_rendered.disconnect(note)


def test_a_page_is_rendered_once_and_again_when_its_board_is_computed(client, entries):
    with renderings() as seen:
        first = client.get(BOARD)
        assert client.get(BOARD).content == first.content
        assert len(seen) == 1
        same = client.get(BOARD, headers={"If-None-Match": first["ETag"]})
        assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
        dated = client.get(BOARD, headers={"If-Modified-Since": first["Last-Modified"]})
        assert dated.status_code == 304
        assert len(seen) == 1
        vote(entries)
        again = client.get(BOARD, headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 200
    assert again["ETag"] != first["ETag"]
    assert len(seen) == 2
    assert "9 votes" in first.content.decode()
    assert "18 votes" in again.content.decode()


def test_caches_on_the_way_may_share_a_board_and_nothing_that_depends_on_the_reader(client, entries):
    board, model = client.get("/methodology/"), client.get(entries[0].image_model.get_absolute_url())
    file = client.get("/leaderboard/text-to-image.csv")
    for shared, varies in ((board, {"Accept-Encoding", "Accept-Language", "Cookie"}), (file, {"Accept-Encoding"})):
        assert "s-maxage=" in shared["Cache-Control"]
        assert "public" in shared["Cache-Control"]
        assert set(shared["Vary"].split(", ")) == varies
        assert not shared.cookies
    assert "private" in model["Cache-Control"]
    assert "s-maxage" not in model["Cache-Control"]
    assert {"Accept-Encoding", "Accept-Language", "Cookie"} == set(model["Vary"].split(", "))
    voting = client.get("/arena/text-to-image/", follow=True)
    assert "no-store" in voting["Cache-Control"]
    assert not voting.has_header("ETag")


def test_a_page_goes_out_compressed_to_clients_that_accept_it(client, entries):
    plain, zipped = client.get(BOARD), client.get(BOARD, headers={"Accept-Encoding": "br, gzip"})
    assert zipped["Content-Encoding"] == "gzip"
    assert not plain.has_header("Content-Encoding")
    assert gzip.decompress(zipped.content) == plain.content
    assert zipped["ETag"] == plain["ETag"]


def test_who_is_asked_about_a_prompt_gets_a_page_of_their_own_and_nobody_else_does(client, entries):
    """Of two first readers, the other's page is never handed out: neither names to the voter, nor holes to the rest."""
    entry, other, _ = entries
    voter = make.make_voter()
    asked, stranger = Client(), client
    make.sign_in(asked, voter)
    address = entry.image_model.get_absolute_url()
    pages = [address, f"{address}images/", entry.prompt.competition.get_absolute_url(), "/compare/bird-0/bird-1/"]
    open_to_all = [stranger.get(page) for page in pages]
    assert all(entry.thumbnail.name in page.content.decode() for page in open_to_all)
    battle = make.make_battle(voter, entry, other)
    for page, known in zip(pages, open_to_all, strict=True):
        hidden = asked.get(page, headers={"If-None-Match": known["ETag"]})
        assert hidden.status_code == 200
        assert entry.thumbnail.name not in hidden.content.decode()
        assert "private" in hidden["Cache-Control"]
        assert "Cookie" in hidden["Vary"]
        assert stranger.get(page).content == known.content
    voting.cast_vote(battle, "left")
    assert all(entry.thumbnail.name in asked.get(page).content.decode() for page in pages)


def test_the_order_of_parameters_and_parameters_nobody_reads_make_no_second_page(client, entries):
    with renderings() as seen:
        one = client.get(BOARD, {"sort": "model", "status": "", "weights": "closed"})
        assert client.get(f"{BOARD}?utm_source=x&weights=closed&sort=model").content == one.content
        assert len(seen) == 1
        assert client.get(BOARD, {"sort": "-model", "weights": "closed"}).content != one.content
        assert client.get(BOARD, {"weights": "open"}).content != one.content
    assert len(seen) == 3


def test_made_up_filters_take_a_bounded_number_of_slots_and_still_get_their_own_answer(client, entries, monkeypatch):
    del entries
    monkeypatch.setattr(page_cache, "SLOTS", 8)
    for n in range(page_cache.SLOTS * 2):
        page = client.get(BOARD, {"price": f"0.{n:03}"}).content.decode()
        assert f'value="0.{n:03}"' in page
    slots = cache.get_many({slot: ("page", BOARD, slot) for slot in range(page_cache.SLOTS * 3)})
    assert 1 < len(slots) <= page_cache.SLOTS


def test_a_page_that_is_not_found_or_not_understood_is_not_cached(client, entries):
    del entries
    assert [client.get(BOARD, {"sort": "beauty"}).status_code for _ in range(2)] == [400, 400]
    assert client.get("/models/not-here/").status_code == 404
    make.make_model("not-here", "Here now")
    assert "Here now" in client.get("/models/not-here/").content.decode()


READERS = 50


@pytest.mark.django_db(transaction=True)
def test_fifty_readers_of_a_board_that_was_just_computed_cost_one_rendering_and_none_of_them_waits(client, entries):
    old = client.get(BOARD).content
    vote(entries)
    printing, others_have_answers = threading.Event(), threading.Event()

    def hold(sender, template, **rest):
        """The one who renders is delayed until everybody else has an answer."""
        del sender, rest
        if template.name == "leaderboard/category.html":
            printing.set()
            assert others_have_answers.wait(30)

    def read(_):
        try:
            return Client().get(BOARD).content
        finally:
            connections.close_all()

    template_rendered.connect(hold)
    try:
        with renderings() as seen, ThreadPoolExecutor(8) as threads:
            first = threads.submit(read, 0)
            assert printing.wait(30)
            others = [threads.submit(read, n) for n in range(1, READERS)]
            assert not wait(others, timeout=60).not_done
            others_have_answers.set()
            new = first.result()
    finally:
        template_rendered.disconnect(hold)
    assert len(seen) == 1
    assert new != old
    assert {future.result() for future in others} == {old}
    assert client.get(BOARD).content == new


@pytest.mark.django_db(transaction=True)
def test_nobody_waits_for_the_first_rendering_of_a_page(entries):
    """While one request renders a page that is not cached yet, the others render their own and are done before it."""
    del entries
    rendering, others_are_done = threading.Event(), threading.Event()
    first = threading.Lock()

    def hold(sender, template, **rest):
        del sender, rest
        if template.name == "leaderboard/category.html" and first.acquire(blocking=False):
            rendering.set()
            assert others_are_done.wait(30)

    def read(_):
        try:
            return Client().get(BOARD).content
        finally:
            connections.close_all()

    template_rendered.connect(hold)
    try:
        with ThreadPoolExecutor(4) as threads:
            held = threads.submit(read, 0)
            assert rendering.wait(30)
            others = [threads.submit(read, n) for n in range(1, 9)]
            assert not wait(others, timeout=60).not_done
            assert not held.done()
            others_are_done.set()
            assert {request.result() for request in [held, *others]} == {held.result()}
    finally:
        template_rendered.disconnect(hold)
    assert b"Bird 1" in held.result()
    with renderings() as rendered:
        assert Client().get(BOARD).content == held.result()
    assert not rendered


PAGES = (
    BOARD,
    "/models/bird-0/",
    "/models/bird-0/card.jpg",
    "/leaderboard/text-to-image/card.jpg",
    "/",
    "/compare/bird-0/bird-1/",
)


class Gone:
    """A class of another release: what is pickled of it cannot be read where it is missing."""


@pytest.mark.parametrize("kind", ["garbage", "a class that is gone", "a number", "an object of another shape"])
def test_what_stands_in_valkey_and_cannot_be_read_is_a_miss_and_logged(client, entries, monkeypatch, caplog, kind):
    del entries
    before = {page: client.get(page).content for page in PAGES}
    pickled = pickle.dumps(("image-arena", Gone()))
    monkeypatch.delattr(sys.modules[__name__], "Gone")
    store = valkey._cache.get_client(write=True)
    names = list(store.scan_iter(f"*{cache.release()}*"))
    assert len(names) >= len(PAGES)
    value = {
        "garbage": b"\x80\x04garbage",
        "a class that is gone": pickled,
        "a number": b"7",
        "an object of another shape": pickle.dumps({"version": 1}),
    }[kind]
    for name in names:
        store.set(name, value, ex=60)
    assert {page: client.get(page).status_code for page in PAGES} == dict.fromkeys(PAGES, 200)
    assert "cache miss" in caplog.text
    assert client.get(BOARD).content == before[BOARD]


def test_two_releases_that_share_a_store_do_not_read_each_other(monkeypatch):
    monkeypatch.setattr(cache, "release", lambda: "old")
    cache.put("of the old release", "board", seconds=60)
    assert cache.get("board") == "of the old release"
    monkeypatch.setattr(cache, "release", lambda: "new")
    assert cache.get("board") is None
