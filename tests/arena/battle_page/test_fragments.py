"""What of a page and of the reply to a vote is rendered again, and what is filled into pieces that are there."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.test.signals import template_rendered

from arena.battle_page import fragments
from tests import factories as make

pytestmark = pytest.mark.django_db

ARENA = "/arena/text-to-image/"


def rendered(action: Callable[[], Any]) -> tuple[Any, set[str | None]]:
    """What `action` returns, and the names of the templates rendered meanwhile."""
    names: set[str | None] = set()

    def note(template: Any, **_: Any) -> None:
        names.add(template.name)

    template_rendered.connect(note)
    try:
        return action(), names
    finally:
        template_rendered.disconnect(note)


def test_the_reply_to_a_vote_outlives_the_frame_of_a_page(client, monkeypatch):
    monkeypatch.setattr(fragments._pages, "seconds", 0.0)  # a page's frame lists categories: old at once
    category = make.make_category()
    models = [make.make_model() for _ in range(3)]
    for _ in range(3):
        prompt = make.make_prompt(make.make_competition(category))
        for model in models:
            make.make_entry(prompt, model)

    def vote(url: str) -> str:
        reply = client.post(f"{url}vote/", {"outcome": "tie"}, headers={"HX-Request": "true"})
        return str(reply.content.decode())

    page, names = rendered(lambda: client.get(ARENA))
    assert "arena/battle.html" in names
    reply, names = rendered(lambda: vote(make.battle_url(page)))
    assert {"arena/_battle.html", "arena/_ahead.html"} <= names
    for _ in range(2):
        url = re.search(r'<template[^>]*data-url="([^"]+)"', reply)
        assert url is not None
        reply, names = rendered(lambda url=url[1]: vote(url))
        assert "arena/_ahead.html" not in names
    assert "arena/battle.html" in rendered(lambda: client.get(ARENA))[1]
