"""The programs on a model's page, taken from its HTML as a reader would copy them, run against this very site."""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import httpx

from providers.catalog import load
from providers.models import ApiKey
from tests import factories as make

BLOCK = re.compile(
    r'<pre [^>]*data-mode="([^"]+)"\s+data-example="([^"]+)" data-file="([^"]+)"><code>(.*?)</code></pre>', re.DOTALL
)


def runtime(example: str) -> list[str] | None:
    """What runs this language here; None where it is missing."""
    modules = os.environ.get("JS_CLIENTS", "")
    match example:
        case "curl":
            return ["sh"] if shutil.which("curl") else None
        case "javascript":
            node = shutil.which("node")
            return [node] if node and modules and (Path(modules) / "openai" / "package.json").is_file() else None
        case _:
            return [sys.executable]


def run(example: str, program: Path, key: str) -> str:
    """The program's last word: an address of the image."""
    command = runtime(example)
    assert command is not None
    if example == "javascript":
        (program.parent / "node_modules").symlink_to(Path(os.environ["JS_CLIENTS"]).resolve())
    environment = {"PATH": os.environ["PATH"], "HOME": str(program.parent), "ARENA_API_KEY": key}
    done = subprocess.run(
        [*command, program.name], cwd=program.parent, env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    if example == "curl":
        return str(json.loads(done.stdout)["data"][0]["url"])
    return done.stdout.strip().splitlines()[-1]


def test_every_example_brings_an_image(live_server, transactional_db, request, tmp_path, settings):
    load.load()
    request.getfixturevalue("simulated")  # only now: the catalogue names real providers too
    settings.ALLOW_LOOPBACK_PROVIDERS = True
    _, secret = ApiKey.make("examples")
    page = httpx.get(f"{live_server.url}/models/sample-halogen/").text
    blocks = BLOCK.findall(page)
    assert {(mode, example) for mode, example, *_ in blocks} == {
        (mode, example) for mode in ("text-to-image", "edit") for example in ("curl", "javascript", "openai", "python")
    }
    skipped = []
    for mode, example, file, code in blocks:
        if runtime(example) is None:
            skipped.append(example)
            continue
        place = tmp_path / f"{mode}-{example}"
        place.mkdir()
        (place / "photo.png").write_bytes(make.picture("a photo"))
        (place / file).write_text(html.unescape(re.sub(r"</?span[^>]*>", "", code)))
        address = run(example, place / file, secret)
        image = httpx.get(address)
        assert image.status_code == 200, (mode, example, address)
        assert image.headers["content-type"].startswith("image/"), (mode, example)
    assert set(skipped) <= {"javascript", "curl"}
