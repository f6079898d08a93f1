"""A request to the gateway as a program to copy, in four languages. Pure; tests run what the pages show."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

PROMPT = "A red kite above a harbour at dawn"
CHANGE = "Make it night, with lights in the windows"
SIZE = "1024x1024"
KEY = "ARENA_API_KEY"  # environment variable
SOURCE = "photo.png"  # the file that edits send
_SDK_ARGUMENTS = frozenset({"prompt", "size", "n", "response_format", "output_format"})  # typed by OpenAI's Python SDK


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a program in one colour; "" is the default colour."""

    kind: Literal["", "string", "comment", "keyword"]
    text: str


@dataclass(frozen=True, slots=True)
class Example:
    key: str
    language: str
    file: str
    code: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Task:
    """One endpoint with its examples."""

    mode: str
    title: str
    endpoint: str
    examples: tuple[Example, ...]


def tasks(model: str, base_url: str, modes: Sequence[str]) -> list[Task]:
    """Examples for every mode in `modes`. `model` is its id, `base_url` ends in /v1."""
    generation = {"prompt": PROMPT, "size": SIZE, "response_format": "url"}
    edit = {"prompt": CHANGE, "response_format": "url"}
    known = [
        Task("text-to-image", "Text to image", "/v1/images/generations", examples(base_url, [model], generation)),
        Task("edit", "Image editing", "/v1/images/edits", examples(base_url, [model], edit, edit=True)),
    ]
    return [task for task in known if task.mode in modes]


def examples(
    base_url: str, models: Sequence[str], fields: Mapping[str, Any], *, edit: bool = False
) -> tuple[Example, ...]:
    """The request in every language. Several models are several requests that differ in the model alone.

    `fields` are the parameters besides `model` (and `image`, when `edit`); empty ones are left out.
    """
    fields = {name: value for name, value in fields.items() if value not in (None, "")}
    name = "edit" if edit else "generate"
    programs = (
        ("curl", "cURL", f"{name}.sh", _curl(base_url, models, fields, edit)),
        ("javascript", "JavaScript", f"{name}.mjs", _javascript(base_url, models, fields, edit)),
        ("openai", "Python, OpenAI SDK", f"{name}.py", _openai_sdk(base_url, models, fields, edit)),
        ("python", "Python", f"{name}.py", _python(base_url, models, fields, edit)),
    )
    return tuple(
        Example(key, language, file, code, tuple(coloured(code, key))) for key, language, file, code in programs
    )


def _curl(base_url: str, models: Sequence[str], fields: Mapping[str, Any], edit: bool) -> str:
    commands = []
    for model in models:
        if edit:
            # Not -F: it would cut a prompt at its semicolon, and read one that begins with @ as the name of a file.
            texts = {"model": model, **fields}
            body = [f"--form-string {shlex.quote(f'{name}={value}')}" for name, value in texts.items()]
            lines = [f"curl {base_url}/images/edits", *body, f"-F image=@{SOURCE}"]
        else:
            data = json.dumps({"model": model, **fields}, indent=2, ensure_ascii=False).replace("\n", "\n  ")
            lines = [
                f"curl {base_url}/images/generations",
                '-H "Content-Type: application/json"',
                f"-d {shlex.quote(data)}",
            ]
        lines.insert(1, f'-H "Authorization: Bearer ${KEY}"')
        commands.append(" \\\n  ".join(lines) + "\n")
    return "\n".join(commands)


def _javascript(base_url: str, models: Sequence[str], fields: Mapping[str, Any], edit: bool) -> str:
    arguments = [f"{name}: {_json(value)}," for name, value in fields.items()]
    if edit:
        arguments.append(f'image: await toFile(fs.createReadStream("{SOURCE}"), "{SOURCE}", {{ type: "image/png" }}),')
    client = [
        *(['import fs from "node:fs";', ""] if edit else []),
        f'import OpenAI{", { toFile }" if edit else ""} from "openai";',
        "",
        "const client = new OpenAI({",
        f"  apiKey: process.env.{KEY},",
        f"  baseURL: {_json(base_url)},",
        "});",
        "",
    ]
    call = f"const response = await client.images.{'edit' if edit else 'generate'}({{"
    if len(models) == 1:
        body = [call, f"  model: {_json(models[0])},", *_indented(arguments, 2), "});"]
        return _lines([*client, *body, "console.log(response.data[0].url);"])
    body = [call, "  model,", *_indented(arguments, 2), "});", "console.log(model, response.data[0].url);"]
    return _lines([*client, f"for (const model of {_json(list(models))}) {{", *_indented(body, 2), "}"])


