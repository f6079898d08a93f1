"""What agents' frameworks send to /responses, word for word, and what they get.

Recorded with pydantic-ai-slim 2.68.0 (Agent with output_type=BinaryImage and the native ImageGenerationTool, the model
named gpt-5.2) and langchain-openai 1.7.4 (ChatOpenAI(use_responses_api=True).bind_tools).
"""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from providers.cache import clear_process_caches
from providers.models import ApiKey, ModelAlias

from .conftest import offered

pytestmark = pytest.mark.django_db(transaction=True)
PYDANTIC_AI: dict[str, Any] = {
    "model": "gpt-5.2",
    "stream": False,
    "include": ["reasoning.encrypted_content"],
    "input": [{"role": "user", "content": "A red kite"}],
    "tool_choice": "auto",
    "tools": [
        {
            "type": "image_generation", "action": "auto", "background": "auto", "moderation": "auto",
            "output_compression": 100, "output_format": "png", "partial_images": 0, "quality": "auto", "size": "auto",
        }
    ],
}  # fmt: skip
LANGCHAIN: dict[str, Any] = {
    "model": "sample-one",
    "stream": False,
    "input": [{"content": "A red kite", "role": "user", "type": "message"}],
    "tools": [{"type": "image_generation", "quality": "low"}],
}


@pytest.fixture
def headers(simulated):
    model = offered("sample-one")
    ModelAlias.objects.create(alias="gpt-5.2", image_model=model)  # the framework knows which models make images
    clear_process_caches()
    return {"Authorization": f"Bearer {ApiKey.make('agent')[1]}"}


@pytest.mark.parametrize("body", [PYDANTIC_AI, LANGCHAIN], ids=["pydantic-ai", "langchain"])
def test_a_framework_gets_its_image_and_may_ask_for_a_change(headers, body):
    response = post(headers, body)
    (call,) = response["output"]
    assert (call["type"], call["status"]) == ("image_generation_call", "completed")
    assert Image.open(io.BytesIO(base64.b64decode(call["result"]))).format == "PNG"
    assert response["model"] == body["model"]
    turns = [*body["input"], call, {"role": "user", "content": "Make it blue"}]
    changed = post(headers, body | {"input": turns})
    assert changed["output"][0]["result"] != call["result"]
    assert changed["arena"]["attempts"][0]["outcome"] == "ok"


def post(headers, body) -> dict[str, Any]:
    response = Client().post("/openai/v1/responses", body, "application/json", headers=headers)
    assert response.status_code == 200, response.content
    answer: dict[str, Any] = json.loads(response.content)
    return answer
