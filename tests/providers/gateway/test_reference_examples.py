"""Every example of the reference page is run as the page has it."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)
EXAMPLES = re.compile(r'<pre tabindex="0" aria-label="([^"]* example[^"]*)" data-copy><code>(.*?)</code></pre>', re.S)


def run(code: str, label: str, directory: Path) -> str:
    """What the example prints."""
    if label.startswith("Python"):
        command = [sys.executable, "-c", code]
    elif label.startswith("cURL"):
        command = ["sh", "-c", code]
    else:
        node, modules = shutil.which("node"), os.environ.get("JS_CLIENTS", "")
        if not node:
            pytest.skip("Node is not installed")
        if "import " in code:
            if not (Path(modules) / "openai").is_dir():
                pytest.skip("JS_CLIENTS names no node_modules with openai (test_official_js_clients.py)")
            (directory / "node_modules").symlink_to(Path(modules).resolve())
        (directory / "example.mjs").write_text(code)
        command = [node, "example.mjs"]
    done = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout


def is_image_with_price(output: str) -> bool:
    return re.fullmatch(r"http\S+\.(png|webp|jpg)\?\S+ 0\.\d+\n", output) is not None


def is_stream(kind: str, output: str) -> bool:
    return re.search(rf"{kind}\.completed \d{{3,}}\n$", output) is not None


EXPECTED = {
    "Python example": is_image_with_price,
    "cURL example": lambda output: json.loads(output)["data"][0]["url"],
    "cURL example of an edit": lambda output: json.loads(output)["data"][0]["url"],
    "Python example of a streamed edit": lambda output: is_stream("image_edit", output),
    "JavaScript example": is_image_with_price,
    "JavaScript example of a stream": lambda output: is_stream("image_generation", output),
    "cURL example of an asynchronous request": lambda output: json.loads(output)["status"] == "queued",
}


@pytest.mark.parametrize("label", EXPECTED)
def test_an_example_of_the_reference_does_what_it_says(gateway, label, tmp_path, monkeypatch):
    host = gateway.url.removeprefix("http://")
    page = Client().get("/api/", headers={"Host": host}).content.decode()
    examples = {name: html.unescape(code) for name, code in EXAMPLES.findall(page)}
    assert examples.keys() == EXPECTED.keys()
    assert gateway.url in examples[label]
    monkeypatch.setenv("ARENA_API_KEY", gateway.secret)
    (tmp_path / "photo.png").write_bytes(make.picture("photo", 96, 64))
    assert EXPECTED[label](run(examples[label].replace("ia_…", gateway.secret), label, tmp_path))


def test_each_part_in_the_list_is_on_the_page_and_what_is_copied_has_its_script(client):
    page = client.get("/api/").content.decode()
    ids = re.findall(r'<h2 id="([^"]+)"', page)
    assert re.findall(r'<li><a href="#([^"]+)"', page) == ids
    assert "data-copy>" in page
    assert 'id="copy-words"' in page
    assert "js/reference" in page
