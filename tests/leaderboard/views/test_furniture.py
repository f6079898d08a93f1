"""The manifest of the site, its icons, its search, and its contact for security."""

from __future__ import annotations

import io
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree

import pytest
from PIL import Image

pytestmark = pytest.mark.django_db

ROOT = Path(__file__).parents[3]


def test_the_manifest_names_icons_that_are_there_in_the_sizes_it_says(client):
    reply = client.get("/manifest.webmanifest")
    assert reply["Content-Type"] == "application/manifest+json"
    drawn = [icon for icon in reply.json()["icons"] if icon["type"] == "image/png"]
    assert {icon["purpose"] for icon in drawn} == {"any", "maskable"}
    for icon in drawn:
        with Image.open(io.BytesIO(client.get(icon["src"]).content)) as image:
            assert f"{image.width}x{image.height}" == icon["sizes"]
            assert len(image.getcolors(100_000)) > 3  # the mark's two sheets and where they cross, on the ground
    assert client.get("/icons/64.png").status_code == 404


def test_pages_name_manifest_and_icon_and_colour_the_browsers_bars_like_themselves(client):
    page = client.get("/methodology/").content.decode()
    for rel, url in re.findall(r'<link rel="(manifest|apple-touch-icon)" href="([^"]+)"', page):
        assert client.get(url).status_code == 200, rel
    bars = dict(re.findall(r'name="theme-color" content="(#\w+)" media="\(prefers-color-scheme: (\w+)\)"', page))
    tokens = (ROOT / "static/css/tokens.css").read_text()
    colours = re.search(r"--page: light-dark\((#\w+), (#\w+)\)", tokens)
    assert colours is not None
    assert bars == {colours[1]: "light", colours[2]: "dark"}
    assert client.get("/manifest.webmanifest").json()["theme_color"] == colours[1]


def test_browsers_may_search_the_site_by_the_description_that_pages_name(client, settings):
    settings.SITE_NAME = "Images & <arenas> of all"
    page = client.get("/methodology/").content.decode()
    link = re.search(r'<link rel="search" type="([^"]+)" href="([^"]+)"', page)
    assert link is not None
    reply = client.get(link[2])
    assert reply["Content-Type"].split(";")[0] == link[1]
    described = ElementTree.fromstring(reply.content)  # noqa: S314 - our own
    name, url = (described.find(f"{{http://a9.com/-/spec/opensearch/1.1/}}{tag}") for tag in ("ShortName", "Url"))
    assert name is not None
    assert name.text == "Images & <arenas"
    assert url is not None
    results = client.get(url.attrib["template"].replace("{searchTerms}", "a+red+kite"))
    assert results.status_code == 200
    assert "a red kite" in results.content.decode()


def test_security_txt_names_the_contact_of_the_operator_if_there_is_one(client, settings):
    assert client.get("/.well-known/security.txt").status_code == 404
    settings.SECURITY_CONTACT = "mailto:security@example.org"
    reply = client.get("/.well-known/security.txt")
    lines = dict(line.split(": ", 1) for line in reply.content.decode().splitlines())
    assert reply["Content-Type"] == "text/plain; charset=utf-8"
    assert lines["Contact"] == "mailto:security@example.org"
    assert lines["Canonical"] == "http://testserver/.well-known/security.txt"
    left = datetime.fromisoformat(lines["Expires"]) - datetime.now(UTC)
    assert timedelta(days=30) < left < timedelta(days=365)
