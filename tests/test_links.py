"""No link dies: URLs that were once published open, redirects included."""

from __future__ import annotations

import itertools
import re
from decimal import Decimal
from pathlib import Path

import pytest

from arena import voting
from leaderboard.board import snapshots
from leaderboard.board.ratings import recompute
from tests import factories as make

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]

# The sitemap and robots.txt of 2026-11-28, with one row of each kind, and what pages linked to. Never take one away.
SITEMAP = """
/ /leaderboard/ /leaderboard/overall/ /models/ /competitions/ /choose/ /compare/ /uses/ /week/ /methodology/
/leaderboard/text-to-image/ /leaderboard/image-editing/ /models/flux.2-klein-9b/ /labs/sample-studio/
/competitions/animals/ /providers/simulated-openai/ /playground/ /api/ /uses/birds/
"""
LINKED = """
/robots.txt /sitemap.xml /llms.txt /status/ /search/?q=kite /snapshots/ /healthz /readyz
/leaderboard/overall.csv /leaderboard/text-to-image.csv /leaderboard/text-to-image/?recent=1 /card.jpg
/leaderboard/text-to-image/card.jpg /models/flux.2-klein-9b/card.jpg /models/flux.2-klein-9b/images/
/models/flux.2-klein-9b.md /compare/flux.2-klein-9b/sample-b/ /compare/flux.2-klein-9b/sample-b/sample-c/
/competitions/animals/{prompt}/ /snapshots/{snapshot}/ /snapshots/{snapshot}.csv /entries/{entry}/
/arena/text-to-image/ /arena/text-to-image/mine/ /openai/v1/openapi.json /admin/
"""


# Folders of the machine, and roots of URLs at which nothing is.
FOLDERS = ("/stored/", "/var/", "/run/", "/etc/", "/opt/", "/tmp/", "/openai/", "/static/")


@pytest.fixture
def site() -> dict[str, int]:
    category = make.make_category()
    make.make_category("image-editing", mode="edit")
    competition = make.make_competition(category, slug="animals")
    prompt = make.make_prompt(competition, "A red kite", tags=["birds"])
    entries = []
    for slug in ("flux.2-klein-9b", "sample-b", "sample-c"):
        model = make.make_model(slug)
        make.make_offering(model, "simulated-openai", price=Decimal("0.01"))
        entries.append(make.make_entry(prompt, model))
    for left, right in itertools.combinations(entries, 2):
        for outcome in ("left", "right"):
            voting.cast_vote(make.make_battle(left=left, right=right), outcome)
    recompute(category, force=True)
    snapshot = snapshots.take(category)
    assert snapshot is not None
    return {"prompt": prompt.pk, "entry": entries[0].pk, "snapshot": snapshot.pk}


def test_every_url_that_was_ever_published_opens(client, site):
    paths = f"{SITEMAP} {LINKED}".format(**site).split()
    for path in sorted(
        paths, key=lambda path: path == "/readyz"
    ):  # last: where it finds a fault, it drops its connection
        response = client.get(path, follow=True)
        assert response.status_code in (200, 503) if path == "/readyz" else response.status_code == 200, path


def test_urls_in_documents_open(client, site, settings):
    """Whole paths of the site that README and docs name, such as `/methodology/`."""
    settings.METRICS_TOKEN = "set"  # without one, /metrics is no page
    for document in DOCUMENTS:
        for span in re.findall(r"`([^`\n]+)`", document.read_text()):
            if (
                re.fullmatch(r"/[a-z][\w./-]*", span) and not span.startswith(FOLDERS) and span != "/readyz"
            ):  # asked above
                response = client.get(span, follow=True)
                assert response.status_code not in (404, 410, 500), f"{document.name}: {span}"


def test_the_sitemap_lists_what_opens(client, site):
    for url in re.findall(r"<loc>([^<]+)</loc>", client.get("/sitemap.xml").content.decode()):
        assert client.get(url.removeprefix("http://testserver")).status_code == 200, url
