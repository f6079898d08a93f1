"""What a voter waits for: `python -m benchmarks.voting [--url http://127.0.0.1:8000] [--votes 15] [--category text-to-image]`.

Against a running site, such as `bin/demo`'s, in a headless Chromium behind a throttled network: 10 Mbit/s, 60 ms a round
trip. The votes it casts are real votes of a voter of its own.

    next pair   from the click on “Next” to the frame in which both new images are there, decoded. With the pairs loaded
                ahead, at two tempos; beside it the same page without the script that loads them. Aim: 50 ms at the median
    names       from the vote to the names
    weight      HTML, CSS and JavaScript of the voting page, gzipped, without images and font. Aim: 35 KB. The zoom
                comes later, when the pair is shown, and is counted apart
    shift       cumulative layout shift over all of it. Aim: 0
    Lighthouse  where it is installed (`npx --no-install lighthouse`, or LIGHTHOUSE=command), as on a phone

Needs Chromium (CHROMIUM names it) and the development packages.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import shlex
import shutil
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, Response, sync_playwright

BITS_PER_SECOND, ROUND_TRIP = 10_000_000, 60  # ms
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
AIMS = {"performance": 95, "accessibility": 100, "best-practices": 95, "seo": 100}

# Runs before the page's own scripts. A pair is there in the frame after the one that finds it decoded and uncovered.
WATCH = """
window.waited = { next: [], names: [] };
window.shift = 0;
new PerformanceObserver((list) => list.getEntries().forEach((each) => { if (!each.hadRecentInput) window.shift += each.value; }))
  .observe({ type: "layout-shift", buffered: true });
