"""Requests to the gateway in this process, with a key of `conftest`."""

from __future__ import annotations

import json

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests import factories as make

QUALITY = {
    "name": "quality", "type": "string", "group": "additional", "behaviour": "passthrough",
    "enum": ["auto", "low", "medium", "high"],
}  # fmt: skip


PROMPT = {"name": "prompt", "type": "string", "group": "core", "behaviour": "passthrough"}


def call(key, path="images/generations", method="POST", **fields):
    fields = {"model": "sample-one", "prompt": "A kite", "response_format": "b64_json"} | fields
    headers = {"Authorization": f"Bearer {key.secret}"}
    return Client().generic(method, f"/openai/v1/{path}", json.dumps(fields), "application/json", headers=headers)


def edit(key, files, **fields):
    form = {"model": "sample-one", "prompt": "A kite", "response_format": "b64_json"} | fields | files
    return Client().post("/openai/v1/images/edits", form, headers={"Authorization": f"Bearer {key.secret}"})


def picture(name="image", width=96, height=64) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, make.picture(name, width, height), "application/octet-stream")
