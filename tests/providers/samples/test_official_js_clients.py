"""The companies' own JavaScript clients accept the simulator too, where they and Node are on this machine.

npm install --prefix SOMEWHERE @fal-ai/client replicate openai
JS_CLIENTS=SOMEWHERE/node_modules bin/test tests/providers/samples/test_official_js_clients.py
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SCRIPT = Path(__file__).with_name("official_clients.cjs")
CLIENTS = ("openai", "replicate", "@fal-ai/client")


@pytest.fixture(scope="module")
def tries(simulator) -> dict[str, Any]:
    """What came of each try; all in one process of Node."""
    modules, node = os.environ.get("JS_CLIENTS", ""), shutil.which("node")
    if not node:
        pytest.skip("Node is not installed")
    missing = [name for name in CLIENTS if not (Path(modules) / name / "package.json").is_file()]
    if not modules or missing:
        pytest.skip(f"JS_CLIENTS names no node_modules with {', '.join(missing or CLIENTS)}")
    done = subprocess.run(
        [node, SCRIPT, simulator.url, str(Path(modules).resolve())], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    match: dict[str, Any] = json.loads(done.stdout)
    return match


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("openai generates", ["96x64", "96x64", "string"]),
        ("openai edits", ["96x64"]),
        ("openai streams", ["image_generation.completed 96x64"]),
        ("openai lists models", True),
        ("replicate runs", ["96x64"]),
        ("replicate polls", ["96x64"]),
        ("replicate aborts", "nothing"),
        ("replicate cancels", "canceled"),
        ("replicate takes files", ["96x64"]),
        ("fal subscribes", ["96x64", "COMPLETED", "IN_PROGRESS", "IN_QUEUE"]),
        ("fal runs", "96x64"),
        ("fal uploads", "96x64"),
        ("fal cancels", "COMPLETED"),  # there is no status for cancelled: the result is the error
    ],
)
def test_what_the_clients_get(tries, name, expected):
    assert tries[name] == expected


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("openai refuses policy", "BadRequestError 400"),
        ("openai refuses 401", "AuthenticationError 401"),
        ("openai refuses 403", "PermissionDeniedError 403"),
        ("openai refuses 404", "NotFoundError 404"),
        ("openai refuses 429", "RateLimitError 429"),
        ("openai refuses 500", "InternalServerError 500"),
        ("replicate fails", "E005"),
        ("replicate refuses", "ApiError 402"),
        ("fal refuses missing", "ValidationError 422"),
        ("fal refuses policy", "ValidationError 422"),
        ("fal refuses 401", "ApiError 401"),
        ("fal refuses fail-after-queue=500", "ApiError 500"),
    ],
)
def test_what_the_clients_raise(tries, name, error):
    assert error in tries[name]
