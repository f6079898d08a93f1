"""docs/settings.md, generated from `.env.example`: its comments are the descriptions, so there is one text of each."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings

TARGET = Path("docs", "settings.md")
INTRODUCTION = """\
# Settings

Every difference between a laptop and a cluster is an environment variable. This page is generated from `.env.example`
by `manage.py settings_reference`; a test compares the two. An empty variable counts as not set; a wrong or weak value
stops the start with a sentence.
"""
_HEADING = re.compile(r"# ([^─]+) ─+")


@dataclass
class Variable:
    name: str
    default: str
    text: str
    example: str


@dataclass
class Section:
    title: str
    text: str = ""
    variables: list[Variable] = field(default_factory=list)


def sections(example: str) -> Iterator[Section]:
    """The example file in parts. A comment describes the variables below it, up to the next comment."""
    section, comments, example_value = Section("The site"), list[str](), ""
    is_after_variable = False
    for line in example.splitlines():
        if heading := _HEADING.fullmatch(line):
            if section.variables:
                yield section
            section, comments, example_value = Section(heading[1].strip()), [], ""
            is_after_variable = False
        elif match := re.fullmatch(r"(#?)([A-Z][A-Z0-9_]*)=(.*)", line):
            if match[1]:
                example_value = match[3].strip('"')
                continue
            text = " ".join(comments) or ("As the one above." if is_after_variable else "")
            section.variables.append(Variable(match[2], match[3].strip('"'), text, example_value))
            comments, example_value, is_after_variable = [], "", True
        elif line.startswith("# "):
            comments.append(line.removeprefix("# "))
            is_after_variable = False
        elif not line and comments:
            section.text, comments = " ".join(comments), []
    yield section


def page() -> str:
    lines = [INTRODUCTION]
    for section in sections(Path(settings.BASE_DIR, ".env.example").read_text()):
        lines += [f"## {section.title}", "", *([section.text, ""] if section.text else [])]
        lines += ["| variable | default | what it says |", "|---|---|---|"]
        for variable in section.variables:
            text = variable.text + (f" Example: `{variable.example}`" if variable.example else "")
            default = f"`{variable.default}`" if variable.default else ""
            lines.append(f"| `{variable.name}` | {default} | {text.replace('|', '/')} |")
        lines.append("")
    return "\n".join(lines)
