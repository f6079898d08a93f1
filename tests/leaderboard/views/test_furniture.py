"""The manifest of the site and its icons."""

from __future__ import annotations

import io
import re
from pathlib import Path

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
