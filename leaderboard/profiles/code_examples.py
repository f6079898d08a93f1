"""Code that asks the gateway for an image of a model, in four languages. Pure; tests run what the page shows."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Literal

PROMPT = "A red kite above a harbour at dawn"
CHANGE = "Make it night, with lights in the windows"
SIZE = "1024x1024"
KEY = "ARENA_API_KEY"
SOURCE = "photo.png"  # what the examples of edits send


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a program in one colour: "" is plain."""

    kind: Literal["", "string", "comment", "keyword"]
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    key: str
    language: str
    file: str  # how the program would be called
    code: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One endpoint with its examples."""

    mode: str
    title: str
    endpoint: str
    examples: tuple[Example, ...]


def tasks(model: str, base_url: str, modes: list[str]) -> list[Task]:
    """For every mode the model has. `model` is its id, `base_url` ends in /v1."""
    found = []
    if "text-to-image" in modes:
        found.append(Task("text-to-image", "Text to image", "/v1/images/generations", _generation(model, base_url)))
    if "edit" in modes:
        found.append(Task("edit", "Image editing", "/v1/images/edits", _edit(model, base_url)))
    return found


def _example(key: str, language: str, file: str, code: str) -> Example:
    return Example(key, language, file, code, tuple(coloured(code, key)))


def _generation(model: str, base: str) -> tuple[Example, ...]:
    body = json.dumps({"model": model, "prompt": PROMPT, "size": SIZE}, indent=2).replace("\n", "\n  ")
    m, p = json.dumps(model), json.dumps(PROMPT)
    return (
        _example(
            "curl",
            "cURL",
            "generate.sh",
            f"""curl {base}/images/generations \\
  -H "Authorization: Bearer ${KEY}" \\
  -H "Content-Type: application/json" \\
  -d '{body}'
# {{ "created": 1234567890, "data": [{{ "url": "https://…" }}] }}
""",
        ),
        _example(
            "javascript",
            "JavaScript",
            "generate.mjs",
            f"""import OpenAI from "openai";

const client = new OpenAI({{
  apiKey: process.env.{KEY},
  baseURL: "{base}",
}});

const response = await client.images.generate({{
  model: {m},
  prompt: {p},
  size: "{SIZE}",
  response_format: "url",
}});
console.log(response.data[0].url);
""",
        ),
        _example(
            "openai",
            "Python, OpenAI SDK",
            "generate.py",
            f"""import os

from openai import OpenAI

client = OpenAI(
    api_key=os.environ["{KEY}"],
    base_url="{base}",
)

response = client.images.generate(
    model={m},
    prompt={p},
    size="{SIZE}",
    response_format="url",
)
print(response.data[0].url)
""",
        ),
        _example(
            "python",
            "Python",
            "generate.py",
            f"""import os

import httpx

response = httpx.post(
    "{base}/images/generations",
    headers={{"Authorization": f"Bearer {{os.environ['{KEY}']}}"}},
    json={{
        "model": {m},
        "prompt": {p},
        "size": "{SIZE}",
    }},
    timeout=120,
)
response.raise_for_status()
print(response.json()["data"][0]["url"])
""",
        ),
    )


def _edit(model: str, base: str) -> tuple[Example, ...]:
    m, p = json.dumps(model), json.dumps(CHANGE)
    return (
        _example(
            "curl",
            "cURL",
            "edit.sh",
            f"""curl {base}/images/edits \\
  -H "Authorization: Bearer ${KEY}" \\
  -F "model={model}" \\
  -F "prompt={CHANGE}" \\
  -F "image=@{SOURCE}"
""",
        ),
        _example(
            "javascript",
            "JavaScript",
            "edit.mjs",
            f"""import fs from "node:fs";

import OpenAI, {{ toFile }} from "openai";

const client = new OpenAI({{
  apiKey: process.env.{KEY},
  baseURL: "{base}",
}});

const response = await client.images.edit({{
  model: {m},
  prompt: {p},
  image: await toFile(fs.createReadStream("{SOURCE}"), "{SOURCE}", {{ type: "image/png" }}),
  response_format: "url",
}});
console.log(response.data[0].url);
""",
        ),
        _example(
            "openai",
            "Python, OpenAI SDK",
            "edit.py",
            f"""import os

from openai import OpenAI

client = OpenAI(
    api_key=os.environ["{KEY}"],
    base_url="{base}",
)

with open("{SOURCE}", "rb") as image:
    response = client.images.edit(
        model={m},
        prompt={p},
        image=image,
        response_format="url",
    )
print(response.data[0].url)
""",
        ),
        _example(
            "python",
            "Python",
            "edit.py",
            f"""import os

import httpx

with open("{SOURCE}", "rb") as image:
    response = httpx.post(
        "{base}/images/edits",
        headers={{"Authorization": f"Bearer {{os.environ['{KEY}']}}"}},
        data={{"model": {m}, "prompt": {p}}},
        files={{"image": image}},
        timeout=120,
    )
response.raise_for_status()
print(response.json()["data"][0]["url"])
""",
        ),
    )


_KEYWORDS = {
    "curl": r"\bcurl\b|(?<=\s)-[HdFX]\b",
    "javascript": r"\b(?:import|from|const|await|new|process|console)\b",
    "python": r"\b(?:import|from|with|as|open|print|True|False)\b",
    "openai": r"\b(?:import|from|with|as|open|print|True|False)\b",
}


def coloured(code: str, language: str) -> list[Piece]:
    """The code in pieces, which joined are the code again."""
    pattern = re.compile(
        rf"""(?P<comment>(?m:^\#.*$))|(?P<string>f?"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')|(?P<keyword>{_KEYWORDS[language]})"""
    )
    pieces: list[Piece] = []
    end = 0
    for match in pattern.finditer(code):
        if match.start() > end:
            pieces.append(Piece("", code[end : match.start()]))
        pieces.append(Piece(match.lastgroup, match[0]))  # type: ignore[arg-type]  # one of the groups above
        end = match.end()
    return [*pieces, Piece("", code[end:])] if end < len(code) else pieces
