"""Answers as providers document them (recorded/README.md), read without our own simulator in between."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from providers.adapters import ADAPTERS, wire
from providers.adapters.base import Account, Deadline
from providers.errors import ProviderError
from providers.offering.pricing import tokens_of
from providers.request import ProviderCall

FILES = sorted((Path(__file__).parent / "recorded").glob("*.json"))
KEY = "sk-proj-abcdefghijklmnopqrstuvwxyz"
ACCOUNTS = {
    "fal": {"run": "https://fal.run", "queue": "https://queue.fal.run"},
    "replicate": {"base": "https://api.replicate.com/v1"},
    "openai": {"base": "https://api.openai.com/v1"},
    "bfl": {"base": "https://api.bfl.ai/v1"},
    "gemini": {"base": "https://generativelanguage.googleapis.com/v1beta"},
}


def picture() -> str:
    out = BytesIO()
    Image.new("RGB", (96, 64), "teal").save(out, "PNG")
    return base64.b64encode(out.getvalue()).decode()


def read(path: Path) -> dict[str, Any]:
    encoded = picture()
    text = path.read_text().replace("{IMAGE}", f"data:image/png;base64,{encoded}").replace("{BASE64}", encoded)
    recorded: dict[str, Any] = json.loads(text)
    return recorded


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_documented_answer_means_what_the_documentation_says(path, monkeypatch):
    monkeypatch.setattr(wire, "FIRST_PAUSE", 0.0)
    recorded = read(path)
    expect = recorded["expect"]
    replies = iter(
        httpx.Response(reply["status"], headers=reply["headers"], json=reply["body"]) for reply in recorded["exchange"]
    )
    name = recorded["wire"]
    account = Account(name, name, name, ACCOUNTS[name], domains=("bfl.ai",), api_key=KEY)
    call = ProviderCall("owner/model", {"prompt": "a red kite over dunes"})
    adapter = ADAPTERS[name]
    with httpx.Client(transport=httpx.MockTransport(lambda _: next(replies, httpx.Response(404)))) as http:
        if "error" in expect:
            with pytest.raises(ProviderError) as caught:
                adapter.generate(call, account=account, http=http, deadline=Deadline(5))
            error = caught.value
            assert type(error).__name__ == expect["error"], error.detail
            assert expect.get("says", "") in str(error)
            assert error.retry_after == expect.get("retry_after")
            assert error.possibly_charged is expect.get("possibly_charged", error.possibly_charged)
            assert "wxyz" not in f"{error}{error.detail}"
            assert "org-" not in f"{error}{error.detail}"
            return
        answer = adapter.generate(call, account=account, http=http, deadline=Deadline(5))
    assert len(answer.images) == expect["images"]
    assert (answer.images[0].width, answer.images[0].height) == (96, 64)
    facts = {
        "seed": answer.seed,
        "provider_time": answer.provider_time and answer.provider_time.total_seconds(),
        "billed_units": answer.billed_units and str(answer.billed_units),
        "cost": answer.cost and f"{answer.cost.normalize():f}",
        "provider_request_id": answer.provider_request_id,
        "facts": answer.images[0].facts,
        "tokens": answer.usage and tokens_of(answer.usage),
    }
    assert {name: facts[name] for name in facts.keys() & expect.keys()} == {
        name: value for name, value in expect.items() if name != "images"
    }


def test_every_wire_has_recorded_answers_and_each_names_its_source():
    recorded = [read(path) for path in FILES]
    assert {entry["wire"] for entry in recorded} == set(ADAPTERS)
    assert all(entry["source"].startswith("https://") for entry in recorded)