def _openai_sdk(base_url: str, models: Sequence[str], fields: Mapping[str, Any], edit: bool) -> str:
    typed = {name: value for name, value in fields.items() if name in _SDK_ARGUMENTS}
    extra = {name: value for name, value in fields.items() if name not in typed}
    arguments = [f"{name}={_literal(value)}," for name, value in typed.items()]
    arguments += ["image=image,"] if edit else []
    arguments += [f"extra_body={_literal(extra)},"] if extra else []
    client = [
        "import os",
        "",
        "from openai import OpenAI",
        "",
        "client = OpenAI(",
        f'    api_key=os.environ["{KEY}"],',
        f"    base_url={_literal(base_url)},",
        ")",
        "",
    ]
    call = [f"response = client.images.{'edit' if edit else 'generate'}(", "    model=MODEL,"]
    return _python_program(client, [*call, *_indented(arguments), ")"], models, edit, "response.data[0].url")


def _python(base_url: str, models: Sequence[str], fields: Mapping[str, Any], edit: bool) -> str:
    body = [f"{_literal(name)}: {_literal(value)}," for name, value in fields.items()]
    call = [
        "response = httpx.post(",
        f"    {_literal(base_url + ('/images/edits' if edit else '/images/generations'))},",
        f'    headers={{"Authorization": f"Bearer {{os.environ[\'{KEY}\']}}"}},',
        "    data={" if edit else "    json={",
        '        "model": MODEL,',
        *_indented(body, 8),
        "    },",
        *(['    files={"image": image},'] if edit else []),
        "    timeout=120,",
        ")",
        "response.raise_for_status()",
    ]
    result = 'response.json()["data"][0]["url"]'
    return _python_program(["import os", "", "import httpx", ""], call, models, edit, result)


def _python_program(head: list[str], call: list[str], models: Sequence[str], edit: bool, result: str) -> str:
    """The call for one model, or in a loop over several; MODEL in it stands for the model's id."""
    is_loop = len(models) > 1
    call = [line.replace("MODEL", "model" if is_loop else _literal(models[0])) for line in call]
    body = [f'with open("{SOURCE}", "rb") as image:', *_indented(call)] if edit else call
    if not is_loop:
        return _lines([*head, *body, f"print({result})"])
    loop = [f"for model in {_literal(list(models))}:", *_indented([*body, f"print(model, {result})"])]
    return _lines([*head, *loop])


def _lines(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _indented(lines: Sequence[str], spaces: int = 4) -> list[str]:
    return [f"{' ' * spaces}{line}" for line in lines]


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _literal(value: Any) -> str:
    """As Python source. JSON's texts, numbers, lists and objects are Python's; its true and null are not."""
    return repr(value) if value is None or isinstance(value, bool) else _json(value)


_KEYWORDS = {
    "curl": r"\bcurl\b|(?<=\s)-[HdFX]\b|--form-string\b",
    "javascript": r"\b(?:import|from|const|await|new|for|of|process|console)\b",
    "python": r"\b(?:import|from|for|in|with|as|open|print|True|False)\b",
    "openai": r"\b(?:import|from|for|in|with|as|open|print|True|False)\b",
}


def coloured(code: str, language: str) -> list[Piece]:
    """The code in pieces, which joined are the code again."""
    pattern = re.compile(
        r"""(?P<comment>(?m:^\#.*$))|(?P<string>f?"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')"""
        rf"|(?P<keyword>{_KEYWORDS[language]})"
    )
    pieces: list[Piece] = []
    end = 0
    for match in pattern.finditer(code):
        if match.start() > end:
            pieces.append(Piece("", code[end : match.start()]))
        pieces.append(Piece(match.lastgroup, match[0]))  # type: ignore[arg-type]  # one of the groups above
        end = match.end()
    return [*pieces, Piece("", code[end:])] if end < len(code) else pieces
