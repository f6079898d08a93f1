"""The very request of a trial, as code to copy. Pure: values in, text out."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from typing import Any

LANGUAGES = ("cURL", "Python", "JavaScript")


def snippets(base_url: str, models: Sequence[str], fields: dict[str, Any], *, edit: bool) -> list[tuple[str, str]]:
    """(language, code). Several models are several requests, alike but for the model."""
    fields = {name: value for name, value in fields.items() if value not in (None, "")}
    makers = (_curl, _python, _javascript)
    return [(name, make(base_url, models, fields, edit)) for name, make in zip(LANGUAGES, makers, strict=True)]


def _curl(base_url: str, models: Sequence[str], fields: dict[str, Any], edit: bool) -> str:
    lines = []
    for model in models:
        if edit:
            # Not -F: it would cut a prompt at its semicolon, and take one that begins with @ for the name of a file.
            texts = {"model": model, **fields}
            parts = [f"--form-string {shlex.quote(f'{name}={value}')}" for name, value in texts.items()]
            head, body = f"curl {base_url}/images/edits", [*parts, "-F image=@photo.jpg"]
        else:
            data = json.dumps({"model": model, **fields}, indent=2, ensure_ascii=False)
            head = f"curl {base_url}/images/generations"
            body = ['-H "Content-Type: application/json"', f"-d {shlex.quote(data)}"]
        lines.append(" \\\n  ".join([head, '-H "Authorization: Bearer $API_KEY"', *body]))
    return "\n\n".join(lines)


def _python(base_url: str, models: Sequence[str], fields: dict[str, Any], edit: bool) -> str:
    known = {name: value for name, value in fields.items() if name in ("prompt", "size")}
    extra = {name: value for name, value in fields.items() if name not in known}
    arguments = [f"{name}={value!r}," for name, value in known.items()]
    arguments += ['image=open("photo.jpg", "rb"),'] if edit else []
    arguments += [f"extra_body={extra!r},"] if extra else []
    head = [
        "import os",
        "from openai import OpenAI",
        "",
        "client = OpenAI(",
        f'    base_url="{base_url}",',
        '    api_key=os.environ["API_KEY"],',
        ")",
    ]
    call = f"client.images.{'edit' if edit else 'generate'}("
    if len(models) == 1:
        body = [f"answer = {call}", f'    model="{models[0]}",', *(f"    {line}" for line in arguments), ")"]
        return "\n".join([*head, *body, "print(answer.data[0].url)"])
    body = [f"for model in {list(models)!r}:", f"    answer = {call}", "        model=model,"]
    body += [*(f"        {line}" for line in arguments), "    )", "    print(model, answer.data[0].url)"]
    return "\n".join([*head, *body])


def _javascript(base_url: str, models: Sequence[str], fields: dict[str, Any], edit: bool) -> str:
    arguments = [f"{name}: {json.dumps(value, ensure_ascii=False)}," for name, value in fields.items()]
    arguments += ['image: fs.createReadStream("photo.jpg"),'] if edit else []
    head = ['import fs from "node:fs";'] if edit else []
    head += [
        'import OpenAI from "openai";',
        "",
        "const client = new OpenAI({",
        f'  baseURL: "{base_url}",',
        "  apiKey: process.env.API_KEY,",
        "});",
    ]
    call = f"await client.images.{'edit' if edit else 'generate'}({{"
    if len(models) == 1:
        body = [f"const answer = {call}", f'  model: "{models[0]}",', *(f"  {line}" for line in arguments), "});"]
        return "\n".join([*head, *body, "console.log(answer.data[0].url);"])
    body = [f"for (const model of {json.dumps(list(models))}) {{", f"  const answer = {call}", "    model,"]
    body += [*(f"    {line}" for line in arguments), "  });", "  console.log(model, answer.data[0].url);", "}"]
    return "\n".join([*head, *body])
