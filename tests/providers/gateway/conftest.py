"""The gateway as it runs: granian in a process of its own, on a real port, over this test's database."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from django.db import connection

from config.services.places import CHECKOUT
from providers.models import ApiKey, ImageModel
from providers.samples.simulator import Simulator
from tests import factories as make

from .requests import PROMPT, QUALITY

pytestmark = pytest.mark.django_db(transaction=True)


@dataclass
class Gateway:
    """A running gateway and a key of its own for this test."""

    url: str
    media: Path
    key: ApiKey
    secret: str
    client: httpx.Client
    simulator: Simulator

    def post(self, path: str = "images/generations", **more):
        return self.client.post(f"/openai/v1/{path}", **more)

    def ask(self, prompt: str = "A red kite", path: str = "images/generations", headers=None, **fields):
        fields = {"model": "sample-one", "prompt": prompt, "size": "128x128", "response_format": "b64_json"} | fields
        return self.post(path, json=fields, headers=headers)

    def journal(self, endpoint: str, wire: str = "openai") -> dict[str, int]:
        """What the simulated provider was asked at this endpoint, and what it did."""
        return self.simulator.journal().get(wire, {}).get(endpoint, {})


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def database_url() -> str:
    settings = connection.settings_dict
    host, user = quote(settings["HOST"] or "localhost", safe=""), quote(settings["USER"], safe="")
    password = f":{quote(settings['PASSWORD'], safe='')}" if settings["PASSWORD"] else ""
    port = f":{settings['PORT']}" if settings["PORT"] else ""
    return f"postgresql://{user}{password}@{host}{port}/{settings['NAME']}"


@contextmanager
def serving(simulator: Simulator, media: Path, **more: str) -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """A gateway in a process of its own: its address, and the process."""
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "DATABASE_POOL": "8",
        "SIMULATOR_URL": simulator.url,
        "MEDIA_ROOT": str(media),
        "GATEWAY_TIME_LIMIT": "30",
        "GATEWAY_RATE": "6000",
        "PYTHONUNBUFFERED": "1",
        **more,
    }
    for name in ("FAL_KEY", "REPLICATE_API_TOKEN", "OPENAI_API_KEY", "BFL_API_KEY", "GEMINI_API_KEY"):
        environment.pop(name, None)  # no test spends money
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--workers", "1", "--port", str(port)]
    with (media / "log").open("w+") as log:
        process = subprocess.Popen(
            [*command, "--no-ws", "config.asgi:application"], cwd=CHECKOUT, env=environment, stdout=log, stderr=log
        )
        url = f"http://127.0.0.1:{port}"
        try:
            deadline = time.monotonic() + 30
            while True:
                try:
                    httpx.get(f"{url}/healthz", timeout=2).raise_for_status()
                    break
                except httpx.HTTPError:
                    assert process.poll() is None, (media / "log").read_text()
                    assert time.monotonic() < deadline, (media / "log").read_text()
                    time.sleep(0.05)
            yield url, process
        finally:
            process.terminate()
            process.wait(timeout=30)


@pytest.fixture(scope="package")
def server(django_db_setup, django_db_blocker, simulator, tmp_path_factory) -> Iterator[tuple[str, Path]]:
    """One process for all tests of the gateway; each test brings its own rows."""
    media = tmp_path_factory.mktemp("gateway")
    with serving(simulator, media) as (url, _):
        yield url, media


@pytest.fixture
def gateway(server, simulator, simulated, transactional_db) -> Iterator[Gateway]:
    url, media = server
    key, secret = ApiKey.make("test")
    offered("sample-one")
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {secret}"}, timeout=60) as client:
        yield Gateway(url, media, key, secret, client, simulator)


def offered(slug: str, *providers: str, **fields) -> ImageModel:
    """A model with an offering at each of these simulated providers, in both modes."""
    model = ImageModel.objects.filter(slug=slug).first() or make.make_model(slug)
    size = {"family": "pixels", "format": "WxH", "field": "size", "min": 64, "max": 2048, "multiple_of": 16}
    endpoint = fields.pop("endpoint", None)
    for number, provider in enumerate(providers or ("simulated-openai",)):
        for mode in ("text-to-image", "edit"):
            images = {"images": {"field": "image", "list": True, "max": 4, "mask": "mask"}} if mode == "edit" else {}
            parameters: dict[str, Any] = {"size": size, **images, "accepts": [
                {"name": "prompt", "type": "string", "group": "core", "behaviour": "passthrough"},
                {"name": "seed", "type": "integer", "group": "core", "behaviour": "passthrough"},
            ]}  # fmt: skip
            if provider == "simulated-openai":
                parameters["partial_images"] = 3
            if provider == "simulated-replicate":
                parameters["size"] = {"family": "pixels", "format": "sides", "min": 64, "max": 2048}
                if mode == "edit":
                    parameters["images"] = {"field": "images", "list": True, "max": 4}
            if provider == "simulated-fal":
                parameters["size"] = {"family": "pixels", "format": "object", "field": "image_size", "min": 64}
                if mode == "edit":
                    parameters["images"] = {"field": "image_urls", "list": True, "max": 4}
            make.make_offering(
                model, provider, mode=mode, endpoint=endpoint or f"tests/{slug}-{mode}", price=f"0.0{number + 1}",
                parameters=parameters | fields,
            )  # fmt: skip
    return model


@pytest.fixture
def key(simulated):
    """A key; `sample-one` takes almost nothing, `gpt-image-9` takes quality as OpenAI's models do."""
    offered("sample-one")
    offered("gpt-image-9", accepts=[PROMPT, QUALITY])
    key, secret = ApiKey.make("programs", requests_per_minute=100_000)
    key.secret = secret
    return key
