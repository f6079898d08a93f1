"""What was bought is stored once, or waits until it can be."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone

from arena import generation, images
from arena.models import Entry, Generation, SpooledImage
from providers import cache, routing
from providers.files import file_store
from providers.models import Call
from tests import factories as make

from .rows import again, due_now, queued

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("quick")]


def test_a_dead_workers_row_is_due_when_its_lease_ends_and_a_late_answer_is_thrown_away():
    row = queued()
    ours = generation.claim(row.pk)
    assert ours is not None
    assert generation.claim(row.pk) is None
    Generation.objects.update(
        started_at=timezone.now() - timedelta(hours=1), lease_expires_at=timezone.now() - timedelta(seconds=1)
    )
    generation.run(row.pk)
    assert again(row).status == "succeeded"
    files = _files()
    generated = routing.generate(ours.image_model, generation.request_for(ours.prompt), "arena", time_limit=20)
    late = images.normalise(make.picture("late"), "4:3")
    assert generation.store(ours, generated, late) is None
    assert Entry.objects.count() == 1
    assert _files() == files


def test_bytes_that_are_no_image_fail_with_the_reason():
    row = queued("Snow [sim:result-html]")
    for _ in range(8):
        generation.run(row.pk)
    row.refresh_from_db()
    assert (row.status, row.outcome) == ("failed", "bad_output")
    assert not Entry.objects.exists()


def in_the_way(settings, folder: str) -> Path:
    """A file where the store wants a folder: nothing can be written there, root or not."""
    path = Path(settings.MEDIA_ROOT) / folder
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"")
    return path


def test_what_was_paid_for_waits_in_the_database_until_it_can_be_stored(settings):
    row = queued()
    blocked = in_the_way(settings, "originals")
    generation.run(row.pk)
    row.refresh_from_db()
    assert (row.status, row.outcome, row.finished_at) == ("storing", "store", None)
    assert "Not stored yet" in row.error
    assert not any(default_storage.listdir(folder)[1] for folder in ("battle", "public"))  # all of them or none
    due_now(row)
    generation.run(row.pk)
    assert again(row).status == "storing"
    blocked.unlink()
    due_now(row)
    assert generation.take_due() == [row.pk]
    generation.run(row.pk)
    assert (again(row).status, row.error, row.attempt) == ("succeeded", "", 1)
    assert row.entry.call == Call.objects.get()  # the provider was asked once
    assert not SpooledImage.objects.exists()
    assert row.spent == 0
    with row.entry.original.open("rb") as file:
        assert images.extension(file.read()) in ("png", "jpg", "webp")


def test_nobody_is_asked_while_files_cannot_be_stored(settings):
    row = queued()
    blocked = in_the_way(settings, "probe")
    cache.clear_process_caches()
    assert "Error" in file_store.trouble()
    assert generation.take_due() == []
    generation.run(row.pk)
    assert (again(row).status, row.attempt, Call.objects.count()) == ("queued", 0, 0)
    blocked.unlink()
    due_now(row)
    assert file_store.trouble() == ""
    assert generation.take_due() == [row.pk]


def test_an_internal_error_after_the_purchase_throws_nothing_away(monkeypatch):
    row = queued()
    with monkeypatch.context() as patch:
        patch.setattr(images, "normalise", lambda *_: 1 / 0)
        generation.run(row.pk)
    assert (again(row).status, Call.objects.count()) == ("storing", 1)
    due_now(row)
    generation.run(row.pk)
    assert (again(row).status, Call.objects.count()) == ("succeeded", 1)


def _files() -> set[str]:
    return {
        f"{folder}/{name}"
        for folder in ("battle", "originals", "public")
        for name in default_storage.listdir(folder)[1]
    }


def test_an_entry_of_the_factories_is_as_a_worker_leaves_it():
    """Row by row: what differs is who, when and which file."""
    differing = {"id", "prompt_id", "image_model_id", "generation_id", "call_id", "offering_id", "image", "small"}
    differing |= {"thumbnail", "original", "request_id", "due_at", "started_at", "finished_at", "created_at"}
    entries = make.store_by_worker(make.make_generation()), make.make_entry()
    for rows in (entries, [entry.generation for entry in entries], [entry.call for entry in entries]):
        worker, factory = (values_of(row, differing) for row in rows)
        assert worker == factory
    for entry in entries:
        assert all(
            default_storage.exists(file.name) for file in (entry.image, entry.small, entry.thumbnail, entry.original)
        )


def values_of(row, differing):
    row.refresh_from_db()
    return {key: value for key, value in vars(row).items() if key not in differing and not key.startswith("_")}
