"""What the leaderboard shows of an image that was taken away: nothing, a minute later, at any URL."""

from __future__ import annotations

import io
import re

import pytest
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from arena.models import Entry
from leaderboard.competitions.image_urls import medium_source_url, source_url, tiny_url
from tests import factories as make

pytestmark = pytest.mark.django_db


def lifetime(response) -> int:
    assert "immutable" not in response["Cache-Control"]
    age = re.search(r"max-age=(\d+)", response["Cache-Control"])
    assert age
    return int(age[1])


def test_small_copies_and_cards_go_with_the_image(client):
    entry = make.make_entry()
    tiny, card = tiny_url(entry), reverse("leaderboard:model-card", args=[entry.image_model.slug])
    shown, drawn = client.get(tiny), client.get(card)
    assert max(lifetime(shown), lifetime(drawn)) <= 60
    assert client.get(tiny, headers={"If-None-Match": shown["ETag"]}).status_code == 304
    for column in ("hidden_at", "retired_at"):
        Entry.objects.filter(pk=entry.pk).update(**{column: timezone.now()})
        assert client.get(tiny).status_code == 404
        assert client.get(tiny, headers={"If-None-Match": shown["ETag"]}).status_code == 404
        assert client.get(card).content != drawn.content
        Entry.objects.filter(pk=entry.pk).update(**{column: None})
        assert client.get(card).content == drawn.content


def test_a_source_image_goes_with_its_prompt(client):
    prompt = make.make_prompt(make.make_competition(make.make_category("image-editing", mode="edit")))
    urls = source_url(prompt), medium_source_url(prompt)
    sizes = [Image.open(io.BytesIO(client.get(url).content)).size for url in urls]
    with prompt.source_image.open() as file, Image.open(file) as image:
        assert sizes == [(112, 112), image.size]  # never enlarged
    assert all(lifetime(client.get(url)) <= 60 for url in urls)
    type(prompt).objects.filter(pk=prompt.pk).update(retired_at=timezone.now())
    assert [client.get(url).status_code for url in urls] == [404, 404]