const until = (is, since, into) => {
  const look = () => is() ? requestAnimationFrame(() => into.push(performance.now() - since)) : requestAnimationFrame(look);
  look();
};
document.addEventListener("click", (event) => {
  const old = document.getElementById("battle");
  const now = () => document.getElementById("battle");
  const shown = () => now() !== old && now().querySelector(".is-shown")
    && [...now().querySelectorAll(".pair img")].every((image) => image.complete && image.naturalWidth);
  if (event.target.closest(".next[data-next]")) until(shown, event.timeStamp, window.waited.next);
  if (event.target.closest(".votes button")) until(() => now().querySelector(".reveal"), event.timeStamp, window.waited.names);
}, true);
"""
NOTHING_AHEAD = "export const lookAhead = () => {};"  # in place of the script that loads ahead


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--category", default="text-to-image")
    parser.add_argument("--votes", type=int, default=15)
    options = parser.parse_args()
    address = f"{options.url.rstrip('/')}/arena/{options.category}/"
    print(f"{'next pair, ms':<44}{'median':>9}{'p90':>9}{'most':>9}")
    with browser() as page:
        reference = vote(page, address, options.votes, pause=1500, without_ahead=True)
    with browser() as page:
        ahead = vote(page, address, options.votes, pause=1500)
        shift = page.evaluate("window.shift")
    with browser() as page:
        quick = vote(page, address, options.votes, pause=400)
    row("nothing loaded ahead, 1.5 s a vote", reference["next"])
    row("loaded ahead, 1.5 s a vote (aim: 50)", ahead["next"])
    row("loaded ahead, 0.4 s a vote", quick["next"])
    row("vote → names", ahead["names"])
    ratio = statistics.median(reference["next"]) / statistics.median(ahead["next"])
    print(f"loading ahead is {ratio:.0f} times as quick\n\nlayout shift (aim: 0): {shift:.4f}\n")
    with browser(throttled=False) as page:
        weigh(page, address)
        cookies = "; ".join(f"{cookie['name']}={cookie['value']}" for cookie in page.context.cookies())
        lighthouse("a battle (not to be indexed, on purpose: its SEO cannot be 100)", page.url, cookies)
        lighthouse("the start page, where search engines send people", f"{options.url.rstrip('/')}/", "")


@contextmanager
def browser(*, throttled: bool = True) -> Iterator[Page]:
    """A page of a new voter."""
    program = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=FLAGS)
        page = chromium.new_page(viewport={"width": 1280, "height": 800})
        if throttled:
            session = page.context.new_cdp_session(page)
            session.send("Network.enable")
            throughput = BITS_PER_SECOND / 8
            session.send(
                "Network.emulateNetworkConditions",
                {
                    "offline": False,
                    "latency": ROUND_TRIP,
                    "downloadThroughput": throughput,
                    "uploadThroughput": throughput,
                },
            )
        yield page
        chromium.close()


def vote(page: Page, address: str, votes: int, *, pause: int, without_ahead: bool = False) -> dict[str, list[float]]:
    """Vote so often, `pause` ms after each pair is shown and each name is read; returns the waits in ms."""
    page.add_init_script(WATCH)
    if without_ahead:
        page.route("**/ahead*.js", lambda route: route.fulfill(body=NOTHING_AHEAD, content_type="text/javascript"))
    page.goto(address)
    for number in range(votes):
        page.locator(".pair.is-shown").wait_for()
        page.wait_for_timeout(pause)
        page.locator(f".votes [value={('left', 'right', 'tie')[number % 3]}]").click()
        page.locator(".reveal").wait_for()
        page.wait_for_timeout(pause)
        page.locator(".next").click()
        page.locator(".reveal").wait_for(state="detached")
        if page.locator(".round-card").count():  # after every fifth vote
            page.locator(".next").click()
            page.locator(".round-card").wait_for(state="detached")
        elif not page.locator("#battle").count():  # after the twentieth: the voter's own ranking
            page.goto(address)
    page.locator(".pair.is-shown").wait_for()
    page.wait_for_timeout(200)
    waited: dict[str, list[float]] = page.evaluate("window.waited")
    return waited


def row(label: str, times: list[float]) -> None:
    ninety = statistics.quantiles(times, n=10)[-1] if len(times) > 1 else times[0]
    print(f"{label:<44}{statistics.median(times):>9.0f}{ninety:>9.0f}{max(times):>9.0f}")


def weigh(page: Page, address: str) -> None:
    sizes: dict[str, int] = {"document": 0, "stylesheet": 0, "script": 0}
    later = 0
    replies: list[Response] = []
    page.on("response", lambda reply: replies.append(reply))
    page.goto(address, wait_until="networkidle")
    for reply in replies:
        if reply.request.resource_type in sizes and reply.ok:
            size = len(gzip.compress(reply.body(), 6))
            if "/zoom." in reply.url:
                later += size
            else:
                sizes[reply.request.resource_type] += size
    parts = ", ".join(f"{kind} {size / 1000:.1f}" for kind, size in sizes.items())
    print(f"page weight, KB gzipped (aim: 35): {sum(sizes.values()) / 1000:.1f} ({parts})")
    print(f"and once the pair is shown, the zoom: {later / 1000:.1f}\n")


def lighthouse(what: str, address: str, cookie: str) -> None:
    """A page as a phone sees it. A battle belongs to one voter, so it says `noindex`, which Lighthouse takes off its SEO."""
    command = shlex.split(os.environ.get("LIGHTHOUSE", "npx --no-install lighthouse"))
    flags = [
        "--quiet",
        "--output=json",
        *([f"--extra-headers={json.dumps({'Cookie': cookie})}"] if cookie else []),
        f"--chrome-flags=--headless=new {' '.join(FLAGS)}",
    ]
    environment = os.environ | {"CHROME_PATH": os.environ.get("CHROMIUM") or shutil.which("chromium") or ""}
    try:
        done = subprocess.run(
            [*command, address, *flags], capture_output=True, check=True, timeout=180, env=environment
        )
    except (OSError, subprocess.SubprocessError) as error:
        said: bytes = getattr(error, "stderr", None) or b""
        print(f"Lighthouse did not run: {said[-300:].decode(errors='replace') or error}", file=sys.stderr)
        return
    report = json.loads(done.stdout)
    print(f"Lighthouse, phone, {what}:")
    for key, aim in AIMS.items():
        category = report["categories"][key]
        print(f"    {key:<16}{category['score'] * 100:>5.0f}  (aim: {aim})")
        for reference in category["auditRefs"]:
            audit = report["audits"][reference["id"]]
            if reference["weight"] and audit["score"] is not None and audit["score"] < 0.9:
                print(f"        {audit['title']}: {audit.get('displayValue', '')}")


if __name__ == "__main__":
    main()
