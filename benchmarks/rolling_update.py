"""A rolling update, played: `python -m benchmarks.rolling_update COMMIT [--seconds 30]`.

The release of COMMIT and this checkout serve one database and one Valkey at once, as the machines of a site do during a
deploy: the old release fills and reads, the migrations of the new one run while the old one answers, then both answer.
Every voter's requests go to either release by turns: the page of one may have the vote posted to the other. Both
recompute the boards. No answer may be a 5xx, and the counts beside the votes must be right at the end; else it exits
with 1 and prints what failed and the log of the release that failed.

Works on a database of its own beside the configured one, dropped at the end, and on Valkey's database 9.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg

from benchmarks.programs import with_services

CHECKOUT = Path(__file__).parents[1]
READERS, VOTERS = 2, 4
# What a site has before the update, made by the old release.
FILL = """
import django; django.setup()
from django.core.management import call_command
from django.utils import timezone
from arena import battles, voting
from leaderboard.board import image_records
from tests import factories as make
for slug in ("text-to-image", "image-editing"):
    category = make.make_category(slug)
    competition = make.make_competition(category, slug=f"birds-{slug}")
    models = [make.make_model(f"bird-{slug}-{n}") for n in range(4)]
    for number in range(8):
        prompt = make.make_prompt(competition, f"A heron, number {number}", tags=["night"])
        for model in models:
            make.make_entry(prompt, model)
    for _ in range(6):
        voter = make.make_voter()
        for outcome in ("left", "right", "tie", "left", "both_bad"):
            voting.cast_vote(battles.serve(voter, category), outcome)
