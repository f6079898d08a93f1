"""One curator, a browser and a stopwatch: from a spreadsheet of prompts to an open competition, on a running site.

    bin/demo --port 8000
    .venv/bin/python -m benchmarks.curating --base http://127.0.0.1:8000 --user NAME --password WORD \\
        [--prompts 300] [--pictures docs/curating]

The user should be a member of the group Curator and no superuser. Prints seconds and clicks of every step, and what the
site says to files that are wrong. With --pictures it also writes the pictures of docs/curating.md: WebP of at most
60 kB, of the site's own pages with its own sample images.
"""

from __future__ import annotations

import argparse
import csv
import io
import itertools
import json
import os
import shutil
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome")
WIDTH, HEIGHT, LARGEST = 1100, 720, 60_000  # pixels, pixels, bytes
SUBJECTS = (
    "A red kite",
    "A brass telescope",
    "An old ferry",
    "A glass pear",
    "Two barn owls",
    "A paper city",
    "A snow hare",
    "A stone bridge",
    "A market stall",
    "A copper kettle",
    "A tide pool",
    "A row of beehives",
)
PLACES = (
    "over dunes at noon",
    "in a flooded library",
    "under northern lights",
    "on a kitchen table",
    "at a night fair",
)
STYLES = ("as a woodcut", "in soft window light", "seen from above", "in heavy rain", "as a child’s drawing")


class Stopwatch:
    def __init__(self, page: Page, pictures: Path | None) -> None:
        self.page, self.pictures, self.clicks, self.began = page, pictures, 0, time.monotonic()

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        began, clicks = time.monotonic(), self.clicks
        yield
        print(f"{time.monotonic() - began:6.1f} s  {self.clicks - clicks:2d} clicks  {name}", flush=True)

    def click(self, selector: str) -> None:
        self.clicks += 1
        self.page.click(selector)
        self.page.wait_for_load_state()

    def picture(self, name: str, *, narrow: bool = False) -> None:
        """Write a picture of the page as it stands."""
        if self.pictures is None:
            return
        self.page.set_viewport_size({"width": 390 if narrow else WIDTH, "height": 844 if narrow else HEIGHT})
        image = Image.open(io.BytesIO(self.page.screenshot())).convert("RGB")
        for quality in range(80, 20, -10):
            out = io.BytesIO()
            image.save(out, "WEBP", quality=quality, method=6)
            if out.tell() <= LARGEST:
                break
        (self.pictures / f"{name}.webp").write_bytes(out.getvalue())
        self.page.set_viewport_size({"width": WIDTH, "height": HEIGHT})


def spreadsheet(count: int, run: str) -> bytes:
    """`count` prompts, no two of them nearly the same, with tags, as a spreadsheet saves them."""
    out = io.StringIO()
    rows = csv.writer(out)
    rows.writerow(("text", "tags"))
    every = itertools.product(STYLES, PLACES, SUBJECTS)
    for style, place, subject in itertools.islice(every, count):
        rows.writerow((f"{subject} {place}, {style} (series {run})", f"{place.split()[-1]}, {style.split()[-1]}"))
    return out.getvalue().encode()


def wrong_files() -> dict[str, tuple[str, bytes]]:
    """Files that people upload, and what somebody may try: name → (file name, bytes)."""
    bomb, paths, text = io.BytesIO(), io.BytesIO(), "text;tags\nA fox;animals\nA hen;animals\n"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("prompts.csv", b"text\n" + b"0" * 200_000_000)
    with zipfile.ZipFile(paths, "w") as archive:
        archive.writestr("../../prompts.csv", "text\nA fox\n")
    return {
        "semicolons": ("prompts.csv", text.encode()),
        "UTF-16": ("prompts.txt", text.replace(";", "\t").encode("utf-16")),
        "no text column": ("prompts.csv", b"words,labels\nA fox,animals\n"),
        "an image": ("prompts.csv", b"\x89PNG\r\n\x1a\n" + bytes(range(256))),
        "broken JSON": ("prompts.json", b'[{"text": "A fox"'),
        "ZIP bomb": ("prompts.zip", bomb.getvalue()),
        "ZIP with paths": ("prompts.zip", paths.getvalue()),
        "empty": ("prompts.csv", b"\n"),
    }


def words_of(page: Page) -> str:
    """What the page says to an upload: its errors, or the head of its dry run."""
    for selector in (".errorlist", "h2 + p", "#content p"):
        if page.locator(selector).count():
            return " ".join(page.locator(selector).first.inner_text().split())[:150]
    return page.title()


