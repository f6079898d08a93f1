"""Images for other people's pages, in a page that forbids everything else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Page

from leaderboard.board import ratings
from tests.leaderboard.voting import cast

from .conftest import Site

pytestmark = pytest.mark.browser


@contextmanager
def hosting(body: str, policy: str) -> Iterator[str]:
    """Somebody's page, on another site than ours."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = f"<!doctype html><link rel=icon href=data:,><title>Host</title>{body}".encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Security-Policy", policy)
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_a_host_page_with_a_strict_policy_shows_badge_board_and_live_pair(live_server, page: Page, site: Site):
    cast(site.category, site.models, 60, voters=60)
    ratings.recompute(site.category)
    ours = live_server.url
    board = f"{ours}/leaderboard/{site.category.slug}"
    images = [f"{board}/top.svg", f"{board}/badges/heron.svg", f"{board}/pair.jpg"]
    body = "".join(f'<a href="{ours}{site.arena}"><img src="{url}" alt=""></a>' for url in images)
    with hosting(body, f"default-src 'none'; img-src data: {ours}") as host:
        page.goto(host)
        page.wait_for_function("[...document.images].every(image => image.complete)")
        assert page.evaluate("[...document.images].map(image => image.naturalWidth > 100)") == [True] * 3
        page.locator("a").last.click()
        page.wait_for_url("**/battles/**")