image_records.recount_moved()
call_command("recompute_ratings")
"""
CHECK = """
import django; django.setup()
from arena import integrity
from arena.models import Vote
wrong = [*integrity.progress_differences(), *integrity.image_differences()]
counted = Vote.objects.counted().count()
print(Vote.objects.count(), "votes,", counted, "of which count; wrong counts beside them:", wrong or "none")
raise SystemExit(bool(wrong) or not counted)
"""
PAGES = (
    "/", "/leaderboard/", "/leaderboard/overall/", "/leaderboard/text-to-image/", "/leaderboard/text-to-image.csv",
    "/leaderboard/text-to-image/?tag=night", "/leaderboard/image-editing/", "/models/", "/models/bird-text-to-image-0/",
    "/models/bird-text-to-image-0/images/", "/models/bird-text-to-image-1/card.jpg", "/labs/sample-studio/",
    "/compare/bird-text-to-image-0/bird-text-to-image-1/", "/competitions/birds-text-to-image/",
    "/models/?for=me", "/search/?q=bird", "/methodology/", "/status/", "/data/", "/snapshots/",
    "/sitemap.xml", "/llms.txt", "/openai/v1/models", "/api/", "/playground/", "/arena/text-to-image/mine/",
)  # fmt: skip


class Release:
    """One release: its checkout, and its process while it serves."""

    def __init__(self, name: str, checkout: Path, environment: dict[str, str], folder: Path) -> None:
        self.name, self.checkout = name, checkout
        self.environment = {**environment, "VAR_DIR": str(folder / f"var-{name}"), "PYTHONPATH": str(checkout)}
        Path(self.environment["VAR_DIR"]).mkdir()
        self.log = (folder / f"{name}.log").open("w+b")
        self.url = ""

    def run(self, *arguments: str) -> None:
        subprocess.run([sys.executable, *arguments], cwd=self.checkout, env=self.environment, check=True)

    def manage(self, *arguments: str) -> None:
        self.run("manage.py", *arguments, "--verbosity", "0")

    @contextlib.contextmanager
    def serving(self) -> Iterator[None]:
        self.manage("collectstatic", "--noinput")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        command = ["granian", "--interface", "asgi", "--no-ws", "--workers", "1", "--port", str(port)]
        process = subprocess.Popen(
            [sys.executable, "-m", *command, "config.asgi:application"],
            cwd=self.checkout, env=self.environment, stdout=self.log, stderr=self.log,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + 120
            while True:
                with contextlib.suppress(httpx.HTTPError):
                    if httpx.get(f"{self.url}/healthz", timeout=5).status_code == 200:
                        break
                if time.monotonic() > deadline or process.poll() is not None:
                    sys.exit(f"The {self.name} release does not start:\n{self.errors()}")
                time.sleep(0.1)
            yield
        finally:
            process.terminate()
            process.wait(60)

    def errors(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")[-6000:]


class Traffic:
    """Readers and voters; what was answered, and each answer that was a 5xx or none."""

    def __init__(self) -> None:
        self.answers: Counter[str] = Counter()
        self.failures: list[str] = []
        self.up: list[Release] = []
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=work) for work in (*[self._read] * READERS, *[self._vote] * VOTERS)]

    def start(self, *releases: Release) -> None:
        self.up = list(releases)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def request(self, client: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response | None:
        release = random.choice(self.up)
        try:
            response = client.request(method, release.url + path, follow_redirects=False, **more)
        except httpx.HTTPError as error:
            self.failures.append(f"{release.name}: {method} {path}: {error!r}")
            return None
        self.answers[f"{release.name} {response.status_code}"] += 1
        if response.status_code in (400, 403, 404):
            self.answers[f"{release.name} {response.status_code} {re.sub('[0-9a-f-]{36}', '…', path)}"] += 1
        if response.status_code >= 500:
            self.failures.append(f"{release.name}: {method} {path}: {response.status_code} {response.text[:120]!r}")
        return response

    def _read(self) -> None:
        with httpx.Client(timeout=60) as client:
            while not self._ended.is_set():
                for path in random.sample(PAGES, len(PAGES)):
                    if self._ended.is_set():
                        return
                    self.request(client, "GET", path)

    def _vote(self) -> None:
        while not self._ended.is_set():
            with httpx.Client(timeout=60, headers={"X-Forwarded-For": f"10.0.0.{random.randrange(250)}"}) as client:
                self._vote_often(client, random.choice(("text-to-image", "image-editing")))

    def _vote_often(self, client: httpx.Client, category: str) -> None:
        for _ in range(12):
            if self._ended.is_set():
                return
            page = self.request(client, "GET", f"/arena/{category}/")
            while page is not None and page.is_redirect:
                page = self.request(client, "GET", urllib.parse.urlsplit(page.headers["Location"]).path)
            if page is None or page.status_code != 200:
                return
            form = {"outcome": random.choice(("left", "right", "tie", "both_bad"))}
            for name in ("csrfmiddlewaretoken", "ballot"):
                if hidden := re.search(rf'name="{name}"\s+value="([^"]+)"', page.text):
                    form[name] = hidden[1]
            action = re.search(r'action="([^"]*/vote/)"', page.text)
            if action is None:
                return
            headers = {"HX-Request": "true"} if random.random() < 0.5 else {}
            voted = self.request(client, "POST", action[1], data=form, headers=headers)
            self.answers["votes taken"] += voted is not None and voted.status_code in (200, 302, 303)


@contextlib.contextmanager
def database() -> Iterator[str]:
    """The URL of an empty database beside the configured one."""
    parts = urllib.parse.urlsplit(os.environ["DATABASE_URL"])
    name = f"{parts.path.lstrip('/')}_benchmark_update"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        connection.execute(f'CREATE DATABASE "{name}"')
        try:
            yield parts._replace(path=f"/{name}").geturl()
        finally:
            connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@contextlib.contextmanager
def checked_out(commit: str, folder: Path) -> Iterator[Path]:
    checkout = folder / "old"
    subprocess.run(["git", "worktree", "add", "--quiet", "--detach", checkout, commit], cwd=CHECKOUT, check=True)
    try:
        yield checkout
    finally:
        subprocess.run(["git", "worktree", "remove", "--force", checkout], cwd=CHECKOUT, check=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("commit", help="the old release")
    parser.add_argument("--seconds", type=float, default=30, help="with both releases up")
    options = parser.parse_args()
    with_services()
    with (
        tempfile.TemporaryDirectory() as place,
        database() as url,
        checked_out(options.commit, Path(place)) as checkout,
    ):
        folder = Path(place)
        redis = re.sub(r"\?db=\d+$|/\d+$", "", os.environ["REDIS_URL"])
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "REDIS_URL": f"{redis}?db=9" if redis.startswith("unix:") else f"{redis}/9",
            "MEDIA_ROOT": str(folder / "media"),
            "ALLOWED_HOSTS": "127.0.0.1",
            "TRUSTED_PROXY_HOPS": "1",
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "DEBUG": "",
            # All voters are of one address, and load no images: their votes count all the same, or boards are empty.
            "NETWORK_NEW_VOTERS": "0",
            "NETWORK_PREFIX_NEW_VOTERS": "0",
            "VOTE_NEEDS_IMAGES": "0",
            "VOTE_MIN_SECONDS": "0",
        }
        old = Release("old", checkout, environment, folder)
        new = Release("new", CHECKOUT, environment, folder)
        print("the old release fills …", file=sys.stderr)
        old.manage("migrate")
        old.run("-c", FILL)
        traffic = Traffic()
        with old.serving():
            traffic.start(old)
            try:
                print("the new one migrates …", file=sys.stderr)
                new.manage("migrate")
                with new.serving():
                    traffic.up = [old, new]
                    end = time.monotonic() + options.seconds
                    print("both answer …", file=sys.stderr)
                    while time.monotonic() < end:
                        for release in (old, new):
                            release.manage("recompute_ratings")
                    traffic.up = [new]
                    time.sleep(1)
                    traffic.stop()
            finally:
                traffic.stop()
        for answer, count in sorted(traffic.answers.items()):
            print(f"{count:>7}  {answer}")
        failed = subprocess.run([sys.executable, "-c", CHECK], cwd=CHECKOUT, env=new.environment).returncode
        if not traffic.answers["votes taken"]:
            traffic.failures.append("no vote was taken")
        if traffic.failures or failed:
            print("\n".join(sorted(set(traffic.failures))[:40]))
            for release in (old, new):
                print(f"── log of the {release.name} release\n{release.errors()}")
            sys.exit(1)
        print("no 5xx")


if __name__ == "__main__":
    main()
