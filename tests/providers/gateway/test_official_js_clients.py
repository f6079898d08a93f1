"""OpenAI's JavaScript client and the Vercel AI SDK drive the gateway, where they and Node are on this machine.

npm install --prefix SOMEWHERE openai ai @ai-sdk/openai-compatible
JS_CLIENTS=SOMEWHERE/node_modules bin/test tests/providers/gateway/test_official_js_clients.py
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from providers.models import ApiKey
from tests import factories as make

pytestmark = pytest.mark.django_db(transaction=True)
SCRIPT = Path(__file__).with_name("official_clients.mjs")
CLIENTS = ("openai", "ai", "@ai-sdk/openai-compatible")


def test_what_the_javascript_clients_get(gateway):
    modules, node = os.environ.get("JS_CLIENTS", ""), shutil.which("node")
    if not node:
        pytest.skip("Node is not installed")
    missing = [name for name in CLIENTS if not (Path(modules) / name / "package.json").is_file()]
    if not modules or missing:
        pytest.skip(f"JS_CLIENTS names no node_modules with {', '.join(missing or CLIENTS)}")
    ApiKey.objects.update(response_format="")
    photo = base64.b64encode(make.picture("photo", 96, 64)).decode()
    # The AI SDK asks for no response format and wants base64: what a key's default is for.
    _, secret = ApiKey.make("AI SDK", response_format="b64_json")
    outputs = {}
    for key in (gateway.secret, secret):
        command = [node, SCRIPT, gateway.url, key, str(Path(modules).resolve()), photo]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        outputs[key] = json.loads(done.stdout)
    plain, with_default = outputs.values()
    assert plain["generates"] == ["96x64", "96x64", "simulated-openai"]
    assert plain["gets addresses"] == "image/png"
    assert plain["edits"] == ["96x64"]
    assert plain["streams"] == ["image_generation.completed"]
    assert plain["lists models"] == ["sample-one"]
    assert plain["retrieves a model with a slash"] == "simulated-openai/sample-one"
    assert plain["refuses"].startswith("NotFoundError 404 model_not_found")
    assert plain["fails"].startswith("InternalServerError 502 all_providers_failed")
    assert with_default["the AI SDK"] == ["96x64"]
