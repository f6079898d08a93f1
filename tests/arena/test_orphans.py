"""Files without a row go, files with one stay, and young ones are left alone."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from arena import orphans
from tests import factories as make

pytestmark = pytest.mark.django_db


def test_only_old_files_that_no_row_names_are_deleted(settings):
    secret = make.make_competition(make.make_category("secret", is_private=True))
    private = make.make_imported_entry(make.make_prompt(secret), make.make_model(is_private=True))
    entry = make.make_entry()
    prompt = make.make_prompt(make.make_competition(make.make_category("image-editing", "edit")))
    named = [file.name for row in (entry, private) for file in (row.image, row.small, row.thumbnail, row.original)]
    named.append(prompt.source_image.name)
    orphaned = [
        default_storage.save(f"{folder}/{folder}.webp", ContentFile(b"x"))
        for folder in ("battle", "public", "originals", "sources", "probe")
    ]
    elsewhere = default_storage.save("playground/a.webp", ContentFile(b"x"))
    assert orphans.sweep() == 0  # a file waits a while for the row that names it
    day = timedelta(days=1).total_seconds()
    for path in Path(settings.MEDIA_ROOT).rglob("*.*"):
        os.utime(path, (path.stat().st_atime - day, path.stat().st_mtime - day))
    assert orphans.sweep() == len(orphaned)
    assert all(default_storage.exists(name) for name in [*named, elsewhere])
    assert not any(default_storage.exists(name) for name in orphaned)
    assert orphans.sweep() == 0
