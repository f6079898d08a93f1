"""Templates follow the apps' arrow: leaderboard → arena → providers."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

TEMPLATES = Path(__file__).parent.parent / "templates"
# By folder: the apps whose tag libraries a template may load, and whose URLs it may name.
KNOWN = {
    "gateway": {"providers"},
    "playground": {"providers", "arena"},  # a visitor suggests a result to the arena's curators
    "arena": {"arena", "providers"},
    "leaderboard": {"leaderboard", "arena", "providers"},
}
OF_ALL = {"static", "django_htmx", "humanize", "i18n", "l10n", "tz", "pages"}  # `pages`: the frame of every page


def libraries() -> dict[str, str]:
    """Tag library → the app it belongs to."""
    root = TEMPLATES.parent
    modules = (path for app in ("providers", "arena", "leaderboard") for path in (root / app).glob("templatetags/*.py"))
    return {path.stem: path.parent.parent.name for path in modules if path.stem != "__init__"}


@pytest.mark.parametrize("folder", KNOWN)
def test_templates_load_no_library_and_name_no_url_of_an_app_above_them(folder):
    owners, wrong = libraries(), []
    for path in (TEMPLATES / folder).rglob("*.*"):
        text = path.read_text()
        for names in re.findall(r"\{% load ([^%]+) %\}", text):
            for name in names.split(" from ")[-1].split():
                if name not in OF_ALL and owners[name] not in KNOWN[folder]:
                    wrong.append(f"{path.name} loads {name}")
        for name in re.findall(r"\{% url '(\w+):", text):
            if name not in KNOWN[folder]:
                wrong.append(f"{path.name} names a URL of {name}")
    assert wrong == []