def play(watch: Stopwatch, base: str, user: str, password: str, prompts: int) -> None:
    page, run = watch.page, str(int(time.time()))
    admin = f"{base}/admin/"
    with watch.step("sign in"):
        page.goto(admin)
        page.fill("#id_username", user)
        page.fill("#id_password", password)
        watch.click("[type=submit]")
        watch.picture("index")
    with watch.step("a competition, as a draft"):
        page.goto(f"{admin}arena/competition/add/")
        page.select_option("#id_category", label="Text to image")
        page.fill("#id_title", f"Series {run}")
        page.fill("#id_criterion", "how well the picture follows the prompt")
        watch.click("[name=_continue]")
        competition = page.url.rstrip("/").split("/")[-2]
        watch.picture("competition")
    for name, (file, data) in wrong_files().items():
        with watch.step(f"a wrong file: {name}"):
            page.goto(f"{admin}arena/prompt/bulk/{competition}/")
            page.set_input_files("#id_file", {"name": file, "mimeType": "text/csv", "buffer": data})
            watch.click("[type=submit].default")
        print(f"{'':21}→ {words_of(page)}")
    with watch.step("forty pasted lines: dry run"):
        page.goto(f"{admin}arena/prompt/bulk/{competition}/")
        lines = itertools.islice(itertools.product(SUBJECTS, PLACES), 40)
        page.fill("#id_text", "\n".join(" ".join(words) for words in lines))
        watch.click("[type=submit].default")
    print(f"{'':21}→ {words_of(page)}")
    with watch.step(f"{prompts} prompts from a spreadsheet: dry run"):
        page.goto(f"{admin}arena/competition/{competition}/change/")
        watch.click("#content >> text=Add prompts")
        watch.picture("add-prompts")
        data = spreadsheet(prompts, run)
        page.set_input_files("#id_file", {"name": "prompts.csv", "mimeType": "text/csv", "buffer": data})
        watch.click("[type=submit].default")
        watch.picture("dry-run")
    print(f"{'':21}→ {words_of(page)}")
    with watch.step("… and add them"):
        near = page.locator("[name=near_too]")
        if near.count():
            watch.clicks += 1
            near.check()
        watch.click("[type=submit].default")
        watch.picture("prompts")
    with watch.step("save the competition again"):
        page.goto(f"{admin}arena/competition/{competition}/change/")
        watch.click("[name=_continue]")
    with watch.step("ask the models: tick all, review the sum"):
        watch.click("#content >> text=Ask the models")
        watch.click("text=all with something missing")
        watch.picture("ask")
        watch.click("button[value=review]")
        watch.picture("ask-confirm")
    with watch.step("… confirm"):
        watch.click("[type=submit].default")
    with watch.step("pause and resume"):
        watch.click("button[value=pause]")
        watch.picture("progress")
        watch.picture("progress-phone", narrow=True)
        watch.click("button[value=resume]")
    with watch.step("preview the page and publish"):
        page.goto(f"{admin}arena/competition/{competition}/change/")
        watch.click("#content >> text=Preview page")
        watch.picture("preview")
        page.goto(f"{admin}arena/competition/{competition}/change/")
        watch.clicks += 1
        page.check("#id_is_published")
        watch.click("[name=_continue]")
    with watch.step("the competition is open"):
        reply = page.goto(f"{base}/competitions/series-{run}/")
        assert reply is not None
        print(f"{'':21}→ {reply.status} {page.title().strip()[:80]}")
    with watch.step("cancel what is still queued"):
        page.goto(f"{admin}arena/competition/{competition}/ask/")
        if page.locator("form button[value=cancel]").count():
            watch.click("form button[value=cancel] >> nth=0")
    for name, path in (
        ("queue", "arena/suggestion/queue/"),
        ("history", f"arena/competition/{competition}/history/"),
        ("invitation", "arena/invitation/add/"),
        ("bring-images", f"arena/competition/{competition}/images/"),
    ):
        page.goto(f"{admin}{path}")
        watch.picture(name)
    page.goto(f"{admin}arena/competition/")  # the oldest one, whose images are there
    page.click("#result_list tbody tr:last-child th a")
    page.click("#content >> text=Preview voting")
    page.wait_for_load_state("networkidle")
    watch.picture("preview-voting")
    page.goto(f"{admin}arena/entry/")
    page.click("#result_list tbody tr:last-child .field-sheet a")
    page.wait_for_load_state("networkidle")
    watch.picture("contact-sheet")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--base", default="http://127.0.0.1:8000")
    parser.add_argument("--user", required=True)
    parser.add_argument("--password", required=True)
    parser.add_argument("--prompts", type=int, default=300)
    parser.add_argument("--pictures", type=Path)
    options = parser.parse_args()
    if options.pictures:
        options.pictures.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
        watch = Stopwatch(page, options.pictures)
        play(watch, options.base.rstrip("/"), options.user, options.password, options.prompts)
        print(f"{time.monotonic() - watch.began:6.1f} s  {watch.clicks:2d} clicks  in all")
        if problems:
            print("console:", json.dumps(sorted(set(problems)), indent=1))
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
