"""A file store that hangs holds a page's thread for seconds, and a flood of readers not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage
from django.urls import reverse

from arena.models import Entry
from providers.files import file_store
from tests import factories as make
from tests.config.processes import eventually

answers = threading.Event()


class Hanging(FileSystemStorage):
    """The disk of a network that is away: opening a file waits."""

    def open(self, name: str, mode: str = "rb") -> Any:
        answers.wait()
        return super().open(name, mode)


@pytest.fixture
def hanging(settings, monkeypatch) -> Iterator[None]:
    answers.clear()
    monkeypatch.setattr(file_store, "READ_TIME_LIMIT", 0.05)
    monkeypatch.setattr(file_store, "_reads", threading.BoundedSemaphore(2))
    backend = {"BACKEND": f"{__name__}.Hanging"}
    settings.STORAGES = django_settings.STORAGES | {"default": backend}
    yield
    answers.set()


def test_readers_give_up_soon_and_further_ones_at_once(hanging):
    name = default_storage.save("public/a.webp", ContentFile(b"image"))
    for _ in range(2):
        with pytest.raises(TimeoutError, match="within"):
            file_store.read(name)
    with pytest.raises(TimeoutError, match="does not answer"):
        file_store.read(name)
    answers.set()

    def content() -> bytes | None:
        try:
            return file_store.read(name)
        except TimeoutError:
            return None

    eventually(lambda: content() == b"image")
    with pytest.raises(FileNotFoundError):
        file_store.read("public/none.webp")


@pytest.mark.django_db
def test_an_image_is_a_503_and_pages_go_on(hanging, client):
    entry = Entry.objects.get(pk=make.make_battle().left_id)
    reply = client.get(reverse("arena:public-image", args=[entry.thumbnail.name]))
    assert (reply.status_code, reply["Retry-After"]) == (503, "5")
    assert client.get("/models/").status_code == 200
