"""A simulator in this process, and one way to ask any of its wire formats for an image."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from providers.adapters import ADAPTERS, wire
from providers.adapters.base import Account, Deadline, new_client
from providers.admission import limits
from providers.request import Answer, ProviderCall, SourceImage
from providers.samples.simulator import Simulator
from providers.transfer import download

_numbers = itertools.count(1)

SIZES: dict[str, dict[str, Any]] = {
    "fal": {"image_size": {"width": 192, "height": 128}},
    "fal-run": {"image_size": {"width": 192, "height": 128}},
    "replicate": {"width": 192, "height": 128, "output_format": "png"},
    "openai": {"size": "192x128"},
    "bfl": {"width": 192, "height": 128, "output_format": "png"},
    "gemini": {"aspectRatio": "3:2", "imageSize": "0.1534K"},  # a tier of 157² pixels, which Google has not
}
IMAGE_FIELDS = {
    "fal": "image_urls", "fal-run": "image_urls", "replicate": "images", "openai": "image", "bfl": "input_image",
    "gemini": "inlineData",
}  # fmt: skip


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    monkeypatch.setattr(wire, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(wire, "FAILED_PAUSE", 0.02)
    monkeypatch.setattr(download, "FIRST_PAUSE", 0.02)
    monkeypatch.setattr(limits, "DEFAULT_PAUSE", 0.05)


@pytest.fixture(scope="session")
def http() -> Iterator[httpx.Client]:
    with new_client() as client:
        yield client


@dataclass
class Line:
    """One wire format of the simulator. Every call goes to an endpoint of its own, so the journal can be read."""

    wire: str
    account: Account
    http: httpx.Client
    simulator: Simulator

    def ask(
        self,
        prompt: str,
        *,
        seconds: float = 20,
        endpoint: str = "",
        images: tuple[SourceImage, ...] = (),
        **arguments: Any,
    ) -> Answer:
        self.endpoint = endpoint or f"tests/endpoint-{next(_numbers)}"
        call = ProviderCall(
            endpoint=self.endpoint,
            arguments={"prompt": prompt, **SIZES[self.wire], **arguments},
            images=images,
            image_field=IMAGE_FIELDS[self.wire] if images else "",
        )
        adapter = ADAPTERS[self.account.adapter]
        return adapter.generate(call, account=self.account, http=self.http, deadline=Deadline(seconds))

    @property
    def journal(self) -> dict[str, int]:
        """What became of the last call: asked, refused, created, running, done, cancelled."""
        return self.simulator.journal()[self.account.adapter][self.endpoint]


@pytest.fixture
def line_to(simulator, http):
    def line(wire: str) -> Line:
        urls = {
            "fal": {place: f"{simulator.url}/fal/{place}" for place in ("run", "queue", "rest", "api")},
            "fal-run": {"run": f"{simulator.url}/fal/run", "queue": "", "rest": f"{simulator.url}/fal/rest"},
            "replicate": {"base": f"{simulator.url}/replicate/v1"},
            "openai": {"base": f"{simulator.url}/openai/v1/"},
            "bfl": {"base": f"{simulator.url}/bfl/v1"},
            "gemini": {"base": f"{simulator.url}/gemini/v1beta"},
        }[wire]
        account = Account(wire, wire, wire.partition("-")[0], urls, api_key="simulated", simulated=True)
        return Line(wire, account, http, simulator)

    return line
